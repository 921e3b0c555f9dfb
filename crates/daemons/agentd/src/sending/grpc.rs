//! `logproto.Pusher` over gRPC. The request is encoded already, so the codec passes bytes through.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
    transport::{Channel, Endpoint},
};

use super::TransportError;
use crate::config::Client;

const PUSH: PathAndQuery = PathAndQuery::from_static("/logproto.Pusher/Push");
const TENANT_KEY: &str = "x-scope-orgid";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct GrpcTransport {
    channel: Channel,
    timeout: Duration,
    metadata: Vec<(AsciiMetadataKey, AsciiMetadataValue)>,
}

impl GrpcTransport {
    pub(super) fn new(
        authority: &str,
        client: &Client,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(Duration::from_secs(30));
        let metadata = client.headers.iter().map(|(name, value)| {
            let name = AsciiMetadataKey::from_bytes(name.as_str().as_bytes())?;
            Ok((name, AsciiMetadataValue::try_from(value.as_bytes())?))
        });
        Ok(Self {
            channel: endpoint.connect_lazy(),
            timeout: client.timeout,
            metadata: metadata.collect::<Result<_, Box<dyn std::error::Error + Send + Sync>>>()?,
        })
    }

    pub(super) async fn push(&self, message: &Bytes, tenant: Option<&str>) -> Result<usize, TransportError> {
        let mut request = Request::new(message.clone());
        for (name, value) in &self.metadata {
            request.metadata_mut().insert(name.clone(), value.clone());
        }
        if let Some(tenant) = tenant {
            let value = tenant.parse().map_err(|_| TransportError::Answer {
                status: 400,
                text: format!("tenant {tenant:?} cannot be sent in a header"),
            })?;
            request.metadata_mut().insert(TENANT_KEY, value);
        }
        let mut grpc = Grpc::new(self.channel.clone());
        let call = async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            grpc.unary(request, PUSH, Passthrough).await
        };
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(_)) => Ok(message.len()),
            Ok(Err(status)) => Err(error_of(status)),
            Err(elapsed) => Err(TransportError::NoAnswer(elapsed.into())),
        }
    }
}

fn error_of(status: Status) -> TransportError {
    let http = match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            return TransportError::NoAnswer(status.into());
        }
        Code::ResourceExhausted => 429,
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound | Code::Unimplemented => 404,
        _ => 500,
    };
    TransportError::Answer { status: http, text: status.message().to_owned() }
}

/// Bytes as they are; an empty answer.
#[derive(Debug, Clone, Copy, Default)]
struct Passthrough;

impl Codec for Passthrough {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Passthrough {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Passthrough {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}
