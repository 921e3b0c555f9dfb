//! Opsgenie.

use std::collections::BTreeMap;

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `opsgenie_configs`.
    pub struct OpsgenieConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_key: Secret,
        api_key_file: String,
        api_url: String,
        message: String,
        description: String,
        source: String,
        details: BTreeMap<String, String>,
        entity: String,
        responders: Vec<OpsgenieResponder>,
        actions: String,
        tags: String,
        note: String,
        priority: String,
        update_alerts: bool,
    }
}

shape! {
    /// Who is to respond.
    pub struct OpsgenieResponder {
        id: String,
        name: String,
        username: String,
        #[serde(rename = "type")]
        kind: String,
    }
}

impl OpsgenieResponder {
    fn check(&self) -> Result<(), String> {
        let who = [&self.id, &self.name, &self.username].into_iter().find(|who| who.is_set());
        let Some(Some(who)) = who else {
            return Err(
                "opsGenieConfig responder has to have at least one of id, username or name specified".into(),
            );
        };
        let kind = self.kind.as_deref().unwrap_or_default().to_lowercase();
        let is_known = matches!(kind.as_str(), "team" | "teams" | "user" | "escalation" | "schedule");
        if !is_known && !kind.contains("{{") {
            return Err(format!(
                "opsGenieConfig responder {who} type does not match valid options ^(team|teams|user|escalation|schedule)$"
            ));
        }
        Ok(())
    }
}

impl Entry for OpsgenieConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        let (key, file) = (self.api_key.is_set(), self.api_key_file.is_set());
        at_most_one(key, file, "api_key")?;
        for responder in self.responders.iter().flatten() {
            responder.check()?;
        }
        let global = global.opsgenie_api_key.is_set() || global.opsgenie_api_key_file.is_set();
        refuse_if(!key && !file && !global, "no global OpsGenie API Key set either inline or in a file")
    }
}
