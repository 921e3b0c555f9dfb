//! Pushover.

use client::HttpClientConfig;
use config::{GoDuration, Secret};

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, refuse_if, shape},
};

shape! {
    /// One entry of `pushover_configs`.
    pub struct PushoverConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        user_key: Secret,
        user_key_file: String,
        token: Secret,
        token_file: String,
        title: String,
        message: String,
        url: String,
        url_title: String,
        device: String,
        sound: String,
        priority: String,
        retry: GoDuration,
        expire: GoDuration,
        ttl: GoDuration,
        html: bool,
        monospace: bool,
    }
}

impl Entry for PushoverConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        let (key, file) = (self.user_key.is_set(), self.user_key_file.is_set());
        refuse_if(!key && !file, "one of user_key or user_key_file must be configured")?;
        at_most_one(key, file, "user_key")?;
        let (token, file) = (self.token.is_set(), self.token_file.is_set());
        refuse_if(!token && !file, "one of token or token_file must be configured")?;
        at_most_one(token, file, "token")?;
        refuse_if(
            self.html == Some(true) && self.monospace == Some(true),
            "at most one of monospace & html must be configured",
        )
    }
}
