//! `compress`: gzip or zstd for clients that take it, as the body streams by.

use std::{
    io::Write,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{Body, BoxError, BoxFuture, BuildError, Handler, Request, Response};

/// Compressed bytes after which a frame leaves even if more input is there, in bytes.
const FRAME_BYTES: usize = 16 << 10;
/// Smallest body that is compressed if nothing is said, in bytes.
const DEFAULT_MIN_BYTES: u64 = 1024;

/// Options of `compress`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Compress {
    /// Content types left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_content_types: Vec<String>,
    /// The only content types that are compressed. Not together with the exclusions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_content_types: Vec<String>,
    /// Smallest body worth it, 1024 if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_response_body_bytes: Option<u64>,
    /// Encodings in order of preference; `gzip`, `zstd` if nothing is said. `br` is skipped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<String>,
    /// Encoding for requests without `Accept-Encoding`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_encoding: String,
}

impl Compress {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if !self.excluded_content_types.is_empty() && !self.included_content_types.is_empty() {
            return Err(BuildError::value(
                "compress",
                "excludedContentTypes and includedContentTypes options are mutually exclusive",
            ));
        }
        let mut encodings = Vec::new();
        for name in &self.encodings {
            match Encoding::parse(name) {
                Some(encoding) => encodings.push(encoding),
                None if name == "br" => {
                    warn!("not supported yet: compress.encodings br, the other encodings are used");
                }
                None => {
                    return Err(BuildError::value(
                        "compress.encodings",
                        format!("unknown encoding {name:?}"),
                    ));
                }
            }
        }
        if encodings.is_empty() {
            encodings = vec![Encoding::Gzip, Encoding::Zstd];
        }
        let default = Encoding::parse(&self.default_encoding);
        if !self.default_encoding.is_empty() && default.is_none_or(|default| !encodings.contains(&default)) {
            return Err(BuildError::value("compress.defaultEncoding", "not one of the encodings"));
        }
        Ok(Arc::new(Compressor {
            encodings,
            default,
            min_bytes: self.min_response_body_bytes.unwrap_or(DEFAULT_MIN_BYTES),
            excluded: lower(&self.excluded_content_types),
            included: lower(&self.included_content_types),
            next,
        }))
    }
}

fn lower(types: &[String]) -> Vec<String> {
    types.iter().map(|text| media_type(text)).collect()
}

fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Gzip,
    Zstd,
}

impl Encoding {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

struct Compressor {
    encodings: Vec<Encoding>,
    default: Option<Encoding>,
    min_bytes: u64,
    excluded: Vec<String>,
    included: Vec<String>,
    next: Arc<dyn Handler>,
}

impl Compressor {
    /// The encoding the client likes best; among equals the first configured.
    fn choose(&self, headers: &HeaderMap) -> Option<Encoding> {
        if !headers.contains_key(header::ACCEPT_ENCODING) {
            return self.default;
        }
        let mut best: Option<(Encoding, f32)> = None;
        for encoding in &self.encodings {
            let quality = quality_of(headers, encoding.name());
            if quality > 0.0 && best.is_none_or(|(_, most)| quality > most) {
                best = Some((*encoding, quality));
            }
        }
        best.map(|(encoding, _)| encoding)
    }

    fn wants(&self, response: &Response) -> bool {
        let headers = response.headers();
        let status = response.status();
        if headers.contains_key(header::CONTENT_ENCODING)
            || headers.contains_key(header::CONTENT_RANGE)
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || response.body().size_hint().exact().is_some_and(|size| size < self.min_bytes)
        {
            return false;
        }
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(media_type).unwrap_or_default();
        if content_type.starts_with("application/grpc") {
            return false;
        }
        if !self.included.is_empty() {
            return self.included.contains(&content_type);
        }
        !self.excluded.contains(&content_type)
    }
}

/// How much a client likes an encoding, 0 for not at all.
fn quality_of(headers: &HeaderMap, encoding: &str) -> f32 {
    let mut wildcard = 0.0;
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case(encoding) => return quality,
            "*" => wildcard = quality,
            _ => {}
        }
    }
    wildcard
}

impl Handler for Compressor {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let is_head = request.method() == Method::HEAD;
        let encoding = self.choose(request.headers());
        Box::pin(async move {
            let mut response = self.next.handle(request).await;
            let Some(encoding) = encoding else { return response };
            if is_head || !self.wants(&response) {
                return response;
            }
            let Ok(encoder) = Encoder::new(encoding) else { return response };
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            headers.remove(header::CONTENT_LENGTH);
            headers.remove(header::ACCEPT_RANGES);
            response.map(|body| {
                Compressed { body, encoder: Some(encoder), unflushed: false, trailers: None }.boxed_unsync()
            })
        })
    }
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    fn new(encoding: Encoding) -> std::io::Result<Self> {
        Ok(match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::default())),
            Encoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 3)?),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// A body on its way through an encoder. What came in leaves as soon as the server pauses, so that streams stay streams.
struct Compressed {
    body: Body,
    encoder: Option<Encoder>,
    unflushed: bool,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Compressed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            let Some(encoder) = &mut this.encoder else {
                return Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
            };
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        if let Err(error) = encoder.write(&data) {
                            return Poll::Ready(Some(Err(error.into())));
                        }
                        this.unflushed |= !data.is_empty();
                        if encoder.output().len() >= FRAME_BYTES {
                            let bytes = std::mem::take(encoder.output());
                            return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                        }
                    }
                    Err(frame) => this.trailers = frame.into_trailers().ok(),
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    let finished = this.encoder.take().map_or(Ok(Vec::new()), Encoder::finish);
                    return Poll::Ready(Some(
                        finished.map(|bytes| Frame::data(bytes.into())).map_err(Into::into),
                    ));
                }
                Poll::Pending if this.unflushed => {
                    this.unflushed = false;
                    if let Err(error) = encoder.flush() {
                        return Poll::Ready(Some(Err(error.into())));
                    }
                    let bytes = std::mem::take(encoder.output());
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                    }
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
