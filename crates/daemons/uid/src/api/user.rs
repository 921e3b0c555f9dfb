//! `/api/user`: who am I, and my password.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, AppState,
    extract::{Body, blocking},
    org::{ORG_ID, ORG_NAME},
};
use crate::{
    auth::{AuthError, Identity},
    clock::rfc3339,
    model::User,
};

/// Shortest password, as Grafana has it.
const MIN_PASSWORD_CHARS: usize = 4;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/user", get(show).put(change))
        .route("/api/user/orgs", get(orgs))
        .route("/api/user/password", put(change_password))
}

/// The user; somebody who is not logged in is none, also when they may look around.
pub(super) fn user_of(identity: &Identity) -> Result<Arc<User>, ApiError> {
    identity.user().cloned().ok_or_else(|| AuthError::Unauthorized.into())
}

async fn show(State(shared): State<AppState>, identity: Identity) -> Result<Json<Value>, ApiError> {
    let user = user_of(&identity)?;
    let theme = shared.stores.preferences.of_user(user.id)?.theme;
    Ok(Json(json!({
        "id": user.id,
        "uid": user.uid,
        "email": user.email,
        "name": user.name,
        "login": user.login,
        "theme": theme,
        "orgId": ORG_ID,
        "isGrafanaAdmin": user.is_admin,
        "isDisabled": false,
        "isExternal": false,
        "isExternallySynced": false,
        "isGrafanaAdminExternallySynced": false,
        "authLabels": [],
        "updatedAt": rfc3339(user.updated_ms),
        "createdAt": rfc3339(user.created_ms),
        "avatarUrl": "",
    })))
}

#[derive(Deserialize)]
struct Change {
    name: Option<String>,
    email: Option<String>,
    login: Option<String>,
    theme: Option<String>,
}

async fn change(
    State(shared): State<AppState>,
    identity: Identity,
    Body(change): Body<Change>,
) -> Result<Json<Value>, ApiError> {
    let user = user_of(&identity)?;
    let Change { name, email, login, theme } = change;
    let bounded = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= 190);
    if !(bounded(&name) && bounded(&email) && bounded(&login)) {
        return Err(ApiError::bad_request("name, email and login hold at most 190 bytes"));
    }
    let stores = shared.stores.clone();
    blocking(move || {
        if let Some(theme) = theme {
            let mut preferences = stores.preferences.of_user(user.id)?;
            preferences.theme = theme;
            super::preferences::check(&preferences)?;
            stores.preferences.set_user(user.id, &preferences)?;
        }
        stores.users.update(user.id, |user| {
            if let Some(name) = name {
                user.name = name;
            }
            if let Some(email) = email.filter(|email| !email.is_empty()) {
                user.email = email;
            }
            if let Some(login) = login.filter(|login| !login.is_empty()) {
                user.login = login;
            }
        })?;
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Json(json!({"message": "User updated"})))
}

async fn orgs(identity: Identity) -> Result<Json<Value>, ApiError> {
    user_of(&identity)?;
    Ok(Json(json!([{"orgId": ORG_ID, "name": ORG_NAME, "role": identity.role.name()}])))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordChange {
    #[serde(default)]
    old_password: String,
    #[serde(default)]
    new_password: String,
}

/// Also ends the user's other sessions.
async fn change_password(
    State(shared): State<AppState>,
    identity: Identity,
    headers: HeaderMap,
    Body(change): Body<PasswordChange>,
) -> Result<Json<Value>, ApiError> {
    let user = user_of(&identity)?;
    match shared.authenticator.check_password(&user.login, &change.old_password).await {
        Ok(_) => {}
        Err(AuthError::Invalid) => {
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "Invalid old password"));
        }
        Err(error) => return Err(error.into()),
    }
    if change.new_password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(ApiError::bad_request("New password is too short"));
    }
    let hash = shared.authenticator.passwords().hash(&change.new_password).await?;
    let token = shared.authenticator.session_token(&headers).map(str::to_owned);
    let stores = shared.stores.clone();
    blocking(move || {
        stores.users.update(user.id, |user| user.password_hash = hash)?;
        stores.sessions.remove_others(user.id, token.as_deref())?;
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Json(json!({"message": "User password changed"})))
}
