//! `/api/datasources`: administrators see and change data sources; secrets go in and never out.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use config::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ApiError, AppState,
    extract::{Body, blocking},
    org::ORG_ID,
};
use crate::{
    auth::Identity,
    model::{DataSource, DataSourceKind, Role},
    store::DataSourceError,
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/datasources", get(list).post(add))
        .route("/api/datasources/uid/{uid}", get(by_uid).put(change_by_uid).delete(remove_by_uid))
        .route("/api/datasources/name/{name}", get(by_name).delete(remove_by_name))
        .route("/api/datasources/id/{name}", get(id_of_name))
        .route("/api/datasources/{id}", get(by_id).put(change_by_id).delete(remove_by_id))
}

/// A data source as clients write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    access: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    database: String,
    #[serde(default)]
    basic_auth: bool,
    #[serde(default)]
    basic_auth_user: String,
    #[serde(default)]
    with_credentials: bool,
    #[serde(default)]
    is_default: bool,
    json_data: Option<Map<String, Value>>,
    secure_json_data: Option<BTreeMap<String, Secret>>,
    version: Option<u64>,
}

impl Wanted {
    /// Secrets that are not sent stay as they were.
    fn into_source(self, old: Option<&DataSource>) -> Result<DataSource, ApiError> {
        if self.kind.trim().is_empty() {
            return Err(ApiError::bad_request("bad request data: type is required"));
        }
        let access = match self.access.as_str() {
            "" | "proxy" => "proxy".to_owned(),
            "direct" => "direct".to_owned(),
            _ => return Err(ApiError::bad_request("bad request data: access is proxy or direct")),
        };
        let mut secure_json_data = old.map(|old| old.secure_json_data.clone()).unwrap_or_default();
        secure_json_data.extend(self.secure_json_data.unwrap_or_default());
        let source = DataSource {
            id: 0,
            uid: self.uid,
            name: self.name.trim().to_owned(),
            kind: self.kind,
            access,
            url: self.url,
            user: self.user,
            database: self.database,
            basic_auth: self.basic_auth,
            basic_auth_user: self.basic_auth_user,
            with_credentials: self.with_credentials,
            is_default: self.is_default,
            json_data: self.json_data.unwrap_or_default(),
            secure_json_data,
            version: 0,
            read_only: false,
        };
        let is_http = source.kind() != DataSourceKind::Other;
        let holds = url::Url::parse(&source.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_http && !source.url.is_empty() && !holds {
            return Err(ApiError::bad_request(
                "Validation error, invalid URL: it must begin with http:// or https://",
            ));
        }
        Ok(source)
    }
}

async fn list(State(shared): State<AppState>, identity: Identity) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let all: Vec<_> = shared.stores.data_sources.list().iter().map(|source| brief(source)).collect();
    Ok(Json(all.into()))
}

fn brief(source: &DataSource) -> Value {
    json!({
        "id": source.id,
        "uid": source.uid,
        "orgId": ORG_ID,
        "name": source.name,
        "type": source.kind,
        "typeName": source.kind,
        "typeLogoUrl": "",
        "access": source.access,
        "url": source.url,
        "user": source.user,
        "database": source.database,
        "basicAuth": source.basic_auth,
        "isDefault": source.is_default,
        "jsonData": source.json_data,
        "readOnly": source.read_only,
    })
}

fn full(source: &DataSource) -> Value {
    let fields: Map<String, Value> = source
        .secure_json_data
        .iter()
        .filter(|(_, secret)| !secret.is_empty())
        .map(|(name, _)| (name.clone(), true.into()))
        .collect();
    let mut value = brief(source);
    if let Value::Object(value) = &mut value {
        value.insert("basicAuthUser".into(), source.basic_auth_user.as_str().into());
        value.insert("withCredentials".into(), source.with_credentials.into());
        value.insert("secureJsonFields".into(), fields.into());
        value.insert("version".into(), source.version.into());
    }
    value
}

fn found(source: Option<Arc<DataSource>>) -> Result<Arc<DataSource>, ApiError> {
    Ok(source.ok_or(DataSourceError::NotFound)?)
}

async fn by_uid(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    Ok(Json(full(&*found(shared.stores.data_sources.by_uid(&uid))?)))
}

async fn by_name(
    State(shared): State<AppState>,
    identity: Identity,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    Ok(Json(full(&*found(shared.stores.data_sources.by_name(&name))?)))
}

async fn by_id(
    State(shared): State<AppState>,
    identity: Identity,
    Path(id): Path<u64>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    Ok(Json(full(&*found(shared.stores.data_sources.by_id(id))?)))
}

async fn id_of_name(
    State(shared): State<AppState>,
    _: Identity,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"id": found(shared.stores.data_sources.by_name(&name))?.id})))
}

async fn add(
    State(shared): State<AppState>,
    identity: Identity,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let source = wanted.into_source(None)?;
    let stores = shared.stores.clone();
    let source = blocking(move || stores.data_sources.create(source)).await?;
    Ok(Json(changed(&source, "Datasource added")))
}

async fn change_by_uid(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let old = found(shared.stores.data_sources.by_uid(&uid))?;
    change(&shared, &old, wanted).await
}

async fn change_by_id(
    State(shared): State<AppState>,
    identity: Identity,
    Path(id): Path<u64>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let old = found(shared.stores.data_sources.by_id(id))?;
    change(&shared, &old, wanted).await
}

async fn change(shared: &AppState, old: &DataSource, wanted: Wanted) -> Result<Json<Value>, ApiError> {
    let (id, version) = (old.id, wanted.version.filter(|version| *version > 0));
    let source = wanted.into_source(Some(old))?;
    let stores = shared.stores.clone();
    let source = blocking(move || stores.data_sources.update(id, version, source)).await?;
    Ok(Json(changed(&source, "Datasource updated")))
}

fn changed(source: &DataSource, message: &str) -> Value {
    json!({"datasource": full(source), "id": source.id, "message": message, "name": source.name})
}

async fn remove_by_uid(
    State(shared): State<AppState>,
    identity: Identity,
    Path(uid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let id = found(shared.stores.data_sources.by_uid(&uid))?.id;
    remove(&shared, id).await
}

async fn remove_by_name(
    State(shared): State<AppState>,
    identity: Identity,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let id = found(shared.stores.data_sources.by_name(&name))?.id;
    remove(&shared, id).await
}

async fn remove_by_id(
    State(shared): State<AppState>,
    identity: Identity,
    Path(id): Path<u64>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    remove(&shared, id).await
}

async fn remove(shared: &AppState, id: u64) -> Result<Json<Value>, ApiError> {
    let stores = shared.stores.clone();
    blocking(move || stores.data_sources.delete(id)).await?;
    Ok(Json(json!({"id": id, "message": "Data source deleted"})))
}
