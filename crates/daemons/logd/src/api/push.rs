//! `/loki/api/v1/push` and `/api/prom/push`.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
};
use http::{HeaderMap, StatusCode, header};
use service::spawn_blocking;
use wire::loki_push::{self, PushedStream};

use super::{
    ApiError, ApiState,
    body::{Encoding, announced_size, decompress, encoding, unsnap},
    push_json,
    tenant::TenantName,
};
use crate::{
    ingest::{Reason, Refusal},
    maintenance::now,
};

/// How JSON bodies are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    V1,
    Legacy,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json(Layout),
    Protobuf,
}

pub(super) async fn v1(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    push(state, tenant, headers, body, Layout::V1).await
}

pub(super) async fn legacy(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    push(state, tenant, headers, body, Layout::Legacy).await
}

async fn push(
    state: Arc<ApiState>,
    TenantName(tenant): TenantName,
    headers: HeaderMap,
    body: Body,
    layout: Layout,
) -> Result<StatusCode, ApiError> {
    let encoding = encoding(&headers)?;
    let format = format(&headers, layout)?;
    let read = state.room.read(&state.config, &headers, body).await;
    let (body, room) = read.inspect_err(|error| {
        if let ApiError::Refused(refusal) = error {
            count_if_too_large(&state, &tenant, refusal, announced_size(&headers).unwrap_or(0));
        }
    })?;
    let turn = state.room.turn().await?;
    spawn_blocking(move || {
        let (_room, _turn) = (room, turn);
        let size = body.len();
        let streams = decode(body, encoding, format, state.config.max_decompressed_bytes)
            .inspect_err(|refusal| count_if_too_large(&state, &tenant, refusal, size))?;
        let tenant = state.tenants.open(&tenant)?;
        state.ingester.push(&tenant, streams, now())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await?
}

/// Counts a body that is too large, in its compressed size. Names that nobody stored anything under are not counted: anyone may make up
/// any number of them.
fn count_if_too_large(state: &ApiState, tenant: &str, refusal: &Refusal, size: usize) {
    if refusal.status == StatusCode::PAYLOAD_TOO_LARGE && state.tenants.is_open(tenant) {
        state.ingester.metrics().discarded(Reason::RequestBodyTooLarge, tenant, 0, size);
    }
}

fn decode(body: Bytes, encoding: Encoding, format: Format, max: usize) -> Result<Vec<PushedStream>, Refusal> {
    let body = decompress(body, encoding, max)?;
    match format {
        Format::Json(layout) => {
            let decoded = match layout {
                Layout::V1 => push_json::decode(&body),
                Layout::Legacy => push_json::decode_legacy(&body),
            };
            decoded.map_err(|error| Refusal::new(400, error.to_string()))
        }
        Format::Protobuf => {
            let body = unsnap(&body, max)?;
            loki_push::decode(&body).map_err(|error| Refusal::new(400, error.to_string()))
        }
    }
}

/// JSON where the type says so, protobuf for every other type; a type there must be.
fn format(headers: &HeaderMap, layout: Layout) -> Result<Format, Refusal> {
    let text = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or_default());
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
    };
    if media_type.is_empty() {
        return Err(Refusal::new(400, "mime: no media type"));
    }
    match media_type.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => {}
        None if is_token(media_type) => {}
        Some((_, "")) => return Err(Refusal::new(400, "mime: expected token after slash")),
        _ => return Err(Refusal::new(400, "mime: unexpected content after media subtype")),
    }
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(Format::Json(layout));
    }
    Ok(Format::Protobuf)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn types_of_bodies() {
        let check = |text: &'static str, want: Result<Format, &str>| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]);
            let got = format(&headers, Layout::V1).map_err(|refusal| refusal.text);
            assert_eq!(got, want.map_err(str::to_owned), "{text}");
        };
        check("application/json", Ok(Format::Json(Layout::V1)));
        check("Application/JSON; charset=utf-8", Ok(Format::Json(Layout::V1)));
        check("application/x-protobuf", Ok(Format::Protobuf));
        check("text/plain", Ok(Format::Protobuf));
        check("", Err("mime: no media type"));
        check("application/;;", Err("mime: expected token after slash"));
    }
}
