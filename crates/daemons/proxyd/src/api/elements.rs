//! `/api/{http,tcp,udp}/{routers,services,middlewares}`.

use serde_json::{Map, Value as Json, json};

use crate::{
    runtime::{ForeignInfo, MiddlewareInfo, RouterInfo, Runtime, ServiceInfo},
    shared::Shared,
};

/// The elements of a kind; `None` if there is no such kind.
pub(super) fn all(shared: &Shared, protocol: &str, kind: &str) -> Option<Vec<Json>> {
    let runtime = shared.runtime.load();
    Some(match (protocol, kind) {
        ("http", "routers") => runtime.routers.iter().map(|(name, info)| named(name, router(info))).collect(),
        ("http", "services") => {
            runtime.services.iter().map(|(name, info)| named(name, service(&runtime, name, info))).collect()
        }
        ("http", "middlewares") => {
            runtime.middlewares.iter().map(|(name, info)| named(name, middleware(info))).collect()
        }
        ("tcp", "routers") => foreign_list(&runtime, "tcpRouters"),
        ("tcp", "services") => foreign_list(&runtime, "tcpServices"),
        ("tcp", "middlewares") => foreign_list(&runtime, "tcpMiddlewares"),
        ("udp", "routers") => foreign_list(&runtime, "udpRouters"),
        ("udp", "services") => foreign_list(&runtime, "udpServices"),
        _ => return None,
    })
}

/// The element with `name` and `provider`.
fn named(name: &str, mut element: Map<String, Json>) -> Json {
    element.insert("name".to_owned(), name.into());
    let provider = name.rsplit_once('@').map_or("", |(_, provider)| provider);
    element.insert("provider".to_owned(), provider.into());
    Json::Object(element)
}

fn shape(config: Option<&impl serde::Serialize>) -> Map<String, Json> {
    match config.and_then(|config| serde_json::to_value(config).ok()) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

fn put_list(element: &mut Map<String, Json>, key: &str, list: Vec<Json>) {
    if !list.is_empty() {
        element.insert(key.to_owned(), list.into());
    }
}

fn put_findings(
    element: &mut Map<String, Json>,
    status: crate::runtime::Status,
    errors: &[std::sync::Arc<str>],
) {
    element.insert("status".to_owned(), json!(status));
    put_list(element, "error", errors.iter().map(|error| Json::from(&**error)).collect());
}

pub(super) fn router(info: &RouterInfo) -> Map<String, Json> {
    let mut element = shape(info.config.as_ref());
    element.insert("priority".to_owned(), info.priority.into());
    element.insert("priorityStr".to_owned(), info.priority.to_string().into());
    put_findings(&mut element, info.findings.status, &info.findings.errors);
    put_list(&mut element, "using", info.using.iter().map(|name| name.as_str().into()).collect());
    element
}

pub(super) fn service(runtime: &Runtime, name: &str, info: &ServiceInfo) -> Map<String, Json> {
    let mut element = shape(info.config.as_ref());
    put_findings(&mut element, info.findings.status, &info.findings.errors);
    let kind = info.config.as_ref().and_then(|config| config.kinds().first().copied());
    if let Some(kind) = kind {
        element.insert("type".to_owned(), kind.to_lowercase().into());
    }
    put_list(&mut element, "usedBy", info.used_by.iter().map(|name| name.as_str().into()).collect());
    if let Some(balancer) = runtime.balancers.get(name) {
        let servers = balancer.status().into_iter().map(|server| {
            let state = if server.is_up { "UP" } else { "DOWN" };
            (server.url.to_string(), Json::from(state))
        });
        element.insert("serverStatus".to_owned(), Json::Object(servers.collect()));
    }
    element
}

pub(super) fn middleware(info: &MiddlewareInfo) -> Map<String, Json> {
    let mut element = shape(info.config.as_ref());
    put_findings(&mut element, info.findings.status, &info.findings.errors);
    let kind = info.config.as_ref().and_then(|config| config.kinds().first().copied());
    if let Some(kind) = kind {
        element.insert("type".to_owned(), kind.to_lowercase().into());
    }
    put_list(&mut element, "usedBy", info.used_by.iter().map(|name| name.as_str().into()).collect());
    element
}

fn foreign_list(runtime: &Runtime, section: &str) -> Vec<Json> {
    let elements = runtime.foreign.get(section).into_iter().flatten();
    elements.map(|(name, info)| named(name, foreign(info))).collect()
}

pub(super) fn foreign(info: &ForeignInfo) -> Map<String, Json> {
    let mut element = shape(Some(&info.config));
    put_findings(&mut element, info.findings.status, &info.findings.errors);
    element
}
