//! `/api/folders`.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, AppState, Shared,
    extract::{Body, blocking, query_pairs},
    org::ORG_ID,
};
use crate::{
    auth::Identity,
    clock::rfc3339,
    model::{Folder, Role, slugify},
    store::{CatalogError, FolderSave},
};

const DEFAULT_LIMIT: usize = 1000;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/folders", get(list).post(add))
        .route("/api/folders/{uid}", get(show).put(rename).delete(remove))
        .route("/api/folders/{uid}/counts", get(counts))
}

async fn list(
    State(shared): State<AppState>,
    _: Identity,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let pairs = query_pairs(query.as_deref());
    let text = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let number = |key: &str, default| text(key).and_then(|value| value.parse().ok()).unwrap_or(default);
    let (limit, page): (usize, usize) = (number("limit", DEFAULT_LIMIT), number("page", 1));
    let parent = text("parentUid").unwrap_or_default();
    let mut folders = shared.stores.catalog.folders();
    folders.retain(|folder| folder.parent_uid == parent);
    folders.sort_by_key(|folder| folder.title.to_lowercase());
    let skip = limit.saturating_mul(page.saturating_sub(1));
    let all = folders.iter().skip(skip).take(limit).map(|folder| {
        let mut item = json!({"id": folder.id, "uid": folder.uid, "title": folder.title});
        if let Value::Object(item) = &mut item
            && !folder.parent_uid.is_empty()
        {
            item.insert("parentUid".into(), folder.parent_uid.as_str().into());
        }
        item
    });
    Ok(Json(all.collect()))
}

async fn show(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let folder = shared.stores.catalog.folder(&uid).ok_or(CatalogError::FolderNotFound)?;
    Ok(Json(full(&shared, &folder, &identity)))
}

async fn counts(
    State(shared): State<AppState>,
    _: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let catalog = &shared.stores.catalog;
    let folder = catalog.folder(&uid).ok_or(CatalogError::FolderNotFound)?;
    let dashboards = catalog.dashboards().iter().filter(|item| item.folder_uid == folder.uid).count();
    let folders = catalog.folders().iter().filter(|item| item.parent_uid == folder.uid).count();
    Ok(Json(json!({"dashboard": dashboards, "folder": folders, "alertrule": 0, "librarypanel": 0})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    parent_uid: String,
    version: Option<u64>,
    #[serde(default)]
    overwrite: bool,
}

async fn add(
    State(shared): State<AppState>,
    identity: Identity,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Editor)?;
    let Wanted { uid, title, parent_uid, .. } = wanted;
    let save = FolderSave { author: identity.name().to_owned(), uid, title, parent_uid };
    let stores = shared.stores.clone();
    let folder = blocking(move || stores.catalog.create_folder(save)).await?;
    Ok(Json(full(&shared, &folder, &identity)))
}

async fn rename(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Editor)?;
    let author = identity.name().to_owned();
    let version = if wanted.overwrite { None } else { Some(wanted.version.unwrap_or(0)) };
    let stores = shared.stores.clone();
    let folder =
        blocking(move || stores.catalog.rename_folder(&uid, &wanted.title, version, &author)).await?;
    Ok(Json(full(&shared, &folder, &identity)))
}

async fn remove(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Editor)?;
    let stores = shared.stores.clone();
    let folder = blocking(move || stores.catalog.delete_folder(&uid)).await?;
    Ok(Json(json!({"id": folder.id, "title": folder.title, "message": "Folder deleted"})))
}

fn full(shared: &Shared, folder: &Folder, identity: &Identity) -> Value {
    let may_edit = identity.role >= Role::Editor;
    let brief = |folder: &Folder| {
        json!({
            "id": folder.id,
            "uid": folder.uid,
            "orgId": ORG_ID,
            "title": folder.title,
            "url": shared.link(&format!("/dashboards/f/{}/{}", folder.uid, slugify(&folder.title))),
            "hasAcl": false,
            "canSave": may_edit,
            "canEdit": may_edit,
            "canAdmin": identity.role >= Role::Admin,
            "canDelete": may_edit,
            "createdBy": folder.created_by,
            "created": rfc3339(folder.created_ms),
            "updatedBy": folder.updated_by,
            "updated": rfc3339(folder.updated_ms),
            "version": folder.version,
        })
    };
    let mut value = brief(folder);
    if let Value::Object(value) = &mut value
        && !folder.parent_uid.is_empty()
    {
        let parents: Vec<_> =
            shared.stores.catalog.parents(folder).iter().map(|parent| brief(parent)).collect();
        value.insert("parentUid".into(), folder.parent_uid.as_str().into());
        value.insert("parents".into(), parents.into());
    }
    value
}
