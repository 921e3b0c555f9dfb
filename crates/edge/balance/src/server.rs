//! One server of a service.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use http::HeaderValue;
use url::Url;

use crate::{
    BalanceError, ServerConfig, Transport,
    dial::{Scheme, Target},
    pool::Pool,
};

/// A server, its connections and whether it is up.
pub(crate) struct Server {
    /// As in the file.
    pub(crate) url: Arc<str>,
    pub(crate) target: Target,
    /// What it calls itself, for services that do not pass the client's host.
    pub(crate) authority: HeaderValue,
    /// Goes before the path of requests; empty but for `preservePath`.
    pub(crate) path: String,
    pub(crate) pool: Arc<Pool>,
    is_up: AtomicBool,
}

impl Server {
    pub(crate) fn new(config: &ServerConfig, transport: Arc<Transport>) -> Result<Self, BalanceError> {
        let bad = |message: String| BalanceError::value("loadBalancer.servers.url", message);
        let url = Url::parse(&config.url)
            .map_err(|error| bad(format!("error parsing server URL {:?}: {error}", config.url)))?;
        let scheme = parse_scheme(url.scheme())
            .ok_or_else(|| bad(format!("scheme {:?} is not http, https or h2c", url.scheme())))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| bad(format!("{:?} has no host", config.url)))?;
        let port = url.port().unwrap_or(default_port(scheme));
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let target = Target { scheme, host: host.to_ascii_lowercase(), port };
        let path = if config.preserve_path { url.path().trim_end_matches('/') } else { "" };
        Ok(Self {
            url: config.url.as_str().into(),
            authority: HeaderValue::from_str(&authority).map_err(|error| bad(error.to_string()))?,
            path: path.to_owned(),
            pool: Pool::new(target.clone(), transport),
            target,
            is_up: AtomicBool::new(true),
        })
    }

    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Relaxed)
    }

    /// Returns what it was.
    pub(crate) fn set_up(&self, is_up: bool) -> bool {
        self.is_up.swap(is_up, Relaxed)
    }
}

pub(crate) fn parse_scheme(scheme: &str) -> Option<Scheme> {
    match scheme {
        "http" | "ws" => Some(Scheme::Http),
        "https" | "wss" => Some(Scheme::Https),
        "h2c" => Some(Scheme::H2c),
        _ => None,
    }
}

pub(crate) fn default_port(scheme: Scheme) -> u16 {
    if scheme == Scheme::Https { 443 } else { 80 }
}
