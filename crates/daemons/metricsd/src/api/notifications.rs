//! `/notifications`: what holds now; `/notifications/live`: the same as server-sent events, and each change.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{ApiError, ApiState, json as answer, targets::rfc3339};
use crate::notifications::Notification;

pub(super) async fn all(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    answer::success(state.notifications.active().iter().map(shown).collect::<Vec<_>>())
}

pub(super) async fn live(State(state): State<Arc<ApiState>>) -> Response {
    let Some(follower) = state.notifications.follow() else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = format!("data: {}\n\n", shown(&follower.next().await?));
        Some((Ok::<_, Infallible>(Bytes::from(event)), follower))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

fn shown(notification: &Notification) -> Value {
    let Notification { text, date, active } = notification;
    json!({"text": text, "date": rfc3339(*date), "active": active})
}
