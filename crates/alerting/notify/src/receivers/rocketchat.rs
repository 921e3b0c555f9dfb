//! Rocket.Chat.

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `rocketchat_configs`.
    pub struct RocketchatConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: String,
        token_id: Secret,
        token_id_file: String,
        token: Secret,
        token_file: String,
        channel: String,
        color: String,
        title: String,
        title_link: String,
        text: String,
        fields: Vec<RocketchatField>,
        short_fields: bool,
        emoji: String,
        icon_url: String,
        image_url: String,
        thumb_url: String,
        link_names: bool,
        actions: Vec<RocketchatAction>,
    }
}

shape! {
    /// A field of a message.
    pub struct RocketchatField {
        short: bool,
        title: String,
        value: String,
    }
}

shape! {
    /// A button of a message. The original reads these keys in lower case without separators.
    pub struct RocketchatAction {
        #[serde(rename = "type")]
        kind: String,
        text: String,
        url: String,
        imageurl: String,
        iswebview: bool,
        webviewheightratio: String,
        msg: String,
        msginchatwindow: bool,
        msgprocessingtype: String,
    }
}

impl Entry for RocketchatConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(false)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        let (token, file) = (self.token.is_set(), self.token_file.is_set());
        at_most_one(token, file, "token")?;
        let (id, id_file) = (self.token_id.is_set(), self.token_id_file.is_set());
        at_most_one(id, id_file, "token_id")?;
        let global_id = global.rocketchat_token_id.is_set() || global.rocketchat_token_id_file.is_set();
        refuse_if(
            !id && !id_file && !global_id,
            "no global Rocketchat TokenID set either inline or in a file",
        )?;
        let global_token = global.rocketchat_token.is_set() || global.rocketchat_token_file.is_set();
        refuse_if(
            !token && !file && !global_token,
            "no global Rocketchat Token set either inline or in a file",
        )
    }
}
