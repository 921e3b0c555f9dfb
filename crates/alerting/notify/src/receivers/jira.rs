//! Jira.

use std::collections::BTreeMap;

use client::HttpClientConfig;
use config::PromDuration;
use serde::{Deserialize, Serialize};

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `jira_configs`.
    pub struct JiraConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: String,
        api_type: String,
        project: String,
        summary: JiraField,
        description: JiraField,
        labels: Vec<String>,
        priority: String,
        issue_type: String,
        reopen_transition: String,
        resolve_transition: String,
        wont_fix_resolution: String,
        reopen_duration: PromDuration,
        fields: BTreeMap<String, serde_json::Value>,
    }
}

/// A field of an issue: its template, or the template with what to do on updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum JiraField {
    /// The template alone.
    Template(String),
    /// With settings.
    Settings {
        /// The template.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
        /// Whether updates of an issue set the field.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enable_update: Option<bool>,
    },
}

impl Entry for JiraConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        refuse_if(!self.project.is_set(), "missing project in jira_config")?;
        refuse_if(!self.issue_type.is_set(), "missing issue_type in jira_config")?;
        refuse_if(
            !matches!(self.api_type.as_deref(), None | Some("auto" | "cloud" | "datacenter")),
            "unknown api_type on jira_config, must be auto, cloud or datacenter",
        )?;
        refuse_if(!self.api_url.is_set() && !global.jira_api_url.is_set(), "no global Jira Cloud URL set")
    }
}
