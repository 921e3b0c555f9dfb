//! `/api/datasources/proxy/…`: to data sources and back, streamed both ways.
//!
//! The data source's credentials and headers are added; the person's cookies and `Authorization` stay here.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::any,
};
use http_body_util::{BodyExt, Limited};

use super::{ApiError, AppState};
use crate::{
    auth::Identity,
    model::{DataSource, DataSourceKind, Role},
    store::DataSourceError,
};

/// Largest body that is sent to a data source, in bytes.
const MAX_REQUEST_BYTES: usize = 32 << 20;

/// Headers between two neighbours, never passed on. Source: RFC 9110, 7.6.1.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Request headers that are the person's own or that we set ourselves. `accept-encoding`: our client asks for what it can undo.
const NOT_SENT: [HeaderName; 7] = [
    header::HOST,
    header::COOKIE,
    header::AUTHORIZATION,
    header::ORIGIN,
    header::REFERER,
    header::ACCEPT_ENCODING,
    header::CONTENT_LENGTH,
];

/// Answer headers that would act on our own site.
const NOT_ANSWERED: [HeaderName; 4] = [
    header::SET_COOKIE,
    header::CONTENT_SECURITY_POLICY,
    header::STRICT_TRANSPORT_SECURITY,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/datasources/proxy/uid/{uid}", any(by_uid))
        .route("/api/datasources/proxy/uid/{uid}/", any(by_uid))
        .route("/api/datasources/proxy/uid/{uid}/{*path}", any(by_uid))
        .route("/api/datasources/proxy/{id}", any(by_id))
        .route("/api/datasources/proxy/{id}/", any(by_id))
        .route("/api/datasources/proxy/{id}/{*path}", any(by_id))
}

async fn by_uid(
    State(shared): State<AppState>,
    identity: Identity,
    Path(parameters): Path<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, ApiError> {
    let uid = parameters.first().map(|(_, value)| value.as_str()).unwrap_or_default();
    let source = shared.stores.data_sources.find(uid).ok_or(DataSourceError::NotFound)?;
    forward(&shared, &identity, source, 6, request).await
}

async fn by_id(
    State(shared): State<AppState>,
    identity: Identity,
    Path(parameters): Path<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = parameters.first().and_then(|(_, value)| value.parse().ok());
    let source = id.and_then(|id| shared.stores.data_sources.by_id(id)).ok_or(DataSourceError::NotFound)?;
    forward(&shared, &identity, source, 5, request).await
}

/// `skip` is how many segments of the path are ours; the rest is taken as it was sent, percent signs and all.
async fn forward(
    shared: &AppState,
    identity: &Identity,
    source: Arc<DataSource>,
    skip: usize,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().splitn(skip + 1, '/').nth(skip).unwrap_or_default();
    check_access(&source, &parts.method, path, identity)?;
    let upstream = shared.upstreams.of(&source)?;
    let url = upstream.url(path, parts.uri.query())?;
    let mut outgoing =
        upstream.request(parts.method.clone(), url)?.headers(request_headers(&parts.headers, &source));
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        let limited = Limited::new(body, MAX_REQUEST_BYTES);
        outgoing = outgoing.body(reqwest::Body::wrap_stream(limited.into_data_stream()));
    }
    let answer = upstream.send(outgoing).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = match answer.status() {
        // The person is logged in here: a 401 of the data source must not send them to our login page.
        StatusCode::UNAUTHORIZED => StatusCode::BAD_GATEWAY,
        status => status,
    };
    *response.headers_mut() = answer_headers(answer.headers());
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    Ok(response)
}

/// Everybody may read. What changes a Prometheus or a Loki does not go through here, as in Grafana; other data sources are changed by
/// editors.
fn check_access(
    source: &DataSource,
    method: &Method,
    path: &str,
    identity: &Identity,
) -> Result<(), ApiError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let path = path.trim_matches('/');
    let reads: &[&str] = match source.kind() {
        DataSourceKind::Prometheus => &[
            "api/v1/query",
            "api/v1/query_range",
            "api/v1/query_exemplars",
            "api/v1/series",
            "api/v1/labels",
            "api/v1/format_query",
            "api/v1/parse_query",
        ],
        DataSourceKind::Loki => &[
            "loki/api/v1/query",
            "loki/api/v1/query_range",
            "loki/api/v1/series",
            "loki/api/v1/labels",
            "loki/api/v1/index/stats",
            "loki/api/v1/index/volume",
            "loki/api/v1/index/volume_range",
            "loki/api/v1/patterns",
        ],
        DataSourceKind::Alertmanager | DataSourceKind::Other => return identity.require(Role::Editor),
    };
    if *method == Method::POST && reads.contains(&path) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        format!("{method} to {path:?} is not allowed on a proxied data source of type {}", source.kind),
    ))
}

fn request_headers(headers: &HeaderMap, source: &DataSource) -> HeaderMap {
    let configured = |name: &HeaderName| {
        (1..=100)
            .map_while(|number| source.setting(&format!("httpHeaderName{number}")))
            .any(|own| own.eq_ignore_ascii_case(name.as_str()))
    };
    filtered(headers, |name| NOT_SENT.contains(name) || configured(name))
}

fn answer_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = filtered(headers, |name| NOT_ANSWERED.contains(name));
    // A page of the data source must not run as ours.
    kept.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    kept.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    kept
}

fn filtered(headers: &HeaderMap, drop: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let is_hop = HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|named| named == name.as_str());
        if !is_hop && !drop(name) {
            kept.append(name, value.clone());
        }
    }
    kept
}
