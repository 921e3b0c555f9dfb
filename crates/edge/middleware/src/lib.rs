//! What happens to a request between its router and its service, one file a middleware.
//!
//! A middleware is a [`Handler`] around the next one. [`MiddlewareConfig`] is the file's shape (Traefik's names and defaults), [`build`]
//! makes the handler of it. Middlewares that Traefik has and this crate has not are accepted in the file and refused by [`build`], so that
//! one of them disables the routers that use it and nothing else.
//!
//! Bodies stream: nothing here holds a whole body, but for `buffering` and `retry`, within the limits they are given.

#![forbid(unsafe_code)]

mod add_prefix;
mod basic_auth;
mod body;
mod buffering;
mod build;
mod compress;
mod config;
mod context;
mod handler;
mod headers;
mod htpasswd;
mod in_flight;
mod ip_allow_list;
mod path;
mod rate_limit;
mod redirect;
mod replace_path;
mod retry;
mod source;
mod strip_prefix;

#[cfg(test)]
mod tests;

pub use add_prefix::AddPrefix;
pub use basic_auth::BasicAuth;
pub use body::{Body, BoxError, Guarded, empty, full};
pub use buffering::Buffering;
pub use build::{BuildError, Workshop, build};
pub use compress::Compress;
pub use config::{Chain, MiddlewareConfig, Unsupported};
pub use context::{Client, Facts, NetworkError, Record};
pub use handler::{BoxFuture, Handler, Request, Response, answer};
pub use headers::Headers;
pub use in_flight::InFlightReq;
pub use ip_allow_list::IpAllowList;
pub use path::set_path;
pub use rate_limit::RateLimit;
pub use redirect::{RedirectRegex, RedirectScheme, request_scheme};
pub use replace_path::{ReplacePath, ReplacePathRegex};
pub use retry::Retry;
pub use source::{IpStrategy, SourceCriterion};
pub use strip_prefix::{StripPrefix, StripPrefixRegex};
