//! Who asks: for the query log.

use std::{convert::Infallible, net::SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, OriginalUri};
use http::request::Parts;

use crate::query_log::QueryOrigin;

/// The request's address, method and full path.
pub(super) struct Caller(pub QueryOrigin);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // The path with its prefix, before routers took parts of it away.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        Ok(Self(QueryOrigin::HttpRequest {
            client_ip: address.map(|ConnectInfo(address)| address.ip().to_string()).unwrap_or_default(),
            method: parts.method.to_string(),
            path: uri.path().to_owned(),
        }))
    }
}
