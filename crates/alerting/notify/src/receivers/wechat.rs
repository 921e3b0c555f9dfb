//! WeChat.

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `wechat_configs`.
    pub struct WechatConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_secret: Secret,
        api_secret_file: String,
        corp_id: String,
        message: String,
        api_url: String,
        to_user: String,
        to_party: String,
        to_tag: String,
        agent_id: String,
        message_type: String,
    }
}

impl Entry for WechatConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(false)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        let kind = self.message_type.as_deref().unwrap_or_default();
        if !matches!(kind, "" | "text" | "markdown") {
            return Err(format!(
                "weChat message type {kind:?} does not match valid options ^(text|markdown)$"
            ));
        }
        let (secret, file) = (self.api_secret.is_set(), self.api_secret_file.is_set());
        at_most_one(secret, file, "api_secret")?;
        let global_secret = global.wechat_api_secret.is_set() || global.wechat_api_secret_file.is_set();
        refuse_if(
            !secret && !file && !global_secret,
            "no global Wechat Api Secret set either inline or in a file",
        )?;
        refuse_if(
            !self.corp_id.is_set() && !global.wechat_api_corp_id.is_set(),
            "no global Wechat CorpID set",
        )
    }
}
