//! The frame of every daemon, once: command line, logging, HTTP and gRPC servers, metrics, readiness, reload, and an orderly end.
//!
//! A daemon implements [`Daemon`]; its `main.rs` calls [`main`]. The program that runs all six in one process builds each with a
//! [`Frame`] of its own and runs them itself. Nothing here is global but the log subscriber and the crypto provider, which a process
//! has one of.

mod blocking;
mod cli;
mod daemon;
mod grpc;
mod http;
mod logging;
mod metrics;
mod ready;
mod reload;
mod report;
mod signals;
mod stop;

pub use blocking::spawn_blocking;
pub use cli::{Version, normalize_arguments};
pub use daemon::{Daemon, Error, Frame, main};
pub use grpc::GrpcServer;
pub use http::{
    Access, BindError, FormError, FormParams, HttpOptions, HttpServer, RequestMetrics, WebConfig,
    WebConfigError, common_layers, frame_routes, resolve_listen_address,
};
pub use logging::{LogFormat, LogOptions, LogTarget, init as init_logging};
pub use metrics::{Metrics, to_text_format};
pub use ready::{Latch, Readiness};
pub use reload::{Reload, ReloadMetrics};
pub use report::report;
pub use signals::Signals;
pub use stop::{StillRunning, Stop, Stopper, Tasks};
