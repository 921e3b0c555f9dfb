//! Mattermost.

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_secret_url, refuse_if, shape},
};

shape! {
    /// One entry of `mattermost_configs`.
    pub struct MattermostConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        webhook_url: Secret,
        webhook_url_file: String,
        channel: String,
        username: String,
        fallback: String,
        color: String,
        pretext: String,
        text: String,
        author_name: String,
        author_link: String,
        author_icon: String,
        title: String,
        title_link: String,
        fields: Vec<MattermostField>,
        thumb_url: String,
        footer: String,
        footer_icon: String,
        image_url: String,
        icon_url: String,
        icon_emoji: String,
        attachments: Vec<MattermostAttachment>,
        #[serde(rename = "type")]
        kind: String,
        props: MattermostProps,
        priority: MattermostPriority,
    }
}

shape! {
    /// A field of a message.
    pub struct MattermostField {
        title: String,
        value: String,
        short: bool,
    }
}

shape! {
    /// An attachment of a message.
    pub struct MattermostAttachment {
        fallback: String,
        color: String,
        pretext: String,
        text: String,
        author_name: String,
        author_link: String,
        author_icon: String,
        title: String,
        title_link: String,
        fields: Vec<MattermostField>,
        thumb_url: String,
        footer: String,
        footer_icon: String,
        image_url: String,
    }
}

shape! {
    /// `props`.
    pub struct MattermostProps {
        card: String,
    }
}

shape! {
    /// `priority`.
    pub struct MattermostPriority {
        priority: String,
        requested_ack: bool,
        persistent_notifications: bool,
    }
}

impl Entry for MattermostConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_secret_url(self.webhook_url.as_ref())?;
        let attached =
            self.attachments.iter().flatten().flat_map(|attachment| attachment.fields.iter().flatten());
        for field in self.fields.iter().flatten().chain(attached) {
            refuse_if(!field.title.is_set(), "missing title in Mattermost field configuration")?;
            refuse_if(!field.value.is_set(), "missing value in Mattermost field configuration")?;
        }
        let (url, file) = (self.webhook_url.is_set(), self.webhook_url_file.is_set());
        at_most_one(url, file, "webhook_url")?;
        let global = global.mattermost_webhook_url.is_set() || global.mattermost_webhook_url_file.is_set();
        refuse_if(!url && !file && !global, "missing webhook_url or webhook_url_file on mattermost_config")
    }
}
