//! Webhooks: a POST of JSON to any address.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use client::{HttpClient, HttpClientConfig, read_body};
use config::{GoDuration, Secret};
use http::{Method, header};
use serde::Serialize;
use serde_json::Value as Json;
use url::Url;

use super::{
    BuildContext, Entry, GlobalConfig, ReceiverError,
    shape::{IsSet, at_most_one, check_http, check_secret_url, refuse_if, shape},
};
use crate::{Data, Message, Notifier, NotifyError, Templates, templates::RenderError};

/// Bytes of a failed answer that go into the error.
const MAX_DETAILS: usize = 4 << 10;
/// Deepest nesting of a payload: files are not nested deeper, but what templates make might be.
const MAX_PAYLOAD_DEPTH: usize = 64;

shape! {
    /// One entry of `webhook_configs`.
    pub struct WebhookConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        url: Secret,
        url_file: String,
        max_alerts: u64,
        timeout: GoDuration,
        payload: Json,
    }
}

/// The body, version 4 of its protocol.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    data: &'a Data,
    version: &'static str,
    #[serde(rename = "groupKey")]
    group_key: &'a str,
    #[serde(rename = "truncatedAlerts")]
    truncated_alerts: u64,
}

struct Webhook {
    client: HttpClient,
    templates: Templates,
    url: Address,
    max_alerts: usize,
    timeout: Duration,
    payload: Option<Json>,
}

/// Where the URL, a template, is written.
enum Address {
    Inline(Secret),
    File(PathBuf),
}

impl Entry for WebhookConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_secret_url(self.url.as_ref())?;
        let (url, file) = (self.url.is_set(), self.url_file.is_set());
        refuse_if(!url && !file, "one of url or url_file must be configured")?;
        at_most_one(url, file, "url")
    }

    fn build(&self, context: &BuildContext<'_>) -> Result<Option<Arc<dyn Notifier>>, ReceiverError> {
        let url = match (&self.url, &self.url_file) {
            (_, Some(file)) if !file.is_empty() => Address::File(context.base_dir.join(file)),
            (url, _) => Address::Inline(url.clone().unwrap_or_default()),
        };
        Ok(Some(Arc::new(Webhook {
            client: context.client(self.http_config.as_ref())?,
            templates: context.templates.clone(),
            url,
            max_alerts: usize::try_from(self.max_alerts.unwrap_or(0)).unwrap_or(usize::MAX),
            timeout: self.timeout.map_or(Duration::ZERO, |timeout| timeout.0),
            payload: self.payload.clone(),
        })))
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn notify(&self, message: &Message) -> Result<(), NotifyError> {
        let (data, truncated_alerts) = self.truncated(message);
        let data = data.as_ref().unwrap_or(&message.data);
        let body = match &self.payload {
            Some(payload) => encode(&self.render_payload(payload, data, 0)?)?,
            None => encode(&Body { data, version: "4", group_key: &message.group_key, truncated_alerts })?,
        };
        let url = self.url(data)?;
        let exchange = self.post(url, body);
        if self.timeout.is_zero() {
            return exchange.await;
        }
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| {
            Err(NotifyError::Timeout(format!("the configured timeout of {}", GoDuration(self.timeout))))
        })
    }
}

impl Webhook {
    /// The data with `max_alerts` alerts at most, if that changes it, and how many were left out.
    fn truncated(&self, message: &Message) -> (Option<Data>, u64) {
        let left_out = message.data.alerts.len().saturating_sub(self.max_alerts);
        if self.max_alerts == 0 || left_out == 0 {
            return (None, 0);
        }
        (Some(message.data.truncated(self.max_alerts)), left_out as u64)
    }

    fn url(&self, data: &Data) -> Result<Url, NotifyError> {
        let text = match &self.url {
            Address::Inline(url) => url.expose().to_owned(),
            Address::File(path) => std::fs::read_to_string(path)
                .map_err(|source| NotifyError::File { path: path.display().to_string(), source })?,
        };
        let text = self.render("url", text.trim(), data)?;
        if text.is_empty() {
            return Err(NotifyError::Value("webhook URL is empty after templating".into()));
        }
        Url::parse(&text).map_err(|error| NotifyError::Value(format!("the webhook URL is none: {error}")))
    }

    fn render(&self, key: &'static str, text: &str, data: &Data) -> Result<String, NotifyError> {
        self.templates.render(key, text, data).map_err(|error| match error {
            RenderError::Execute(source) => NotifyError::Template { template: key, source },
            RenderError::Parse(error) => NotifyError::Value(format!("{key} is no template: {error}")),
        })
    }

    /// A payload with all its texts, keys included, run as templates. A text that becomes YAML of another kind than a text is that.
    fn render_payload(&self, payload: &Json, data: &Data, depth: usize) -> Result<Json, NotifyError> {
        if depth > MAX_PAYLOAD_DEPTH {
            return Err(NotifyError::Value("the payload is nested too deeply".into()));
        }
        Ok(match payload {
            Json::String(text) => {
                let text = self.render("payload", text, data)?;
                match serde_yaml::from_str::<Json>(&text) {
                    Ok(value) if !value.is_string() => value,
                    _ => Json::String(text),
                }
            }
            Json::Array(items) => Json::Array(
                items
                    .iter()
                    .map(|item| self.render_payload(item, data, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(entries) => {
                let mut rendered = serde_json::Map::new();
                for (key, value) in entries {
                    let key = self.render("payload", key, data)?;
                    rendered.insert(key, self.render_payload(value, data, depth + 1)?);
                }
                Json::Object(rendered)
            }
            other => other.clone(),
        })
    }

    async fn post(&self, url: Url, body: Vec<u8>) -> Result<(), NotifyError> {
        let request = self
            .client
            .request(Method::POST, url)
            .map_err(|error| NotifyError::Request(Box::new(error)))?
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        // The URL may hold a secret.
        let response =
            request.send().await.map_err(|error| NotifyError::Request(Box::new(error.without_url())))?;
        let status = response.status();
        if status.is_success() {
            // Read to the end, so that the connection can be used again.
            let _ = read_body(response, MAX_DETAILS).await;
            return Ok(());
        }
        let details = read_body(response, MAX_DETAILS).await.unwrap_or_default();
        let details = String::from_utf8_lossy(&details).trim().to_owned();
        let details = if details.is_empty() { details } else { format!(": {details}") };
        Err(NotifyError::Status { status, details })
    }
}

/// JSON as Go's encoder writes it: `<`, `>`, `&` and two line separators escaped, a newline at the end.
fn encode(value: &impl Serialize) -> Result<Vec<u8>, NotifyError> {
    let plain = serde_json::to_string(value)
        .map_err(|error| NotifyError::Value(format!("BUG: the body cannot be encoded: {error}")))?;
    let mut text = String::with_capacity(plain.len() + 64);
    for c in plain.chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    text.push('\n');
    Ok(text.into_bytes())
}
