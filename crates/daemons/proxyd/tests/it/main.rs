//! The proxy as a whole: real sockets, real servers behind it.

mod api;
mod harness;
mod routing;
mod runtime_changes;
mod seed;
mod tls;
mod upgrades;
