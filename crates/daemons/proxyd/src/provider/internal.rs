//! The proxy's own routers: API, dashboard, ping, metrics, health, and redirections between entry points.

use middleware::{MiddlewareConfig, RedirectRegex, RedirectScheme};

use super::{Configuration, Provided};
use crate::config::{
    dynamic_file::RouterConfig,
    settings::{OWN_ENTRY_POINT, Settings},
};

/// Name of this provider in `name@provider`.
pub(crate) const PROVIDER: &str = "internal";
/// The highest priority there is; user routers stay below by convention.
const TOP: i64 = i64::MAX;

/// Adds the proxy's own routers.
pub(crate) fn add(settings: &Settings, configuration: &mut Configuration) {
    let mut router =
        |name: &str, entry_point: &str, rule: &str, service: &str, priority, middlewares: &[&str]| {
            let config = RouterConfig {
                entry_points: vec![entry_point.to_owned()],
                middlewares: middlewares.iter().map(|name| (*name).to_owned()).collect(),
                service: service.to_owned(),
                rule: rule.to_owned(),
                rule_syntax: "v3".to_owned(),
                priority,
                ..RouterConfig::default()
            };
            let provided = Provided { config: Ok(config), stale: None };
            configuration.routers.insert(format!("{name}@{PROVIDER}"), provided);
        };
    if settings.entry_points.contains_key(OWN_ENTRY_POINT) {
        router("frame", OWN_ENTRY_POINT, "PathPrefix(`/-/`)", "frame@internal", TOP, &[]);
    }
    if let Some(api) = settings.api.as_ref().filter(|api| api.insecure) {
        router("api", OWN_ENTRY_POINT, "PathPrefix(`/api`)", "api@internal", TOP - 1, &[]);
        if api.dashboard {
            let service = "dashboard@internal";
            let to_dashboard = &["dashboard_redirect@internal"];
            router("dashboard", OWN_ENTRY_POINT, "PathPrefix(`/`)", service, TOP - 2, to_dashboard);
        }
    }
    if let Some(ping) = settings.ping.as_ref().filter(|ping| !ping.manual_routing) {
        router("ping", &ping.entry_point, "Path(`/ping`)", "ping@internal", TOP, &[]);
    }
    if let Some(metrics) = settings.prometheus.as_ref().filter(|metrics| !metrics.manual_routing) {
        router("prometheus", &metrics.entry_point, "PathPrefix(`/metrics`)", "prometheus@internal", TOP, &[]);
    }
    for (name, point) in &settings.entry_points {
        let Some(redirection) = &point.redirection else { continue };
        let own = format!("{name}-to-{}", redirection.to.trim_start_matches(':'));
        let middleware = format!("redirect-{own}");
        router(
            &own,
            name,
            "HostRegexp(`^.+$`)",
            "noop@internal",
            redirection.priority,
            &[&format!("{middleware}@{PROVIDER}")],
        );
        let scheme = RedirectScheme {
            scheme: redirection.scheme.clone(),
            port: redirection.port.clone(),
            permanent: redirection.permanent,
        };
        let config = MiddlewareConfig { redirect_scheme: Some(scheme), ..MiddlewareConfig::default() };
        let provided = Provided { config: Ok(config), stale: None };
        configuration.middlewares.insert(format!("{middleware}@{PROVIDER}"), provided);
    }
    if settings.api.as_ref().is_some_and(|api| api.insecure && api.dashboard) {
        let redirect = RedirectRegex {
            regex: "^(https?://[^/]+)/(dashboard)?$".to_owned(),
            replacement: "${1}/dashboard/".to_owned(),
            permanent: false,
        };
        let config = MiddlewareConfig { redirect_regex: Some(redirect), ..MiddlewareConfig::default() };
        let provided = Provided { config: Ok(config), stale: None };
        configuration.middlewares.insert(format!("dashboard_redirect@{PROVIDER}"), provided);
    }
}
