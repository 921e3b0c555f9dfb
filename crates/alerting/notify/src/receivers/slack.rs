//! Slack.

use client::HttpClientConfig;
use config::{GoDuration, Secret};

use super::{
    Entry, GlobalConfig,
    global::SLACK_APP_URL,
    shape::{IsSet, at_most_one, at_most_one_of, check_http, check_secret_url, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `slack_configs`.
    pub struct SlackConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: Secret,
        api_url_file: String,
        app_token: Secret,
        app_token_file: String,
        app_url: String,
        channel: String,
        username: String,
        color: String,
        title: String,
        title_link: String,
        pretext: String,
        text: String,
        message_text: String,
        fields: Vec<SlackField>,
        short_fields: bool,
        footer: String,
        fallback: String,
        callback_id: String,
        icon_emoji: String,
        icon_url: String,
        image_url: String,
        thumb_url: String,
        link_names: bool,
        mrkdwn_in: Vec<String>,
        actions: Vec<SlackAction>,
        update_message: bool,
        timeout: GoDuration,
    }
}

shape! {
    /// A field of a message.
    pub struct SlackField {
        title: String,
        value: String,
        short: bool,
    }
}

shape! {
    /// A button of a message.
    pub struct SlackAction {
        #[serde(rename = "type")]
        kind: String,
        text: String,
        url: String,
        style: String,
        name: String,
        value: String,
        confirm: SlackConfirmation,
    }
}

shape! {
    /// What to ask before a button works.
    pub struct SlackConfirmation {
        text: String,
        title: String,
        ok_text: String,
        dismiss_text: String,
    }
}

impl SlackAction {
    fn check(&self) -> Result<(), String> {
        refuse_if(!self.kind.is_set(), "missing type in Slack action configuration")?;
        refuse_if(!self.text.is_set(), "missing text in Slack action configuration")?;
        refuse_if(
            !self.url.is_set() && !self.name.is_set(),
            "missing name or url in Slack action configuration",
        )?;
        let confirm = self.confirm.as_ref();
        refuse_if(
            confirm.is_some_and(|confirm| !confirm.text.is_set()),
            "missing text in Slack confirmation configuration",
        )
    }
}

impl Entry for SlackConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(false)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_secret_url(self.api_url.as_ref())?;
        check_url(self.app_url.as_deref())?;
        for field in self.fields.iter().flatten() {
            refuse_if(!field.title.is_set(), "missing title in Slack field configuration")?;
            refuse_if(!field.value.is_set(), "missing value in Slack field configuration")?;
        }
        for action in self.actions.iter().flatten() {
            action.check()?;
        }
        at_most_one(self.api_url.is_some(), self.api_url_file.is_set(), "api_url")?;
        at_most_one(self.app_token.is_set(), self.app_token_file.is_set(), "app_token")?;
        let api = self.api_url.is_some() || self.api_url_file.is_set();
        let token = self.app_token.is_set() || self.app_token_file.is_set();
        at_most_one_of(api, token, "api_url/api_url_file", "app_token/app_token_file")?;
        refuse_if(
            self.update_message == Some(true)
                && self.api_url.as_ref().map(Secret::expose) != Some(SLACK_APP_URL),
            "update_message can only be used with bot tokens. api_url must be set to https://slack.com/api/chat.postMessage",
        )?;
        let authorization = self.http_config.as_ref().is_some_and(|http| http.authorization.is_some());
        refuse_if(token && authorization, "http authorization can't be set when using Slack App tokens")?;
        let global_api = global.slack_api_url.is_some() || global.slack_api_url_file.is_set();
        let global_token = global.slack_app_token.is_set() || global.slack_app_token_file.is_set();
        refuse_if(
            !(api || token || global_api || global_token),
            "no Slack API URL nor App token set either inline or in a file",
        )
    }
}
