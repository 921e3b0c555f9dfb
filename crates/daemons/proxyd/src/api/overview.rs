//! `/api/version` and `/api/overview`.

use serde_json::{Value as Json, json};
use service::Version;

use crate::{runtime::Status, shared::Shared};

pub(super) fn version(shared: &Shared) -> Json {
    json!({
        "Version": Version::NUMBER,
        "Codename": "proxyd",
        "startDate": shared.started.to_string(),
    })
}

pub(super) fn overview(shared: &Shared) -> Json {
    let runtime = shared.runtime.load();
    let foreign = |section: &str| {
        count(runtime.foreign.get(section).into_iter().flatten().map(|(_, info)| info.findings.status))
    };
    json!({
        "http": {
            "routers": count(runtime.routers.values().map(|info| info.findings.status)),
            "services": count(runtime.services.values().map(|info| info.findings.status)),
            "middlewares": count(runtime.middlewares.values().map(|info| info.findings.status)),
        },
        "tcp": {
            "routers": foreign("tcpRouters"),
            "services": foreign("tcpServices"),
            "middlewares": foreign("tcpMiddlewares"),
        },
        "udp": { "routers": foreign("udpRouters"), "services": foreign("udpServices") },
        "certificates": { "total": runtime.tls.store.certificates().len(), "warnings": 0, "errors": 0 },
        "features": {
            "tracing": "",
            "metrics": if shared.settings.prometheus.is_some() { "Prometheus" } else { "" },
            "accessLog": shared.settings.has_access_log,
        },
        "providers": shared.settings.providers.iter().map(|name| capitalized(name)).collect::<Vec<_>>(),
    })
}

fn count(statuses: impl Iterator<Item = Status>) -> Json {
    let (mut total, mut warnings, mut errors) = (0, 0, 0);
    for status in statuses {
        total += 1;
        match status {
            Status::Enabled => {}
            Status::Warning => warnings += 1,
            Status::Disabled => errors += 1,
        }
    }
    json!({ "total": total, "warnings": warnings, "errors": errors })
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
