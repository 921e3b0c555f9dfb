//! The exporters' toolkit `web.yml`: TLS, basic authentication and response headers. A changed file is read again by itself, so that
//! certificates rotate without a reload; a change that does not hold leaves the old state in force.
//!
//! Source: Prometheus docs/configuration/https.md.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use config::{ConfigError, SourceFile, null_as_default};
use http::{HeaderName, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use super::auth::BasicAuth;
use crate::report;

/// Why a web configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A certificate or key file.
    #[error("cannot read `{}`", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate, key and settings do not fit together.
    #[error("TLS settings do not hold")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A value that is refused.
    #[error("{key}: {message}")]
    Value {
        /// Path of the key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    tls_server_config: Option<TlsFile>,
    http_server_config: HttpFile,
    #[serde(deserialize_with = "null_as_default")]
    basic_auth_users: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TlsFile {
    cert_file: PathBuf,
    key_file: PathBuf,
    client_auth_type: String,
    client_ca_file: Option<PathBuf>,
    client_allowed_sans: Vec<String>,
    min_version: Option<String>,
    max_version: Option<String>,
    cipher_suites: Vec<String>,
    prefer_server_cipher_suites: Option<bool>,
    curve_preferences: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpFile {
    http2: Option<bool>,
    #[serde(deserialize_with = "null_as_default")]
    headers: BTreeMap<String, String>,
}

/// A web configuration in force. Reads its files again when they change.
pub struct WebConfig {
    path: PathBuf,
    state: ArcSwapOption<Loaded>,
    checked: Mutex<Vec<Stamp>>,
}

struct Loaded {
    tls: Option<TlsAcceptor>,
    auth: Option<Arc<BasicAuth>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    files: Vec<PathBuf>,
}

/// What tells a changed file from an unchanged one.
type Stamp = Option<(SystemTime, u64)>;

impl WebConfig {
    /// Reads the file and what it names.
    pub fn load(path: PathBuf) -> Result<Self, WebConfigError> {
        let loaded = Loaded::read(&path)?;
        let stamps = stamps(&loaded.files);
        Ok(Self { path, state: ArcSwapOption::from_pointee(loaded), checked: Mutex::new(stamps) })
    }

    /// Whether connections are encrypted.
    pub fn has_tls(&self) -> bool {
        self.state.load().as_ref().is_some_and(|loaded| loaded.tls.is_some())
    }

    pub(super) fn tls_acceptor(&self) -> Option<TlsAcceptor> {
        self.refresh();
        self.state.load().as_ref()?.tls.clone()
    }

    /// Puts authentication and response headers before all routes.
    pub(super) fn protect(self: Arc<Self>, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self, guard))
    }

    fn refresh(&self) {
        let Some(current) = self.state.load_full() else { return };
        let now = stamps(&current.files);
        {
            let mut checked = self.checked.lock();
            if *checked == now {
                return;
            }
            *checked = now;
        }
        match Loaded::read(&self.path) {
            Ok(loaded) => {
                *self.checked.lock() = stamps(&loaded.files);
                self.state.store(Some(Arc::new(loaded)));
            }
            Err(error) => {
                warn!(path = %self.path.display(), error = report(&error), "changed web configuration does not hold, the old one stays in force");
            }
        }
    }
}

impl std::fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebConfig").field("path", &self.path).finish_non_exhaustive()
    }
}

async fn guard(State(config): State<Arc<WebConfig>>, request: Request, next: Next) -> Response {
    config.refresh();
    let Some(loaded) = config.state.load_full() else { return next.run(request).await };
    let mut response = match &loaded.auth {
        Some(auth) if !auth.allows(request.headers()).await => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic")], "Unauthorized\n")
                .into_response()
        }
        _ => next.run(request).await,
    };
    for (name, value) in &loaded.headers {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| -> io::Result<(SystemTime, u64)> {
        let metadata = fs::metadata(path)?;
        Ok((metadata.modified()?, metadata.len()))
    };
    files.iter().map(|path| stamp(path).ok()).collect()
}

impl Loaded {
    fn read(path: &Path) -> Result<Self, WebConfigError> {
        let file: File = SourceFile::read(path)?.parse()?;
        let File { tls_server_config, http_server_config: HttpFile { http2, headers }, basic_auth_users } =
            file;
        // Paths in the file are relative to the file.
        let base = path.parent().unwrap_or(Path::new(""));
        let mut files = vec![path.to_owned()];
        let tls = tls_server_config
            .map(|tls| {
                files.extend([base.join(&tls.cert_file), base.join(&tls.key_file)]);
                files.extend(tls.client_ca_file.iter().map(|ca| base.join(ca)));
                tls.acceptor(base, http2.unwrap_or(true))
            })
            .transpose()?;
        for (user, hash) in &basic_auth_users {
            if hash.parse::<bcrypt::HashParts>().is_err() {
                return Err(WebConfigError::Value {
                    key: "basic_auth_users",
                    message: format!(
                        "the value of user {user:?} is not a bcrypt hash; make one with `htpasswd -nBC 10 {user}`"
                    ),
                });
            }
        }
        let auth = (!basic_auth_users.is_empty()).then(|| BasicAuth::new(basic_auth_users));
        let headers =
            headers.iter().map(|(name, value)| response_header(name, value)).collect::<Result<_, _>>()?;
        Ok(Self { tls, auth, headers, files })
    }
}

fn response_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), WebConfigError> {
    const ALLOWED: [&str; 5] = [
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "X-XSS-Protection",
        "Strict-Transport-Security",
    ];
    let error = |message: String| WebConfigError::Value { key: "http_server_config.headers", message };
    if !ALLOWED.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        return Err(error(format!("header {name:?} can not be configured, only {}", ALLOWED.join(", "))));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| error(format!("the value of {name} is not a header value")))?;
    let name = HeaderName::try_from(name).map_err(|_| error(format!("{name:?} is not a header name")))?;
    Ok((name, value))
}

impl TlsFile {
    fn acceptor(&self, base: &Path, http2: bool) -> Result<TlsAcceptor, WebConfigError> {
        for (key, is_set) in [
            ("tls_server_config.client_allowed_sans", !self.client_allowed_sans.is_empty()),
            ("tls_server_config.cipher_suites", !self.cipher_suites.is_empty()),
            ("tls_server_config.curve_preferences", !self.curve_preferences.is_empty()),
        ] {
            if is_set {
                return Err(WebConfigError::Value { key, message: "not supported yet".into() });
            }
        }
        // Go ignores the option since 1.18, and so do we.
        let _ = self.prefer_server_cipher_suites;
        let (cert_path, key_path) = (base.join(&self.cert_file), base.join(&self.key_file));
        let certificates = read_certificates(&cert_path)?;
        let key = PrivateKeyDer::from_pem_file(&key_path)
            .map_err(|source| WebConfigError::Pem { path: key_path, source })?;
        let versions = self.versions()?;
        let builder = ServerConfig::builder_with_protocol_versions(&versions);
        let builder = match self.client_verifier(base)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_single_cert(certificates, key).map_err(|error| WebConfigError::Tls(error.into()))?;
        config.alpn_protocols =
            if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, WebConfigError> {
        let rank = |key: &'static str, version: &Option<String>, default: u8| match version.as_deref() {
            None => Ok(default),
            Some("TLS12") => Ok(2),
            Some("TLS13") => Ok(3),
            Some(other) => Err(WebConfigError::Value {
                key,
                message: format!("{other} is not supported, only TLS12 and TLS13 are"),
            }),
        };
        let lowest = rank("tls_server_config.min_version", &self.min_version, 2)?;
        let highest = rank("tls_server_config.max_version", &self.max_version, 3)?;
        let versions: Vec<_> = [(2, &TLS12), (3, &TLS13)]
            .into_iter()
            .filter(|(rank, _)| (lowest..=highest).contains(rank))
            .map(|(_, version)| version)
            .collect();
        if versions.is_empty() {
            return Err(WebConfigError::Value {
                key: "tls_server_config.max_version",
                message: "is below min_version".into(),
            });
        }
        Ok(versions)
    }

    fn client_verifier(&self, base: &Path) -> Result<Option<Arc<dyn ClientCertVerifier>>, WebConfigError> {
        let optional = match self.client_auth_type.as_str() {
            "" | "NoClientCert" => return Ok(None),
            "RequireAndVerifyClientCert" => false,
            "VerifyClientCertIfGiven" => true,
            other => {
                return Err(WebConfigError::Value {
                    key: "tls_server_config.client_auth_type",
                    message: format!(
                        "{other:?} is not supported; use NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
                    ),
                });
            }
        };
        let Some(ca_file) = &self.client_ca_file else {
            return Err(WebConfigError::Value {
                key: "tls_server_config.client_ca_file",
                message: "is needed to verify client certificates".into(),
            });
        };
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates(&base.join(ca_file))? {
            roots.add(certificate).map_err(|error| WebConfigError::Tls(error.into()))?;
        }
        let builder = WebPkiClientVerifier::builder(Arc::new(roots));
        let builder = if optional { builder.allow_unauthenticated() } else { builder };
        builder.build().map(Some).map_err(|error| WebConfigError::Tls(error.into()))
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, WebConfigError> {
    let error = |source| WebConfigError::Pem { path: path.to_owned(), source };
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(error)?.collect::<Result<_, _>>().map_err(error)?;
    if certificates.is_empty() {
        return Err(error(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(certificates)
}
