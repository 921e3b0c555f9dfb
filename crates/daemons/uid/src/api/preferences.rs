//! `/api/user/preferences`, `/api/org/preferences`.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Map, Value, json};

use super::{
    ApiError, AppState,
    extract::{Body, blocking},
    user::user_of,
};
use crate::{
    auth::Identity,
    model::{Preferences, Role},
};

/// Longest value, in bytes.
const MAX_VALUE_BYTES: usize = 100;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/user/preferences", get(of_user).put(set_user).patch(patch_user))
        .route("/api/org/preferences", get(of_org).put(set_org).patch(patch_org))
}

/// Refuses what no client of ours can have meant.
pub(super) fn check(preferences: &Preferences) -> Result<(), ApiError> {
    let Preferences { theme, home_dashboard_uid, timezone, week_start, language } = preferences;
    if !matches!(theme.as_str(), "" | "dark" | "light" | "system") {
        return Err(ApiError::bad_request("Invalid theme"));
    }
    for value in [home_dashboard_uid, timezone, week_start, language] {
        if value.len() > MAX_VALUE_BYTES {
            return Err(ApiError::bad_request(format!("values hold at most {MAX_VALUE_BYTES} bytes")));
        }
    }
    Ok(())
}

/// The keys of `changes` over what holds. Keys we do not know are left to newer clients.
fn merge(preferences: &Preferences, changes: Map<String, Value>) -> Result<Preferences, ApiError> {
    let bad = |error: serde_json::Error| ApiError::bad_request(format!("bad request data: {error}"));
    let mut merged = serde_json::to_value(preferences).map_err(bad)?;
    if let Value::Object(merged) = &mut merged {
        merged.extend(changes.into_iter().filter(|(_, value)| !value.is_null()));
    }
    let merged = serde_json::from_value(merged).map_err(bad)?;
    check(&merged)?;
    Ok(merged)
}

async fn of_user(State(shared): State<AppState>, identity: Identity) -> Result<Json<Preferences>, ApiError> {
    Ok(Json(shared.stores.preferences.of_user(user_of(&identity)?.id)?))
}

async fn set_user(
    State(shared): State<AppState>,
    identity: Identity,
    Body(wanted): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let user = user_of(&identity)?;
    let wanted = merge(&Preferences::default(), wanted)?;
    let stores = shared.stores.clone();
    blocking(move || stores.preferences.set_user(user.id, &wanted)).await?;
    Ok(updated())
}

async fn patch_user(
    State(shared): State<AppState>,
    identity: Identity,
    Body(changes): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let user = user_of(&identity)?;
    let stores = shared.stores.clone();
    blocking(move || {
        let merged = merge(&stores.preferences.of_user(user.id)?, changes)?;
        Ok::<_, ApiError>(stores.preferences.set_user(user.id, &merged)?)
    })
    .await?;
    Ok(updated())
}

async fn of_org(State(shared): State<AppState>, identity: Identity) -> Result<Json<Preferences>, ApiError> {
    identity.require(Role::Admin)?;
    Ok(Json(shared.stores.preferences.of_org()?))
}

async fn set_org(
    State(shared): State<AppState>,
    identity: Identity,
    Body(wanted): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let wanted = merge(&Preferences::default(), wanted)?;
    let stores = shared.stores.clone();
    blocking(move || stores.preferences.set_org(&wanted)).await?;
    Ok(updated())
}

async fn patch_org(
    State(shared): State<AppState>,
    identity: Identity,
    Body(changes): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    identity.require(Role::Admin)?;
    let stores = shared.stores.clone();
    blocking(move || {
        let merged = merge(&stores.preferences.of_org()?, changes)?;
        Ok::<_, ApiError>(stores.preferences.set_org(&merged)?)
    })
    .await?;
    Ok(updated())
}

fn updated() -> Json<Value> {
    Json(json!({"message": "Preferences updated"}))
}
