//! The HTTP side of the frame: listening, TLS, authentication, the layers and routes every daemon has.

mod auth;
mod layers;
mod listen;
mod params;
mod routes;
mod server;
mod web_config;

#[cfg(test)]
mod tests;

pub use layers::{RequestMetrics, common_layers};
pub(crate) use listen::bind as bind_listener;
pub use listen::resolve_listen_address;
pub use params::{FormError, FormParams};
pub use routes::{Access, frame_routes};
pub use server::{BindError, HttpOptions, HttpServer};
pub use web_config::{WebConfig, WebConfigError};
