//! `POST /login`, `GET /logout`, `GET /api/login/ping`.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tracing::{info, warn};

use super::{
    ApiError, AppState,
    extract::{Body, blocking},
};
use crate::{auth::Identity, config::Settings};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        // Browsers that open /login want the app: a GET is left to it.
        .route("/login", post(login))
        .route("/logout", get(logout))
        .route("/api/login/ping", get(ping))
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
}

/// The client's address, where the server knows it.
struct Client(String);

impl FromRequestParts<AppState> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(address.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string())))
    }
}

async fn login(
    State(shared): State<AppState>,
    Client(client): Client,
    Body(Credentials { user, password }): Body<Credentials>,
) -> Result<Response, ApiError> {
    if shared.settings.auth.disable_login_form {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "the login form is off: auth.disable_login_form"));
    }
    let found = match shared.authenticator.check_password(&user, &password).await {
        Ok(found) => found,
        Err(error) => {
            warn!(client, %error, "login failed");
            return Err(error.into());
        }
    };
    info!(client, user = found.login, "logged in");
    let stores = shared.stores.clone();
    let token = blocking(move || stores.sessions.create(found.id, &client)).await?;
    let cookie = cookie(&shared.settings, &token, shared.settings.auth.maximum_lifetime);
    let answer = Json(json!({"message": "Logged in", "redirectUrl": shared.link("/")}));
    Ok(([(header::SET_COOKIE, cookie?)], answer).into_response())
}

async fn logout(State(shared): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(token) = shared.authenticator.session_token(&headers).map(str::to_owned) {
        let stores = shared.stores.clone();
        blocking(move || stores.sessions.remove(&token)).await?;
    }
    let cookie = cookie(&shared.settings, "", Duration::ZERO)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&shared.link("/login"))).into_response())
}

async fn ping(_: Identity) -> Json<serde_json::Value> {
    Json(json!({"message": "Logged in"}))
}

fn cookie(settings: &Settings, token: &str, lifetime: Duration) -> Result<HeaderValue, ApiError> {
    let path = if settings.server.sub_path.is_empty() { "/" } else { &settings.server.sub_path };
    let mut text = format!(
        "{}={token}; Path={path}; Max-Age={}; HttpOnly",
        settings.auth.cookie_name,
        lifetime.as_secs()
    );
    if let Some(same_site) = settings.security.cookie_same_site {
        text.push_str("; SameSite=");
        text.push_str(same_site);
    }
    if settings.security.cookie_secure {
        text.push_str("; Secure");
    }
    let mut value = HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error))?;
    value.set_sensitive(true);
    Ok(value)
}
