//! `/api/dashboards`: one by uid, saving, removing, home, tags.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, AppState, Shared,
    extract::{Body, blocking},
};
use crate::{
    auth::Identity,
    clock::rfc3339,
    model::{Dashboard, Role, slugify},
    store::{CatalogError, DashboardSave},
};

/// Largest home dashboard file, in bytes.
const MAX_HOME_BYTES: u64 = 10 << 20;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/dashboards/uid/{uid}", get(show).delete(remove))
        .route("/api/dashboards/db", post(save))
        .route("/api/dashboards/home", get(home))
        .route("/api/dashboards/tags", get(tags))
}

async fn show(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let dashboard = shared.stores.catalog.dashboard(&uid).ok_or(CatalogError::DashboardNotFound)?;
    Ok(Json(json!({"dashboard": dashboard.json, "meta": meta(&shared, &dashboard, &identity)})))
}

fn meta(shared: &Shared, dashboard: &Dashboard, identity: &Identity) -> Value {
    let folder = shared.stores.catalog.folder(&dashboard.folder_uid);
    let (folder_id, folder_title, folder_url) = match &folder {
        Some(folder) => {
            let slug = slugify(&folder.title);
            (folder.id, folder.title.as_str(), shared.link(&format!("/dashboards/f/{}/{slug}", folder.uid)))
        }
        None => (0, "General", String::new()),
    };
    let locked = dashboard.provisioned.as_ref().is_some_and(|file| !file.allow_ui_updates);
    let may_edit = identity.role >= Role::Editor;
    let slug = dashboard.slug();
    json!({
        "type": "db",
        "isStarred": false,
        "slug": slug,
        "url": shared.link(&format!("/d/{}/{slug}", dashboard.uid)),
        "version": dashboard.version,
        "hasAcl": false,
        "isFolder": false,
        "folderId": folder_id,
        "folderUid": dashboard.folder_uid,
        "folderTitle": folder_title,
        "folderUrl": folder_url,
        "created": rfc3339(dashboard.created_ms),
        "createdBy": dashboard.created_by,
        "updated": rfc3339(dashboard.updated_ms),
        "updatedBy": dashboard.updated_by,
        "expires": "0001-01-01T00:00:00Z",
        "canSave": may_edit && !locked,
        "canEdit": may_edit || shared.settings.users.viewers_can_edit,
        "canAdmin": identity.role >= Role::Admin,
        "canDelete": may_edit && dashboard.provisioned.is_none(),
        "canStar": false,
        "provisioned": locked,
        "provisionedExternalId": dashboard.provisioned.as_ref().map_or("", |file| &file.file),
        "annotationsPermissions": null,
        "publicDashboardEnabled": false,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    dashboard: Value,
    folder_uid: Option<String>,
    folder_id: Option<u64>,
    #[serde(default)]
    overwrite: bool,
}

async fn save(
    State(shared): State<AppState>,
    identity: Identity,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Editor)?;
    let Wanted { dashboard, folder_uid, folder_id, overwrite } = wanted;
    let mut dashboard = Dashboard::from_json(dashboard)?;
    let catalog = &shared.stores.catalog;
    let by_id = || {
        let id = folder_id.filter(|id| *id > 0)?;
        catalog.folders().into_iter().find(|folder| folder.id == id).map(|folder| folder.uid.clone())
    };
    dashboard.folder_uid = folder_uid
        .filter(|uid| !uid.is_empty())
        .or_else(by_id)
        .filter(|uid| uid != "general")
        .unwrap_or_default();
    let number = |key: &str| dashboard.json.get(key).and_then(Value::as_u64);
    let save = DashboardSave {
        author: identity.name().to_owned(),
        overwrite,
        id: number("id").filter(|id| *id > 0),
        version: number("version"),
    };
    let stores = shared.stores.clone();
    let saved = blocking(move || stores.catalog.save_dashboard(dashboard, &save)).await?;
    let slug = saved.slug();
    Ok(Json(json!({
        "id": saved.id,
        "uid": saved.uid,
        "url": shared.link(&format!("/d/{}/{slug}", saved.uid)),
        "status": "success",
        "version": saved.version,
        "slug": slug,
        "folderUid": saved.folder_uid,
    })))
}

async fn remove(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Editor)?;
    let stores = shared.stores.clone();
    let removed = blocking(move || stores.catalog.delete_dashboard(&uid)).await?;
    let message = format!("Dashboard {} deleted", removed.title);
    Ok(Json(json!({"title": removed.title, "message": message, "id": removed.id, "uid": removed.uid})))
}

/// Where to begin: the person's home dashboard, the organisation's, the configured page, the configured file, or nothing in particular.
async fn home(State(shared): State<AppState>, identity: Identity) -> Result<Json<Value>, ApiError> {
    let preferences = &shared.stores.preferences;
    let own = match identity.user() {
        Some(user) => preferences.of_user(user.id)?.home_dashboard_uid,
        None => String::new(),
    };
    let chosen = if own.is_empty() { preferences.of_org()?.home_dashboard_uid } else { own };
    if let Some(dashboard) = shared.stores.catalog.dashboard(&chosen) {
        let path = format!("/d/{}/{}", dashboard.uid, dashboard.slug());
        return Ok(Json(json!({"redirectUri": path})));
    }
    if !shared.settings.users.home_page.is_empty() {
        return Ok(Json(json!({"redirectUri": shared.settings.users.home_page})));
    }
    let dashboard = match shared.settings.dashboards.default_home_path.clone() {
        Some(path) => blocking(move || read_home(&path)).await?,
        None => json!({"title": "Home", "uid": "", "panels": [], "schemaVersion": 41}),
    };
    let may_edit = identity.role >= Role::Editor;
    Ok(Json(json!({
        "dashboard": dashboard,
        "meta": {"isHome": true, "canSave": false, "canEdit": may_edit, "canStar": false, "slug": "", "url": ""},
    })))
}

fn read_home(path: &std::path::Path) -> Result<Value, ApiError> {
    let failed = |error: &std::io::Error| ApiError::internal(error);
    if std::fs::metadata(path).map_err(|error| failed(&error))?.len() > MAX_HOME_BYTES {
        return Err(ApiError::bad_request("the home dashboard's file is over the limit of 10 MiB"));
    }
    let text = std::fs::read(path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&text).map_err(|error| ApiError::internal(&error))
}

async fn tags(State(shared): State<AppState>, _: Identity) -> Json<Value> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for dashboard in shared.stores.catalog.dashboards() {
        for tag in &dashboard.tags {
            *counts.entry(tag.clone()).or_default() += 1;
        }
    }
    Json(counts.into_iter().map(|(term, count)| json!({"term": term, "count": count})).collect())
}
