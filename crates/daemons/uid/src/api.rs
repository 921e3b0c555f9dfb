//! Grafana's HTTP API. Handlers parse, call, encode; one file a group of endpoints.

mod admin;
mod dashboards;
mod data_source_health;
mod data_sources;
mod error;
mod extract;
mod folders;
mod frontend_settings;
mod health;
mod login;
mod org;
mod origin;
mod preferences;
mod proxy;
mod query;
mod search;
mod user;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, header},
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::any,
};

use crate::{
    auth::Authenticator, clock::Clock, config::Settings, provisioning::Provisioning, query::QueryRunner,
    store::Stores, upstream::Upstreams,
};

pub(crate) use error::ApiError;

/// Largest request body but for the proxy's, in bytes.
const MAX_BODY_BYTES: usize = 16 << 20;

/// What the handlers share.
pub(crate) struct Shared {
    pub settings: Settings,
    pub stores: Arc<Stores>,
    pub authenticator: Authenticator,
    pub provisioning: Arc<Provisioning>,
    pub upstreams: Arc<Upstreams>,
    pub runner: QueryRunner,
    pub clock: Clock,
}

type AppState = Arc<Shared>;

impl Shared {
    /// An address of ours for links: with the sub-path in front.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.settings.server.sub_path)
    }
}

/// All endpoints. What is not one of them below `/api` answers 404 as JSON.
pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .merge(health::routes())
        .merge(login::routes())
        .merge(user::routes())
        .merge(preferences::routes())
        .merge(org::routes())
        .merge(frontend_settings::routes())
        .merge(data_sources::routes())
        .merge(data_source_health::routes())
        .merge(search::routes())
        .merge(folders::routes())
        .merge(dashboards::routes())
        .merge(query::routes())
        .merge(admin::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .merge(proxy::routes())
        .route("/api", any(not_found))
        .route("/api/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(shared.clone(), origin::check))
        .layer(map_response(no_store))
        .with_state(shared.clone())
}

async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Not found")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}

/// Answers hold what only this person may see: no cache keeps them.
async fn no_store(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(header::HeaderValue::from_static("no-store"));
    response
}
