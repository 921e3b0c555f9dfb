//! Receivers: every kind of destination, one file each and one line here.

mod build;
mod discord;
mod email;
mod global;
mod incidentio;
mod jira;
mod mattermost;
mod msteams;
mod msteamsv2;
mod opsgenie;
mod pagerduty;
mod pushover;
mod rocketchat;
mod shape;
mod slack;
mod sns;
mod telegram;
mod unsupported;
mod victorops;
mod webex;
mod webhook;
mod wechat;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use config::{Warnings, null_as_default};
use serde::{Deserialize, Serialize};

use crate::{Integration, Notifier};
pub use build::{BuildContext, ReceiverError};
pub use global::GlobalConfig;

/// An entry of a receiver, of any kind.
trait Entry {
    /// Whether it is told about alerts that are over.
    fn sends_resolved(&self) -> bool;

    /// Refuses what does not hold, in the original's words.
    fn check(&self, global: &GlobalConfig) -> Result<(), String>;

    /// What delivers; `None` where that is not supported yet.
    fn build(&self, context: &BuildContext<'_>) -> Result<Option<Arc<dyn Notifier>>, ReceiverError> {
        let _ = context;
        Ok(None)
    }
}

macro_rules! receivers {
    ($($key:ident: $type:ty = $name:literal, $missing:expr;)*) => {
        /// The kinds of destinations, as metrics name them.
        pub(crate) const INTEGRATIONS: &[&str] = &[$($name),*];

        /// One entry of `receivers`, as written.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct ReceiverFile {
            /// Unique.
            pub name: String,
            /// Labels to find the receiver by.
            #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
            pub labels: BTreeMap<String, String>,
            $(
                #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
                $key: Vec<Option<$type>>,
            )*
        }

        impl ReceiverFile {
            /// Every entry: its key, its kind, which of its kind it is, and what to say if there is nothing in it.
            fn entries(&self) -> Vec<(&'static str, &'static str, usize, Result<&dyn Entry, &'static str>)> {
                let mut entries = Vec::new();
                $(
                    for (at, entry) in self.$key.iter().enumerate() {
                        let entry = entry.as_ref().map(|entry| entry as &dyn Entry).ok_or($missing);
                        entries.push((stringify!($key), $name, at, entry));
                    }
                )*
                entries
            }
        }
    };
}

receivers! {
    webhook_configs: webhook::WebhookConfig = "webhook", "missing webhook config";
    email_configs: email::EmailConfig = "email", "missing email config";
    slack_configs: slack::SlackConfig = "slack", "missing slack config";
    pagerduty_configs: pagerduty::PagerdutyConfig = "pagerduty", "missing pagerduty config";
    opsgenie_configs: opsgenie::OpsgenieConfig = "opsgenie", "missing opsgenie config";
    wechat_configs: wechat::WechatConfig = "wechat", "missing wechat config";
    pushover_configs: pushover::PushoverConfig = "pushover", "missing pushover config";
    victorops_configs: victorops::VictoropsConfig = "victorops", "missing victorops config";
    sns_configs: sns::SnsConfig = "sns", "missing sns config";
    telegram_configs: telegram::TelegramConfig = "telegram", "missing telegram config";
    discord_configs: discord::DiscordConfig = "discord", "missing discord config";
    webex_configs: webex::WebexConfig = "webex", "missing webex config";
    msteams_configs: msteams::MsteamsConfig = "msteams", "missing msteams config";
    msteamsv2_configs: msteamsv2::Msteamsv2Config = "msteamsv2", "missing msteamsv2 config";
    jira_configs: jira::JiraConfig = "jira", "missing jira config";
    incidentio_configs: incidentio::IncidentioConfig = "incidentio", "missing incidentio config";
    rocketchat_configs: rocketchat::RocketchatConfig = "rocketchat", "missing rocketchat config";
    mattermost_configs: mattermost::MattermostConfig = "mattermost", "missing mattermost config";
}

impl ReceiverFile {
    /// Refuses what does not hold. What cannot be delivered yet goes to `warnings`.
    pub fn check(&self, global: &GlobalConfig, warnings: &mut Warnings) -> Result<(), ReceiverError> {
        if self.name.is_empty() {
            return Err(ReceiverError::new("missing name in receiver"));
        }
        if let Some(name) = self.labels.get("name").filter(|name| **name != self.name) {
            return Err(ReceiverError::new(format!(
                "receiver label \"name\" must match receiver name {:?}, got {name:?}",
                self.name
            )));
        }
        for (key, _, _, entry) in self.entries() {
            let entry = entry.map_err(ReceiverError::new)?;
            entry.check(global).map_err(|text| ReceiverError::new(format!("{key}: {text}")))?;
        }
        let mut unsupported: Vec<&str> =
            self.entries().iter().map(|(key, ..)| *key).filter(|key| !build::is_supported(key)).collect();
        unsupported.dedup();
        for key in unsupported {
            warnings.push("receivers", format!("not supported yet: {key} of receiver {:?}", self.name));
        }
        Ok(())
    }

    /// What delivers to the receiver. Call [`ReceiverFile::check`] before.
    pub fn build(&self, context: &BuildContext<'_>) -> Result<Vec<Integration>, ReceiverError> {
        let mut integrations = Vec::new();
        for (key, name, index, entry) in self.entries() {
            let entry = entry.map_err(ReceiverError::new)?;
            let notifier = match entry.build(context).map_err(|error| error.in_entry(key, index))? {
                Some(notifier) => notifier,
                None => unsupported::notifier(key, &self.name),
            };
            integrations.push(Integration { name, index, send_resolved: entry.sends_resolved(), notifier });
        }
        Ok(integrations)
    }

    /// Its labels, with the one that is its name.
    pub fn all_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert("name".to_owned(), self.name.clone());
        labels
    }
}
