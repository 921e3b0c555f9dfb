//! The section `global`: what receivers take where they say nothing themselves.

use std::time::Duration;

use client::{HttpClientConfig, TlsConfig};
use config::{PromDuration, Secret};

use super::shape::{IsSet, at_most_one, check_host_port, check_http, check_secret_url, check_url, shape};

/// After how long an alert without an end counts as over, unless the file says otherwise.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
pub(super) const SLACK_APP_URL: &str = "https://slack.com/api/chat.postMessage";

shape! {
    /// `global`, as written.
    pub struct GlobalConfig {
        resolve_timeout: PromDuration,
        http_config: HttpClientConfig,
        jira_api_url: String,
        smtp_from: String,
        smtp_hello: String,
        smtp_smarthost: String,
        smtp_auth_username: String,
        smtp_auth_password: Secret,
        smtp_auth_password_file: String,
        smtp_auth_secret: Secret,
        smtp_auth_secret_file: String,
        smtp_auth_identity: String,
        smtp_require_tls: bool,
        smtp_tls_config: TlsConfig,
        smtp_force_implicit_tls: bool,
        slack_api_url: Secret,
        slack_api_url_file: String,
        slack_app_token: Secret,
        slack_app_token_file: String,
        slack_app_url: String,
        pagerduty_url: String,
        opsgenie_api_url: String,
        opsgenie_api_key: Secret,
        opsgenie_api_key_file: String,
        wechat_api_url: String,
        wechat_api_secret: Secret,
        wechat_api_secret_file: String,
        wechat_api_corp_id: String,
        victorops_api_url: String,
        victorops_api_key: Secret,
        victorops_api_key_file: String,
        telegram_api_url: String,
        telegram_bot_token: Secret,
        telegram_bot_token_file: String,
        webex_api_url: String,
        rocketchat_api_url: String,
        rocketchat_token: Secret,
        rocketchat_token_file: String,
        rocketchat_token_id: Secret,
        rocketchat_token_id_file: String,
        mattermost_webhook_url: Secret,
        mattermost_webhook_url_file: String,
    }
}

impl GlobalConfig {
    /// After how long an alert without an end counts as over.
    pub fn resolve_timeout(&self) -> Duration {
        self.resolve_timeout.map_or(RESOLVE_TIMEOUT, |timeout| timeout.0)
    }

    /// Refuses contradictions, in the original's words.
    pub fn check(&self) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_host_port(self.smtp_smarthost.as_deref())?;
        for (inline, file, key) in [
            (self.slack_app_token.is_set(), &self.slack_app_token_file, "slack_app_token"),
            (self.slack_api_url.is_some(), &self.slack_api_url_file, "slack_api_url"),
        ] {
            at_most_one(inline, file.is_set(), key)?;
        }
        let app = self.slack_app_token.is_set() || self.slack_app_token_file.is_set();
        let api = self.slack_api_url.is_some() || self.slack_api_url_file.is_set();
        let app_url = self.slack_app_url.as_deref().unwrap_or(SLACK_APP_URL);
        // Before there were app tokens, people set the app's URL as `slack_api_url`.
        if app && api && self.slack_api_url.as_ref().map(Secret::expose) != Some(app_url) {
            return Err(
                "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured"
                    .into(),
            );
        }
        for (inline, file, key) in [
            (&self.opsgenie_api_key, &self.opsgenie_api_key_file, "opsgenie_api_key"),
            (&self.victorops_api_key, &self.victorops_api_key_file, "victorops_api_key"),
            (&self.telegram_bot_token, &self.telegram_bot_token_file, "telegram_bot_token"),
            (&self.smtp_auth_password, &self.smtp_auth_password_file, "smtp_auth_password"),
            (&self.rocketchat_token, &self.rocketchat_token_file, "rocketchat_token"),
            (&self.rocketchat_token_id, &self.rocketchat_token_id_file, "rocketchat_token_id"),
            (&self.smtp_auth_secret, &self.smtp_auth_secret_file, "smtp_auth_secret"),
            (&self.wechat_api_secret, &self.wechat_api_secret_file, "wechat_api_secret"),
            (&self.mattermost_webhook_url, &self.mattermost_webhook_url_file, "mattermost_webhook_url"),
        ] {
            at_most_one(inline.is_set(), file.is_set(), key)?;
        }
        for url in [
            &self.jira_api_url,
            &self.slack_app_url,
            &self.pagerduty_url,
            &self.opsgenie_api_url,
            &self.wechat_api_url,
            &self.victorops_api_url,
            &self.telegram_api_url,
            &self.webex_api_url,
            &self.rocketchat_api_url,
        ] {
            check_url(url.as_deref())?;
        }
        check_secret_url(self.slack_api_url.as_ref())?;
        check_secret_url(self.mattermost_webhook_url.as_ref())
    }
}
