//! A service of servers.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use http::StatusCode;
use middleware::{BoxFuture, Handler, Request, Response, answer};
use service::Stop;
use tracing::warn;

use crate::{
    BalanceError, LoadBalancerConfig, Service, Transport, Tunnels, forward::forward, health::HealthCheck,
    picker::Picker, server::Server, sticky::Stickiness,
};

/// How often idle connections are looked through.
const TIDY_INTERVAL: Duration = Duration::from_secs(30);

/// Picks a server for each request and takes it there.
pub struct LoadBalancer {
    name: Arc<str>,
    servers: Vec<Server>,
    picker: Picker,
    sticky: Option<Stickiness>,
    pass_host_header: bool,
    health_check: Option<HealthCheck>,
    tunnels: Tunnels,
}

/// A server's state, for people and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// As in the file.
    pub url: Arc<str>,
    /// Whether it gets requests.
    pub is_up: bool,
}

impl LoadBalancer {
    /// Checks the options. Nothing runs yet: see [`LoadBalancer::watch`].
    ///
    /// # Errors
    /// URLs that are none, strategies and checks that are not there yet.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: &LoadBalancerConfig,
        transport: &Arc<Transport>,
        tunnels: Tunnels,
    ) -> Result<Self, BalanceError> {
        let name = name.into();
        match config.strategy.as_str() {
            "" | "wrr" => {}
            strategy @ ("p2c" | "hrw" | "leasttime") => {
                return Err(BalanceError::NotSupported(format!("loadBalancer.strategy {strategy}")));
            }
            strategy => {
                return Err(BalanceError::value(
                    "loadBalancer.strategy",
                    format!("unsupported load-balancer strategy {strategy:?}"),
                ));
            }
        }
        if config.passive_health_check.is_some() {
            warn!(service = %name, "not supported yet: loadBalancer.passiveHealthCheck, servers are not taken out by it");
        }
        let servers = config
            .servers
            .iter()
            .map(|server| Server::new(server, transport.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let weights = config.servers.iter().map(|server| server.weight.unwrap_or(1)).collect();
        let members = config.servers.iter().map(|server| server.url.as_str());
        let health_check = config.health_check.as_ref();
        let health_check =
            health_check.map(|check| HealthCheck::new(check, &servers, transport)).transpose()?;
        Ok(Self {
            sticky: Stickiness::new(&name, config.sticky.as_ref(), members)?,
            picker: Picker::new(weights),
            pass_host_header: config.pass_host_header,
            health_check,
            tunnels,
            servers,
            name,
        })
    }

    /// The state of each server, in the file's order.
    pub fn status(&self) -> Vec<ServerStatus> {
        let status = |server: &Server| ServerStatus { url: server.url.clone(), is_up: server.is_up() };
        self.servers.iter().map(status).collect()
    }

    /// Checks servers and closes idle connections until the stop.
    pub async fn watch(&self, stop: Stop) {
        let tidy = async {
            loop {
                tokio::select! {
                    () = stop.requested() => return,
                    () = tokio::time::sleep(TIDY_INTERVAL) => {}
                }
                for server in &self.servers {
                    server.pool.close_idle();
                }
            }
        };
        let Some(check) = &self.health_check else { return tidy.await };
        let servers = self.servers.iter().enumerate();
        let checks = servers.map(|(index, server)| check.watch(&self.name, index, server, &stop));
        tokio::join!(tidy, join_all(checks));
    }

    fn choose(&self, request: &Request) -> Option<(usize, &Server, bool)> {
        let sticky = self.sticky.as_ref().and_then(|sticky| sticky.find(request.headers()));
        if let Some(index) = sticky
            && let Some(server) = self.servers.get(index).filter(|server| server.is_up())
        {
            return Some((index, server, true));
        }
        let index = self.picker.pick(|index| self.servers.get(index).is_some_and(Server::is_up))?;
        self.servers.get(index).map(|server| (index, server, false))
    }
}

impl Handler for LoadBalancer {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let Some((index, server, was_known)) = self.choose(&request) else {
                return answer(StatusCode::SERVICE_UNAVAILABLE, "no available server");
            };
            let mut response = forward(server, request, self.pass_host_header, &self.tunnels).await;
            if let Some(sticky) = &self.sticky
                && !was_known
            {
                sticky.remember(index, response.headers_mut());
            }
            response
        })
    }
}

impl Service for LoadBalancer {
    fn is_up(&self) -> bool {
        self.servers.iter().any(Server::is_up)
    }
}
