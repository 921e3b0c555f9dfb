//! PagerDuty, by its events API.

use std::collections::BTreeMap;

use client::HttpClientConfig;
use config::{GoDuration, Secret};

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `pagerduty_configs`.
    pub struct PagerdutyConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        service_key: Secret,
        service_key_file: String,
        routing_key: Secret,
        routing_key_file: String,
        url: String,
        client: String,
        client_url: String,
        description: String,
        details: BTreeMap<String, serde_json::Value>,
        images: Vec<PagerdutyImage>,
        links: Vec<PagerdutyLink>,
        source: String,
        severity: String,
        class: String,
        component: String,
        group: String,
        timeout: GoDuration,
    }
}

shape! {
    /// A picture.
    pub struct PagerdutyImage {
        src: String,
        alt: String,
        href: String,
    }
}

shape! {
    /// A link.
    pub struct PagerdutyLink {
        href: String,
        text: String,
    }
}

impl Entry for PagerdutyConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.url.as_deref())?;
        let (routing, routing_file) = (self.routing_key.is_set(), self.routing_key_file.is_set());
        let (service, service_file) = (self.service_key.is_set(), self.service_key_file.is_set());
        refuse_if(
            !(routing || routing_file || service || service_file),
            "missing service or routing key in PagerDuty config",
        )?;
        at_most_one(routing, routing_file, "routing_key")?;
        at_most_one(service, service_file, "service_key")
    }
}
