//! `GET /api/frontend/settings`: what the web app must know before it shows anything.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Map, Value, json};

use super::AppState;
use crate::{
    auth::Identity,
    model::{DataSource, Role},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/frontend/settings", get(show))
}

async fn show(State(shared): State<AppState>, identity: Identity) -> Json<Value> {
    let settings = &shared.settings;
    let sources = shared.stores.data_sources.list();
    let mut data_sources: Map<String, Value> = sources
        .iter()
        .map(|source| (source.name.clone(), data_source(source, &settings.server.sub_path)))
        .collect();
    data_sources.insert(
        "-- Grafana --".into(),
        json!({
            "id": -1, "uid": "grafana", "type": "datasource", "name": "-- Grafana --",
            "meta": {"id": "grafana", "name": "-- Grafana --", "type": "datasource", "builtIn": true},
            "isDefault": false, "access": "direct", "jsonData": {}, "readOnly": false,
        }),
    );
    let default =
        sources.iter().find(|source| source.is_default).map_or("-- Grafana --", |source| &source.name);
    let hide_version = identity.user().is_none()
        && settings.auth.anonymous.as_ref().is_some_and(|anonymous| anonymous.hide_version);
    let version = if hide_version { "" } else { service::Version::NUMBER };
    Json(json!({
        "appUrl": settings.server.root_url.as_str(),
        "appSubUrl": settings.server.sub_path,
        "buildInfo": {
            "version": version, "commit": "", "edition": "Open Source", "env": "production",
            "hideVersion": hide_version, "hasUpdate": false, "latestVersion": "",
        },
        "namespace": "default",
        "datasources": data_sources,
        "defaultDatasource": default,
        "panels": {},
        "minRefreshInterval": settings.dashboards.min_refresh_interval,
        "defaultTheme": settings.users.default_theme,
        "homePage": settings.users.home_page,
        "anonymousEnabled": settings.auth.anonymous.is_some(),
        "anonymousOrgRole": settings.auth.anonymous.as_ref().map(|anonymous| anonymous.role.name()),
        "viewersCanEdit": settings.users.viewers_can_edit,
        "exploreEnabled": identity.role >= Role::Editor || settings.users.viewers_can_edit,
        "auth": {"disableLogin": false, "disableLoginForm": settings.auth.disable_login_form},
        "disableLoginForm": settings.auth.disable_login_form,
        "disableUserSignUp": true,
        "unifiedAlertingEnabled": false,
        "alertingEnabled": false,
        "featureToggles": {},
        "oauth": {},
    }))
}

/// Never with secrets: viewers read this.
fn data_source(source: &DataSource, sub_path: &str) -> Value {
    json!({
        "id": source.id,
        "uid": source.uid,
        "type": source.kind,
        "name": source.name,
        "meta": {"id": source.kind, "name": source.kind, "type": "datasource"},
        "url": format!("{sub_path}/api/datasources/proxy/uid/{}", source.uid),
        "isDefault": source.is_default,
        "access": source.access,
        "preset": false,
        "jsonData": source.json_data,
        "readOnly": source.read_only,
    })
}
