//! HTTP to data sources: one client a data source, with its credentials, headers and certificates.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use client::{BodyError, BuildError, ClientOptions, HttpClient, HttpClientConfig, SendError};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use url::Url;

use crate::model::DataSource;

/// Largest answer that is read whole, in bytes. (The proxy streams and has no such limit.)
pub(crate) const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Clients kept; they are cheap to make again.
const MAX_CLIENTS: usize = 256;
/// Numbered header settings that are looked at: `httpHeaderName1`, …
const MAX_HEADERS: usize = 100;

/// The clients of all data sources, made when they are first needed.
pub(crate) struct Upstreams {
    clients: Mutex<HashMap<u64, (u64, Arc<Upstream>)>>,
    timeout: Duration,
}

/// One data source's client.
pub(crate) struct Upstream {
    name: String,
    base: Url,
    client: HttpClient,
    custom_parameters: Vec<(String, String)>,
    timeout: Duration,
}

/// Why a data source could not be asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Its address is not one.
    #[error("data source {name} has no usable url: {url:?}")]
    Url {
        /// Its name.
        name: String,
        /// Its address.
        url: String,
    },
    /// Its settings contradict each other.
    #[error("data source {name} has settings that cannot be used")]
    Settings {
        /// Its name.
        name: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The path leads out of the data source.
    #[error("the path must not hold `..`")]
    Path,
    /// The request could not be made.
    #[error("cannot ask data source {name}")]
    Prepare {
        /// Its name.
        name: String,
        /// The cause.
        source: SendError,
    },
    /// It did not answer in time.
    #[error("data source {name} did not answer within {seconds} seconds")]
    Timeout {
        /// Its name.
        name: String,
        /// The time it had.
        seconds: f64,
    },
    /// It could not be reached, or hung up.
    #[error("data source {name} cannot be reached")]
    Unreachable {
        /// Its name.
        name: String,
        /// The cause, without the address: that may hold a password.
        source: reqwest::Error,
    },
    /// Its answer could not be read.
    #[error("data source {name} sent an answer that cannot be read")]
    Body {
        /// Its name.
        name: String,
        /// The cause.
        source: BodyError,
    },
}

impl UpstreamError {
    /// The status to answer with.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Path => StatusCode::BAD_REQUEST,
            Self::Url { .. } | Self::Settings { .. } | Self::Prepare { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable { .. } | Self::Body { .. } => StatusCode::BAD_GATEWAY,
        }
    }
}

impl Upstreams {
    /// `timeout` is for data sources that do not have their own.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { clients: Mutex::default(), timeout }
    }

    /// The client of a data source.
    pub(crate) fn of(&self, source: &DataSource) -> Result<Arc<Upstream>, UpstreamError> {
        if let Some((version, upstream)) = self.clients.lock().get(&source.id)
            && *version == source.version
        {
            return Ok(upstream.clone());
        }
        let upstream = Arc::new(Upstream::new(source, self.timeout)?);
        let mut clients = self.clients.lock();
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(source.id, (source.version, upstream.clone()));
        Ok(upstream)
    }
}

impl Upstream {
    fn new(source: &DataSource, default_timeout: Duration) -> Result<Self, UpstreamError> {
        let name = source.name.clone();
        let settings = |cause: Box<dyn std::error::Error + Send + Sync>| UpstreamError::Settings {
            name: source.name.clone(),
            source: cause,
        };
        let base = Url::parse(source.url.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| UpstreamError::Url { name: name.clone(), url: without_password(&source.url) })?;
        let timeout = source
            .setting("timeout")
            .and_then(|text| text.parse().ok())
            .filter(|seconds| (1..=3600).contains(seconds))
            .map(Duration::from_secs)
            .or_else(|| source.setting("queryTimeout").and_then(|text| config::parse_go(&text).ok()))
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(default_timeout);
        let config: HttpClientConfig =
            serde_json::from_value(client_config(source)).map_err(|error| settings(error.into()))?;
        let options = ClientOptions {
            timeout,
            user_agent: format!("uid/{}", service::Version::NUMBER),
            base_dir: PathBuf::new(),
        };
        let client =
            HttpClient::new(&config, &options).map_err(|error: BuildError| settings(error.into()))?;
        let custom_parameters = source.setting("customQueryParameters").map_or_else(Vec::new, |text| {
            url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
        });
        Ok(Self { name, base, client, custom_parameters, timeout })
    }

    /// Parameters that every query carries, from `customQueryParameters`.
    pub(crate) fn custom_parameters(&self) -> &[(String, String)] {
        &self.custom_parameters
    }

    /// The address of a path below the data source's own. The path is taken as it was sent, percent signs and all.
    pub(crate) fn url(&self, path: &str, query: Option<&str>) -> Result<Url, UpstreamError> {
        let climbs = |segment: &str| {
            let segment = segment.to_ascii_lowercase().replace("%2e", ".");
            segment == ".." || segment == "."
        };
        if path.split(['/', '\\']).any(climbs) {
            return Err(UpstreamError::Path);
        }
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), path.trim_start_matches('/')));
        url.set_query(query.filter(|query| !query.is_empty()));
        url.set_fragment(None);
        Ok(url)
    }

    /// Starts a request with the data source's credentials and headers.
    pub(crate) fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, UpstreamError> {
        self.client
            .request(method, url)
            .map_err(|source| UpstreamError::Prepare { name: self.name.clone(), source })
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, UpstreamError> {
        request.send().await.map_err(|error| self.failed(error))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn fetch(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Bytes), UpstreamError> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = client::read_body(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
            BodyError::Read(error) => self.failed(error),
            source => UpstreamError::Body { name: self.name.clone(), source },
        })?;
        Ok((status, body))
    }

    fn failed(&self, error: reqwest::Error) -> UpstreamError {
        let name = self.name.clone();
        if error.is_timeout() {
            return UpstreamError::Timeout { name, seconds: self.timeout.as_secs_f64() };
        }
        UpstreamError::Unreachable { name, source: error.without_url() }
    }
}

fn without_password(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}

/// The data source's settings as those of our client.
fn client_config(source: &DataSource) -> Value {
    let mut config = Map::new();
    config.insert("follow_redirects".into(), false.into());
    if source.basic_auth {
        let password = source.secret("basicAuthPassword").map_or("", |secret| secret.expose());
        config.insert("basic_auth".into(), json!({"username": source.basic_auth_user, "password": password}));
    }
    let mut tls = Map::new();
    if source.flag("tlsSkipVerify") {
        tls.insert("insecure_skip_verify".into(), true.into());
    }
    let mut pem = |flag: &str, secret: &str, key: &str| {
        if source.flag(flag)
            && let Some(pem) = source.secret(secret)
        {
            tls.insert(key.into(), pem.expose().into());
        }
    };
    pem("tlsAuthWithCACert", "tlsCACert", "ca");
    pem("tlsAuth", "tlsClientCert", "cert");
    pem("tlsAuth", "tlsClientKey", "key");
    if let Some(name) = source.setting("serverName").filter(|_| source.flag("tlsAuth")) {
        tls.insert("server_name".into(), name.into());
    }
    if !tls.is_empty() {
        config.insert("tls_config".into(), tls.into());
    }
    let mut headers = Map::new();
    for number in 1..=MAX_HEADERS {
        let Some(name) = source.setting(&format!("httpHeaderName{number}")) else { break };
        if let Some(secret) = source.secret(&format!("httpHeaderValue{number}")) {
            headers.insert(name, json!({"secrets": [secret.expose()]}));
        }
    }
    if !headers.is_empty() {
        config.insert("http_headers".into(), headers.into());
    }
    config.into()
}
