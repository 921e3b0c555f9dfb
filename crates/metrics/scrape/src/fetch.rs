//! One HTTP request for a target's metrics.

use bytes::Bytes;
use client::{BodyError, HttpClient, SendError, read_body};
use http::{HeaderMap, Method, StatusCode, header};

use crate::{JobConfig, ScrapeProtocol, Target, exposition::Format};

/// Largest answer where the configuration sets no limit: nothing a target sends may take the daemon down.
const BODY_LIMIT: usize = 1 << 30;

/// An answer.
#[derive(Debug)]
pub(crate) struct Exposition {
    pub body: Bytes,
    pub format: Format,
}

/// Why a scrape got no exposition. The texts show up as `lastError` of the target.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("server returned HTTP status {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Body(BodyError),
    #[error("body size limit of {0} bytes exceeded")]
    BodyTooLarge(usize),
    #[error(
        "non-compliant scrape target sending {0} Content-Type and no fallback_scrape_protocol specified for target"
    )]
    ContentType(String),
}

/// Asks for a target's metrics in the formats of the job.
pub(crate) async fn fetch(
    client: &HttpClient,
    job: &JobConfig,
    target: &Target,
) -> Result<Exposition, FetchError> {
    let mut request = client
        .request(Method::GET, target.url.clone())?
        .timeout(target.timeout)
        .header(header::ACCEPT, accept(&job.protocols))
        .header("X-Prometheus-Scrape-Timeout-Seconds", target.timeout.as_secs_f64().to_string());
    if !job.enable_compression {
        request = request.header(header::ACCEPT_ENCODING, "identity");
    }
    let response = request.send().await.map_err(SendError::Request)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let format = format_of(response.headers(), job.fallback_protocol)?;
    let limit = match job.limits.body_size {
        0 => BODY_LIMIT,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let body = read_body(response, limit).await.map_err(|error| match error {
        BodyError::TooLarge { limit } => FetchError::BodyTooLarge(limit),
        other => FetchError::Body(other),
    })?;
    Ok(Exposition { body, format })
}

/// The `Accept` header: the formats with falling weights, then anything.
fn accept(protocols: &[ScrapeProtocol]) -> String {
    let mut text = String::new();
    let mut weight = protocols.len() + 1;
    for protocol in protocols {
        let media = match protocol {
            ScrapeProtocol::PrometheusProto => continue,
            ScrapeProtocol::OpenMetricsText001 => "application/openmetrics-text;version=0.0.1",
            ScrapeProtocol::OpenMetricsText100 => {
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"
            }
            ScrapeProtocol::PrometheusText100 => "text/plain;version=1.0.0;escaping=allow-utf-8",
            ScrapeProtocol::PrometheusText004 => "text/plain;version=0.0.4",
        };
        text.push_str(&format!("{media};q=0.{weight},"));
        weight -= 1;
    }
    text.push_str(&format!("*/*;q=0.{weight}"));
    text
}

fn format_of(headers: &HeaderMap, fallback: Option<ScrapeProtocol>) -> Result<Format, FetchError> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match (media.as_str(), fallback) {
        ("text/plain", _) => Ok(Format::Text),
        ("application/openmetrics-text", _) => Ok(Format::OpenMetrics),
        (_, Some(ScrapeProtocol::OpenMetricsText001 | ScrapeProtocol::OpenMetricsText100)) => {
            Ok(Format::OpenMetrics)
        }
        (_, Some(ScrapeProtocol::PrometheusText004 | ScrapeProtocol::PrometheusText100)) => Ok(Format::Text),
        (_, Some(ScrapeProtocol::PrometheusProto) | None) => {
            Err(FetchError::ContentType(if text.is_empty() {
                "blank".into()
            } else {
                format!("unsupported {text:?}")
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_falls_in_weight() {
        let text = accept(&[ScrapeProtocol::OpenMetricsText100, ScrapeProtocol::PrometheusText004]);
        assert_eq!(
            text,
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
        );
    }

    #[test]
    fn a_content_type_is_needed() {
        let check = |value: Option<&str>, fallback, want: Option<Format>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::CONTENT_TYPE, value.parse().expect("value"));
            }
            assert_eq!(format_of(&headers, fallback).ok(), want, "{value:?}");
        };
        check(Some("text/plain; version=0.0.4"), None, Some(Format::Text));
        check(Some("application/openmetrics-text; version=1.0.0"), None, Some(Format::OpenMetrics));
        check(Some("text/html"), None, None);
        check(None, None, None);
        check(Some("text/html"), Some(ScrapeProtocol::PrometheusText004), Some(Format::Text));
    }
}
