//! One JSON object a request, with Traefik's field names.

use std::time::Duration;

use http::HeaderMap;
use jiff::{Timestamp, tz::TimeZone};
use middleware::Facts;
use serde_json::{Map, Value};

use crate::{
    config::settings::{AccessLogSettings, FieldMode},
    observe::Exchange,
};

const REDACTED: &str = "REDACTED";

pub(super) fn line(
    settings: &AccessLogSettings,
    exchange: &Exchange,
    facts: &Facts,
    duration: Duration,
    count: u64,
) -> String {
    let request = &exchange.facts;
    let started = Timestamp::try_from(exchange.started_at).unwrap_or_default();
    let local = started.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.9f%:z").to_string();
    let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let (host, port) = match request.host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (request.host.as_str(), "-"),
    };
    let mut fields = Fields { settings, map: Map::new() };
    fields.put("ClientAddr", request.client.address.to_string());
    fields.put("ClientHost", request.client.address.ip().to_string());
    fields.put("ClientPort", request.client.address.port().to_string());
    fields.put("ClientUsername", facts.user.clone().unwrap_or_else(|| "-".to_owned()));
    fields.put("DownstreamContentSize", exchange.response_bytes);
    fields.put("DownstreamStatus", exchange.status);
    fields.put("Duration", nanos(duration));
    if facts.origin_status != 0 {
        fields.put("OriginContentSize", exchange.response_bytes);
        fields.put("OriginStatus", facts.origin_status);
    }
    fields.put("OriginDuration", nanos(facts.origin_duration));
    fields.put("Overhead", nanos(duration.saturating_sub(facts.origin_duration)));
    fields.put("RequestAddr", request.host.clone());
    fields.put("RequestContentSize", exchange.request_bytes.load(std::sync::atomic::Ordering::Relaxed));
    fields.put("RequestCount", count);
    fields.put("RequestHost", host);
    fields.put("RequestMethod", request.method.as_str());
    fields.put("RequestPath", request.target.clone());
    fields.put("RequestPort", port);
    fields.put("RequestProtocol", request.version);
    fields.put("RequestScheme", if request.tls.is_some() { "https" } else { "http" });
    fields.put("RetryAttempts", facts.retries);
    if let Some(router) = &facts.router {
        fields.put("RouterName", &**router);
    }
    if let Some(service) = &facts.service {
        fields.put("ServiceName", &**service);
    }
    if let Some(server) = &facts.server {
        fields.put("ServiceURL", &**server);
        fields.put("ServiceAddr", server.split_once("://").map_or(&**server, |(_, address)| address));
    }
    fields.put("StartLocal", local);
    fields.put("StartUTC", started.to_string());
    if let Some(tls) = request.tls {
        fields.put("TLSVersion", tls.version);
        fields.put("TLSCipher", tls.cipher);
    }
    fields.put("entryPointName", &*request.entry_point);
    fields.headers("request", &request.headers);
    fields.headers("downstream", &exchange.response_headers);
    let mut map = fields.map;
    map.insert("level".to_owned(), "info".into());
    map.insert("msg".to_owned(), "".into());
    map.insert("time".to_owned(), Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    Value::Object(map).to_string()
}

struct Fields<'s> {
    settings: &'s AccessLogSettings,
    map: Map<String, Value>,
}

impl Fields<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = match self.settings.field(name) {
            FieldMode::Keep => value.into(),
            FieldMode::Redact => REDACTED.into(),
            FieldMode::Drop => return,
        };
        self.map.insert(name.to_owned(), value);
    }

    fn headers(&mut self, prefix: &str, headers: &HeaderMap) {
        for (name, value) in headers {
            let value = match self.settings.header(name.as_str()) {
                FieldMode::Keep => String::from_utf8_lossy(value.as_bytes()).into_owned(),
                FieldMode::Redact => REDACTED.to_owned(),
                FieldMode::Drop => continue,
            };
            self.map.insert(format!("{prefix}_{}", canonical(name.as_str())), value.into());
        }
    }
}

/// `user-agent` as Go writes it: `User-Agent`.
fn canonical(name: &str) -> String {
    let mut at_start = true;
    name.chars()
        .map(|c| {
            let c = if at_start { c.to_ascii_uppercase() } else { c };
            at_start = c == '-';
            c
        })
        .collect()
}
