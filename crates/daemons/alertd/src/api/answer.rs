//! Answers that are not what was asked for: a text as JSON, or a code with a text where the request itself was wrong.

use axum::{
    Json,
    body::Bytes,
    extract::rejection::BytesRejection,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::json;

/// An answer to a request that failed.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing but the status.
    Bare(StatusCode),
    /// A text.
    Text(StatusCode, String),
    /// What the original's framework says about requests that do not fit the API's description.
    Coded { status: StatusCode, code: u16, message: String },
}

impl Answer {
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::Text(StatusCode::BAD_REQUEST, text.into())
    }

    pub fn coded(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        Self::Coded { status, code, message: message.into() }
    }

    /// A field of the body is missing.
    pub fn required(field: &str) -> Self {
        Self::coded(StatusCode::UNPROCESSABLE_ENTITY, 602, format!("{field} in body is required"))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Bare(status) => status.into_response(),
            Self::Text(status, text) => (status, Json(text)).into_response(),
            Self::Coded { status, code, message } => {
                (status, Json(json!({"code": code, "message": message}))).into_response()
            }
        }
    }
}

/// Reads a JSON body; `what` names it in errors.
pub(super) fn read_json<T: DeserializeOwned>(
    what: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Answer> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    // Go's framework takes a body without a type for one of the first that it knows.
    if !media_type.is_empty() && !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Answer::coded(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            415,
            format!("unsupported media type {media_type:?}, only [application/json] are allowed"),
        ));
    }
    let body = body.map_err(|rejection| Answer::Text(rejection.status(), rejection.body_text()))?;
    if body.is_empty() {
        return Err(Answer::required(what));
    }
    serde_json::from_slice(&body).map_err(|error| {
        Answer::coded(
            StatusCode::BAD_REQUEST,
            400,
            format!("parsing {what} body from \"\" failed, because {error}"),
        )
    })
}
