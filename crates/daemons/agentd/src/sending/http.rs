//! Loki's push API over HTTP: protobuf, snappy.

use std::path::Path;

use bytes::Bytes;
use client::{ClientOptions, HttpClient, HttpClientConfig, read_body};
use http::{HeaderName, HeaderValue, Method, header};
use url::Url;

use super::TransportError;
use crate::config::Client;

const TENANT_HEADER: &str = "X-Scope-OrgID";
/// Bytes of an error's text that are read.
const MAX_ERROR: usize = 64 << 10;
/// Bytes of an error's text that are logged.
const SHOWN_ERROR: usize = 1024;

#[derive(Debug)]
pub(crate) struct HttpTransport {
    client: HttpClient,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl HttpTransport {
    pub(super) fn new(
        url: Url,
        config: &HttpClientConfig,
        client: &Client,
        base_dir: &Path,
    ) -> Result<Self, client::BuildError> {
        let options = ClientOptions {
            timeout: client.timeout,
            user_agent: format!("agentd/{}", service::Version::NUMBER),
            base_dir: base_dir.to_owned(),
        };
        Ok(Self { client: HttpClient::new(config, &options)?, url, headers: client.headers.clone() })
    }

    pub(super) async fn push(&self, request: &Bytes, tenant: Option<&str>) -> Result<usize, TransportError> {
        let no_answer = |error: Box<dyn std::error::Error + Send + Sync>| TransportError::NoAnswer(error);
        let body = wire::snappy_compress(request);
        let size = body.len();
        let mut post = self
            .client
            .request(Method::POST, self.url.clone())
            .map_err(|error| no_answer(error.into()))?
            .header(header::CONTENT_TYPE, "application/x-protobuf");
        if let Some(tenant) = tenant {
            post = post.header(TENANT_HEADER, tenant);
        }
        for (name, value) in &self.headers {
            post = post.header(name, value.clone());
        }
        let response = post.body(body).send().await.map_err(|error| no_answer(error.without_url().into()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(size);
        }
        let text = read_body(response, MAX_ERROR).await.unwrap_or_default();
        let text = String::from_utf8_lossy(text.get(..SHOWN_ERROR).unwrap_or(&text)).trim().to_owned();
        Err(TransportError::Answer { status: status.as_u16(), text })
    }
}
