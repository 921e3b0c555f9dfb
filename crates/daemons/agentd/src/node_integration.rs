//! The machine's metrics: at `/metrics/node` of the agent, and at `/metrics` of a port of their own.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use node::{Format, NodeExporter, Options, OptionsError, Selection};
use service::{HttpOptions, HttpServer, Metrics};
use tokio::sync::Semaphore;

use crate::config::NodeIntegration;

/// Scrapes at a time, as node_exporter's `--web.max-requests`.
const MAX_SCRAPES: usize = 40;

/// The exporter and its bound. Cheap to clone.
#[derive(Clone)]
pub(crate) struct NodeMetrics {
    exporter: Arc<NodeExporter>,
    scrapes: Arc<Semaphore>,
}

impl NodeMetrics {
    pub(crate) fn new(config: &NodeIntegration) -> Result<Self, OptionsError> {
        let mut options = Options::default();
        for (name, path) in
            [("path.procfs", &config.procfs), ("path.sysfs", &config.sysfs), ("path.rootfs", &config.rootfs)]
        {
            if let Some(path) = path {
                options.set(name, &path.to_string_lossy())?;
            }
        }
        for (name, value) in &config.flags {
            options.set(name.trim_start_matches('-'), &value.to_string())?;
        }
        Ok(Self {
            exporter: Arc::new(NodeExporter::new(options)?),
            scrapes: Arc::new(Semaphore::new(MAX_SCRAPES)),
        })
    }

    /// The metrics alone, at a path of the agent's own server.
    pub(crate) fn routes(&self, path: &str) -> Router {
        Router::new().route(path, get(scrape)).with_state(self.clone())
    }

    /// Binds the port that node_exporter would have, if one is configured.
    pub(crate) async fn bind(
        &self,
        config: &NodeIntegration,
    ) -> Result<Option<(HttpServer, Router)>, service::BindError> {
        let Some(address) = &config.listen_address else { return Ok(None) };
        let options = HttpOptions { web_config: config.web_config.clone(), ..HttpOptions::new(address) };
        let server = HttpServer::bind(options).await?;
        let index = "<html><head><title>Node Exporter</title></head><body><h1>Node Exporter</h1>\
                     <p><a href=\"/metrics\">Metrics</a></p></body></html>";
        let routes =
            self.routes("/metrics").route("/", get(move || async move { axum::response::Html(index) }));
        Ok(Some((server, routes)))
    }
}

async fn scrape(State(node): State<NodeMetrics>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Ok(slot) = node.scrapes.clone().try_acquire_owned() else {
        let text = format!("Limit of concurrent requests reached ({MAX_SCRAPES}), try again later.\n");
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let selection = match selection(&node.exporter, query.as_deref().unwrap_or_default()) {
        Ok(selection) => selection,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    // The process' own metrics come in the format that the client asked for, which settles it for the rest.
    let (content_type, process) = Metrics::new().encode(&headers);
    let format = if content_type.starts_with("application/openmetrics-text") {
        Format::OpenMetrics
    } else {
        Format::Text
    };
    let gathered = service::spawn_blocking(move || {
        let text = node.exporter.gather(&selection, format);
        drop(slot);
        text
    });
    match gathered.await {
        Ok(text) => ([(header::CONTENT_TYPE, content_type)], text + &process).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the log\n").into_response(),
    }
}

fn selection(exporter: &NodeExporter, query: &str) -> Result<Selection, node::SelectionError> {
    let (mut collect, mut exclude) = (Vec::new(), Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "collect[]" => collect.push(value.into_owned()),
            "exclude[]" => exclude.push(value.into_owned()),
            _ => {}
        }
    }
    exporter.select(&collect, &exclude)
}
