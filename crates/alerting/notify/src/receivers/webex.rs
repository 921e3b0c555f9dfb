//! Webex.

use client::HttpClientConfig;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `webex_configs`.
    pub struct WebexConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: String,
        message: String,
        room_id: String,
    }
}

impl Entry for WebexConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        refuse_if(!self.room_id.is_set(), "missing room_id on webex_config")?;
        let authorization = self.http_config.as_ref().is_some_and(|http| http.authorization.is_some());
        refuse_if(!authorization, "missing webex_configs.http_config.authorization")
    }
}
