//! VictorOps, now Splunk On-Call.

use std::collections::BTreeMap;

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `victorops_configs`.
    pub struct VictoropsConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_key: Secret,
        api_key_file: String,
        api_url: String,
        routing_key: String,
        message_type: String,
        state_message: String,
        entity_display_name: String,
        monitoring_tool: String,
        custom_fields: BTreeMap<String, String>,
    }
}

/// Fields of every message.
const RESERVED: [&str; 7] = [
    "routing_key",
    "message_type",
    "state_message",
    "entity_display_name",
    "monitoring_tool",
    "entity_id",
    "entity_state",
];

impl Entry for VictoropsConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        refuse_if(!self.routing_key.is_set(), "missing Routing key in VictorOps config")?;
        let (key, file) = (self.api_key.is_set(), self.api_key_file.is_set());
        at_most_one(key, file, "api_key")?;
        let fields = self.custom_fields.as_ref();
        if let Some(field) =
            RESERVED.iter().find(|field| fields.is_some_and(|fields| fields.contains_key(**field)))
        {
            return Err(format!(
                "victorOps config contains custom field {field} which cannot be used as it conflicts with the fixed/static fields"
            ));
        }
        let global = global.victorops_api_key.is_set() || global.victorops_api_key_file.is_set();
        refuse_if(!key && !file && !global, "no global VictorOps API Key set")
    }
}
