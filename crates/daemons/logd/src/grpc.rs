//! gRPC: `logproto.Pusher`.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use service::spawn_blocking;
use tonic::{
    Code, Request, Response, Status,
    service::{Routes, RoutesBuilder},
};
use wire::{
    loki::{
        EntryAdapter, PushRequest, PushResponse, StreamAdapter,
        pusher_server::{Pusher, PusherServer},
    },
    loki_push::{PushedEntry, PushedStream},
};

use crate::{
    api::{ApiState, RequestDurations, tenant_of},
    ingest::Refusal,
    maintenance::now,
};

/// The services.
pub(crate) fn routes(state: Arc<ApiState>, durations: RequestDurations) -> Routes {
    let max = state.config.grpc_max_message;
    let pusher = PusherServer::new(PushService { state, durations })
        .max_decoding_message_size(max)
        .accept_compressed(tonic::codec::CompressionEncoding::Gzip);
    let mut routes = RoutesBuilder::default();
    routes.add_service(pusher);
    routes.routes()
}

struct PushService {
    state: Arc<ApiState>,
    durations: RequestDurations,
}

#[tonic::async_trait]
impl Pusher for PushService {
    async fn push(&self, request: Request<PushRequest>) -> Result<Response<PushResponse>, Status> {
        let started = Instant::now();
        let outcome = self.take(request).await;
        let code = outcome.as_ref().map_or_else(|status| status.code(), |_| Code::Ok);
        let code = if code == Code::Ok { "success".to_owned() } else { format!("{code:?}") };
        self.durations.observe("gRPC", "/logproto.Pusher/Push", &code, started);
        outcome
    }
}

impl PushService {
    async fn take(&self, request: Request<PushRequest>) -> Result<Response<PushResponse>, Status> {
        let state = self.state.clone();
        if !state.readiness.is_ready() {
            return Err(Status::unavailable("Ingester not ready"));
        }
        let header =
            request.metadata().get("x-scope-orgid").map(|value| value.to_str().unwrap_or("\u{fffd}"));
        let tenant = tenant_of(&state.config, header).map_err(Status::unauthenticated)?.to_owned();
        let turn = state.room.turn().await.map_err(|_| Status::unavailable("too many pushes at a time"))?;
        spawn_blocking(move || {
            let _turn = turn;
            let mut streams = Vec::new();
            for stream in request.into_inner().streams {
                streams.push(pushed(stream)?);
            }
            let tenant =
                state.tenants.open(&tenant).map_err(|error| Status::unavailable(service::report(&error)))?;
            state.ingester.push(&tenant, streams, now()).map_err(status)?;
            Ok(Response::new(PushResponse {}))
        })
        .await
        .map_err(|error| Status::internal(format!("request panicked: {error}")))?
    }
}

fn pushed(stream: StreamAdapter) -> Result<PushedStream, Status> {
    let mut entries = Vec::with_capacity(stream.entries.len());
    for EntryAdapter { timestamp, line, structured_metadata, parsed: _ } in stream.entries {
        let timestamp = timestamp.map_or(Ok(0), |time| {
            if !(0..1_000_000_000).contains(&time.nanos) {
                return Err(Status::invalid_argument("timestamp: nanos not in range [0, 1e9)"));
            }
            Ok(time.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(time.nanos)))
        })?;
        let metadata = structured_metadata.into_iter().map(|pair| (pair.name, pair.value)).collect();
        entries.push(PushedEntry { timestamp, line: Bytes::from(line), metadata });
    }
    Ok(PushedStream { labels: stream.labels, entries })
}

/// gRPC's codes for HTTP's.
fn status(refusal: Refusal) -> Status {
    let code = match refusal.status {
        401 => Code::Unauthenticated,
        429 => Code::ResourceExhausted,
        500 => Code::Internal,
        503 => Code::Unavailable,
        _ => Code::InvalidArgument,
    };
    Status::new(code, refusal.text)
}
