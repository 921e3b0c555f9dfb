//! From a service to one of its servers and back.
//!
//! The way of a request: [`LoadBalancer`] picks a [`server`], the request is made fit for the next hop (hop-by-hop headers off,
//! `X-Forwarded-For` on), a pooled connection carries it, and the answer streams back. Upgrades (WebSocket) become a tunnel. [`Weighted`]
//! and [`Failover`] are services made of services.
//!
//! Invariants: bodies are never held; a server that is not reached gives 502, one that is too slow 504, no server at all 503; a request
//! is sent twice only if the first attempt cannot have been acted on.

#![forbid(unsafe_code)]

mod config;
mod dial;
mod error;
mod forward;
mod group;
mod health;
mod load_balancer;
mod picker;
mod pool;
mod resolve;
mod server;
mod sticky;
mod transport;
mod upgrade;

#[cfg(test)]
mod tests;

pub use config::{
    Cookie, FailoverConfig, GroupMember, HealthCheckConfig, LoadBalancerConfig, Propagate, ServerConfig,
    ServiceConfig, Sticky, WeightedConfig,
};
pub use error::{BalanceError, ForwardError};
pub use forward::hop_by_hop::remove_hop_by_hop;
pub use group::{Failover, Service, Weighted};
pub use load_balancer::{LoadBalancer, ServerStatus};
pub use resolve::Hosts;
pub use transport::{ForwardingTimeouts, ServersTransportConfig, Transport};
pub use upgrade::Tunnels;
