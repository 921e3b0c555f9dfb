//! Active health checks.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use middleware::empty;
use service::{Stop, report};
use tracing::{info, warn};

use crate::{
    BalanceError, HealthCheckConfig, Transport,
    dial::Target,
    pool::Pool,
    server::{Server, parse_scheme},
};

/// A service's check, ready for use.
pub(crate) struct HealthCheck {
    method: Method,
    path: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    host: Option<HeaderValue>,
    status: Option<StatusCode>,
    interval: Duration,
    unhealthy_interval: Duration,
    timeout: Duration,
    /// One for each server: check connections are their own, since scheme and port may be.
    pools: Vec<Arc<Pool>>,
}

impl HealthCheck {
    pub(crate) fn new(
        config: &HealthCheckConfig,
        servers: &[Server],
        transport: &Arc<Transport>,
    ) -> Result<Self, BalanceError> {
        if config.mode == "grpc" {
            return Err(BalanceError::NotSupported("healthCheck.mode grpc".to_owned()));
        }
        if !matches!(config.mode.as_str(), "" | "http") {
            return Err(BalanceError::value("healthCheck.mode", format!("unknown mode {:?}", config.mode)));
        }
        let scheme = match config.scheme.as_str() {
            "" => None,
            text => Some(parse_scheme(text).ok_or_else(|| {
                BalanceError::value("healthCheck.scheme", format!("{text:?} is not http or https"))
            })?),
        };
        let path =
            if config.path.starts_with('/') { config.path.clone() } else { format!("/{}", config.path) };
        let method = if config.method.is_empty() { "GET" } else { &config.method };
        let header = |(name, value): (&String, &String)| {
            let bad = |error: http::Error| BalanceError::value("healthCheck.headers", error);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| bad(error.into()))?;
            let value = HeaderValue::from_str(value).map_err(|error| bad(error.into()))?;
            Ok((name, value))
        };
        let host = match config.hostname.as_str() {
            "" => None,
            name => Some(
                HeaderValue::from_str(name)
                    .map_err(|error| BalanceError::value("healthCheck.hostname", error))?,
            ),
        };
        let pools = servers.iter().map(|server| {
            let target = Target {
                scheme: scheme.unwrap_or(server.target.scheme),
                host: server.target.host.clone(),
                port: if config.port == 0 { server.target.port } else { config.port },
            };
            Pool::new(target, transport.clone())
        });
        let interval = config.interval.0.max(Duration::from_millis(1));
        Ok(Self {
            method: Method::from_bytes(method.to_ascii_uppercase().as_bytes())
                .map_err(|error| BalanceError::value("healthCheck.method", error))?,
            path: path.parse().map_err(|error| BalanceError::value("healthCheck.path", error))?,
            headers: config.headers.iter().map(header).collect::<Result<_, BalanceError>>()?,
            host,
            status: StatusCode::from_u16(config.status).ok(),
            interval,
            unhealthy_interval: config
                .unhealthy_interval
                .map_or(interval, |interval| interval.0.max(Duration::from_millis(1))),
            timeout: config.timeout.0,
            pools: pools.collect(),
        })
    }

    /// Checks a server again and again, the first time at once.
    pub(crate) async fn watch(&self, service: &str, index: usize, server: &Server, stop: &Stop) {
        let Some(pool) = self.pools.get(index) else { return };
        loop {
            let failure = tokio::select! {
                outcome = self.check(server, pool) => outcome.err(),
                () = stop.requested() => return,
            };
            let was_up = server.set_up(failure.is_none());
            match failure {
                Some(reason) if was_up => {
                    warn!(service, server = %server.url, reason, "health check failed, server taken out");
                }
                None if !was_up => {
                    info!(service, server = %server.url, "health check passed, server back in");
                }
                _ => {}
            }
            let pause = if server.is_up() { self.interval } else { self.unhealthy_interval };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.requested() => return,
            }
        }
    }

    async fn check(&self, server: &Server, pool: &Arc<Pool>) -> Result<(), String> {
        let mut request = Request::new(empty());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.clone();
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone().unwrap_or_else(|| server.authority.clone()));
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let response = match tokio::time::timeout(self.timeout, pool.send(request, false)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(report(&error)),
            Err(_) => return Err(format!("no answer within {:?}", self.timeout)),
        };
        let status = response.status();
        let is_good = match self.status {
            Some(want) => status == want,
            None => status.is_success() || status.is_redirection(),
        };
        if is_good { Ok(()) } else { Err(format!("received status {}", status.as_u16())) }
    }
}
