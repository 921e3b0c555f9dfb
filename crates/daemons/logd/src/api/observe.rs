//! `loki_request_duration_seconds`, which Loki's dashboards are made of.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

/// Loki's buckets, seconds.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0];

/// Time of requests by route; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct RequestDurations(Family<RequestLabels, Histogram, fn() -> Histogram>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status_code: String,
    ws: &'static str,
}

impl RequestDurations {
    /// Registers it.
    pub fn register(registry: &mut Registry) -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register(
            "loki_request_duration_seconds",
            "Time (in seconds) spent serving HTTP and gRPC requests",
            durations.clone(),
        );
        Self(durations)
    }

    /// Notes a request.
    pub fn observe(&self, method: &str, route: &str, status_code: &str, started: Instant) {
        let labels = RequestLabels {
            method: method.to_owned(),
            route: route.to_owned(),
            status_code: status_code.to_owned(),
            ws: "false",
        };
        self.0.get_or_create(&labels).observe(started.elapsed().as_secs_f64());
    }
}

pub(super) async fn observe(
    State(durations): State<RequestDurations>,
    request: Request,
    next: Next,
) -> Response {
    let route =
        request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |path| route(path.as_str()));
    let method = method(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    durations.observe(method, &route, response.status().as_str(), started);
    response
}

/// Methods that clients make up would make series.
fn method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}

/// `/loki/api/v1/label/{name}/values` is `loki_api_v1_label_name_values`.
fn route(path: &str) -> String {
    let clean: String = path.trim_matches('/').chars().filter(|c| !matches!(c, '{' | '}' | '*')).collect();
    if clean.is_empty() { "root".to_owned() } else { clean.replace(['/', '-', '.'], "_") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn routes_are_named_as_in_loki() {
        assert_eq!(super::route("/loki/api/v1/push"), "loki_api_v1_push");
        assert_eq!(super::route("/loki/api/v1/label/{name}/values"), "loki_api_v1_label_name_values");
        assert_eq!(super::route("/"), "root");
    }
}
