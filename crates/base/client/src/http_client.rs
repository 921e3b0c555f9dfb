//! A client with its settings applied.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use config::Secret;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::{Certificate, Identity, NoProxy, Proxy, RequestBuilder, Url, redirect, tls};

use crate::{HttpClientConfig, HttpClientConfigError, TlsConfig};

/// Redirects that are followed, as Go's client does.
const MAX_REDIRECTS: usize = 10;

/// What the caller adds to the configuration.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Time for a whole request.
    pub timeout: Duration,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Paths in the configuration are relative to this folder: that of the configuration file.
    pub base_dir: PathBuf,
}

/// An HTTP client with authentication. Cheap to clone; connections are pooled.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    credentials: Credentials,
    headers: Vec<(HeaderName, HeaderSource)>,
}

#[derive(Debug, Clone)]
enum Credentials {
    None,
    Basic { user: Source, password: Source },
    Scheme { scheme: String, credentials: Source },
}

/// A value that stands in the configuration or in a file of its own.
#[derive(Debug, Clone)]
enum Source {
    Inline(Secret),
    File(PathBuf),
}

#[derive(Debug, Clone)]
enum HeaderSource {
    Inline(HeaderValue),
    File(PathBuf),
}

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The settings contradict each other.
    #[error(transparent)]
    Config(#[from] HttpClientConfigError),
    /// A certificate or key cannot be read.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A value does not hold.
    #[error("{key} does not hold")]
    Value {
        /// The key.
        key: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A file with a secret cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A secret cannot be part of a header.
    #[error("credentials are not a valid header value")]
    Header,
    /// The request failed: no connection, no answer in time, a broken answer.
    #[error("request failed")]
    Request(#[source] reqwest::Error),
}

impl HttpClient {
    /// Checks the settings and reads the certificates.
    pub fn new(config: &HttpClientConfig, options: &ClientOptions) -> Result<Self, BuildError> {
        config.check()?;
        let base = options.base_dir.as_path();
        let redirects = if config.follow_redirects.unwrap_or(true) {
            redirect::Policy::limited(MAX_REDIRECTS)
        } else {
            redirect::Policy::none()
        };
        let mut builder = reqwest::Client::builder()
            .timeout(options.timeout)
            .user_agent(&options.user_agent)
            .redirect(redirects);
        if !config.enable_http2.unwrap_or(true) {
            builder = builder.http1_only();
        }
        if let Some(url) = &config.proxy_url {
            let proxy = Proxy::all(url).map_err(value("proxy_url"))?;
            let except = config.no_proxy.as_deref().and_then(NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(except));
        } else if config.proxy_from_environment != Some(true) {
            builder = builder.no_proxy();
        }
        if let Some(tls) = &config.tls_config {
            builder = apply_tls(builder, tls, base)?;
        }
        let client = builder.build().map_err(value("tls_config"))?;
        Ok(Self { client, credentials: Credentials::of(config, base), headers: headers(config, base)? })
    }

    /// Starts a request, with credentials and configured headers. Secrets in files are read now.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, SendError> {
        let mut request = self.client.request(method, url);
        request = match &self.credentials {
            Credentials::None => request,
            Credentials::Basic { user, password } => request.basic_auth(user.read()?, Some(password.read()?)),
            Credentials::Scheme { scheme, credentials } => {
                let mut value = HeaderValue::from_str(&format!("{scheme} {}", credentials.read()?))
                    .map_err(|_| SendError::Header)?;
                value.set_sensitive(true);
                request.header(header::AUTHORIZATION, value)
            }
        };
        let mut headers = HeaderMap::new();
        for (name, source) in &self.headers {
            let value = match source {
                HeaderSource::Inline(value) => value.clone(),
                HeaderSource::File(path) => {
                    let text = read_secret(path)?;
                    let mut value = HeaderValue::from_str(&text).map_err(|_| SendError::Header)?;
                    value.set_sensitive(true);
                    value
                }
            };
            headers.append(name, value);
        }
        Ok(request.headers(headers))
    }
}

impl Credentials {
    fn of(config: &HttpClientConfig, base: &Path) -> Self {
        let source = |inline: &Secret, file: &Option<PathBuf>| match file {
            Some(file) => Source::File(base.join(file)),
            None => Source::Inline(inline.clone()),
        };
        let bearer = |credentials| Self::Scheme { scheme: "Bearer".into(), credentials };
        if let Some(basic) = &config.basic_auth {
            let user = source(&Secret::new(basic.username.as_str()), &basic.username_file);
            return Self::Basic { user, password: source(&basic.password, &basic.password_file) };
        }
        if let Some(authorization) = &config.authorization {
            let credentials = source(
                &authorization.credentials.clone().unwrap_or_default(),
                &authorization.credentials_file,
            );
            let scheme = authorization.scheme.as_deref().map(str::trim).filter(|scheme| !scheme.is_empty());
            return Self::Scheme { scheme: scheme.unwrap_or("Bearer").to_owned(), credentials };
        }
        match (&config.bearer_token, &config.bearer_token_file) {
            (Some(token), _) => bearer(Source::Inline(token.clone())),
            (None, Some(file)) => bearer(Source::File(base.join(file))),
            (None, None) => Self::None,
        }
    }
}

impl Source {
    fn read(&self) -> Result<String, SendError> {
        match self {
            Self::Inline(secret) => Ok(secret.expose().to_owned()),
            Self::File(path) => read_secret(path),
        }
    }
}

fn read_secret(path: &Path) -> Result<String, SendError> {
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .map_err(|source| SendError::Secret { path: path.to_owned(), source })
}

fn headers(config: &HttpClientConfig, base: &Path) -> Result<Vec<(HeaderName, HeaderSource)>, BuildError> {
    let mut headers = Vec::new();
    for (name, sources) in &config.http_headers {
        let name = HeaderName::try_from(name.as_str()).map_err(value("http_headers"))?;
        let inline = |text: &str, sensitive: bool| {
            let mut header = HeaderValue::from_str(text).map_err(value("http_headers"))?;
            header.set_sensitive(sensitive);
            Ok::<_, BuildError>(HeaderSource::Inline(header))
        };
        for text in &sources.values {
            headers.push((name.clone(), inline(text, false)?));
        }
        for secret in &sources.secrets {
            headers.push((name.clone(), inline(secret.expose(), true)?));
        }
        for file in &sources.files {
            headers.push((name.clone(), HeaderSource::File(base.join(file))));
        }
    }
    Ok(headers)
}

fn apply_tls(
    mut builder: reqwest::ClientBuilder,
    tls: &TlsConfig,
    base: &Path,
) -> Result<reqwest::ClientBuilder, BuildError> {
    if tls.server_name.as_deref().is_some_and(|name| !name.is_empty()) {
        return Err(value("tls_config.server_name")("not supported yet: another name than the URL's"));
    }
    if let Some(pem) = pem(tls.ca.as_deref(), tls.ca_file.as_deref(), base)? {
        let certificates = Certificate::from_pem_bundle(&pem).map_err(value("tls_config.ca"))?;
        builder = builder.tls_certs_only(certificates);
    }
    let key = tls.key.as_ref().map(|key| key.0.as_str());
    if let (Some(mut cert), Some(key)) =
        (pem(tls.cert.as_deref(), tls.cert_file.as_deref(), base)?, pem(key, tls.key_file.as_deref(), base)?)
    {
        cert.push(b'\n');
        cert.extend(key);
        builder = builder.identity(Identity::from_pem(&cert).map_err(value("tls_config.cert"))?);
    }
    if tls.insecure_skip_verify == Some(true) {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(version) = &tls.min_version {
        builder = builder.tls_version_min(tls_version("tls_config.min_version", version)?);
    }
    if let Some(version) = &tls.max_version {
        builder = builder.tls_version_max(tls_version("tls_config.max_version", version)?);
    }
    Ok(builder)
}

fn tls_version(key: &'static str, version: &str) -> Result<tls::Version, BuildError> {
    match version {
        // Nothing older than 1.2 is spoken, so a lower bound below it holds by itself.
        "TLS10" | "TLS11" | "TLS12" if key.ends_with("min_version") => Ok(tls::Version::TLS_1_2),
        "TLS12" => Ok(tls::Version::TLS_1_2),
        "TLS13" => Ok(tls::Version::TLS_1_3),
        other => Err(value(key)(format!("{other} is not supported"))),
    }
}

fn pem(inline: Option<&str>, file: Option<&Path>, base: &Path) -> Result<Option<Vec<u8>>, BuildError> {
    match (inline, file) {
        (Some(text), _) => Ok(Some(text.as_bytes().to_vec())),
        (None, Some(file)) => {
            let path = base.join(file);
            std::fs::read(&path).map(Some).map_err(|source| BuildError::File { path, source })
        }
        (None, None) => Ok(None),
    }
}

fn value<E: Into<Box<dyn std::error::Error + Send + Sync>>>(key: &'static str) -> impl Fn(E) -> BuildError {
    move |source| BuildError::Value { key, source: source.into() }
}
