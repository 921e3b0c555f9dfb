//! Entry points: accepting connections, TLS, and the way of a request to its router.
//!
//! The life of a request, in this order: [`connection`] reads it, [`prelude`] makes it honest (host, path, headers that only trusted
//! peers may send), the runtime's table finds its router, the router's middlewares and service answer, and [`crate::observe`] counts and
//! logs it when its answer has been sent.

mod connection;
mod forwarded;
mod idle;
mod listener;
mod prelude;
mod serve;

pub(crate) use listener::Listener;
