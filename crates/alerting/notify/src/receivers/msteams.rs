//! Microsoft Teams, by the older connector.

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_secret_url, refuse_if, shape},
};

shape! {
    /// One entry of `msteams_configs`.
    pub struct MsteamsConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        webhook_url: Secret,
        webhook_url_file: String,
        title: String,
        summary: String,
        text: String,
    }
}

impl Entry for MsteamsConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_secret_url(self.webhook_url.as_ref())?;
        let (url, file) = (self.webhook_url.is_set(), self.webhook_url_file.is_set());
        refuse_if(!url && !file, "one of webhook_url or webhook_url_file must be configured")?;
        at_most_one(url, file, "webhook_url")
    }
}
