//! The connections to one server.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, Version, header, uri};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use middleware::{Body, BoxError, empty};
use parking_lot::Mutex;

use crate::{
    ForwardError, Transport,
    dial::{Connection, Scheme, Target},
};

/// How long a connection that has just carried an answer may take to say that it is free again.
const SETTLE_TIME: Duration = Duration::from_millis(20);

/// Stale connections one request may meet before it gives up.
const MAX_ATTEMPTS: u32 = 8;

/// Idle HTTP/1.1 connections and the one HTTP/2 connection of a server.
pub(crate) struct Pool {
    target: Target,
    transport: Arc<Transport>,
    idle: Mutex<Vec<Idle>>,
    http2: Mutex<Option<http2::SendRequest<Body>>>,
    /// Held while the one HTTP/2 connection is made, so that a burst makes one and not hundreds.
    dialing: tokio::sync::Mutex<()>,
    speaks_http2: AtomicBool,
}

struct Idle {
    sender: http1::SendRequest<Body>,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(target: Target, transport: Arc<Transport>) -> Arc<Self> {
        let speaks_http2 = AtomicBool::new(target.scheme == Scheme::H2c);
        Arc::new(Self {
            target,
            transport,
            idle: Mutex::default(),
            http2: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
            speaks_http2,
        })
    }

    /// Closes connections that nobody has used for the idle timeout.
    pub(crate) fn close_idle(&self) {
        if let Some(timeout) = self.transport.idle_timeout {
            self.idle.lock().retain(|idle| idle.since.elapsed() < timeout && !idle.sender.is_closed());
        }
    }

    /// Sends a request, whose URI is in origin form, and waits for the answer's headers.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: Request<Body>,
        http1_only: bool,
    ) -> Result<Response<Body>, ForwardError> {
        let Some(limit) = self.transport.response_header_timeout else {
            return self.send_without_limit(request, http1_only).await;
        };
        tokio::time::timeout(limit, self.send_without_limit(request, http1_only))
            .await
            .unwrap_or(Err(ForwardError::HeaderTimeout(limit)))
    }

    async fn send_without_limit(
        self: &Arc<Self>,
        mut request: Request<Body>,
        http1_only: bool,
    ) -> Result<Response<Body>, ForwardError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (connection, is_reused) = self.connection(http1_only).await?;
            let spare = if is_reused { copy_if_repeatable(&request) } else { None };
            let failed = match connection {
                Connection::Http1(sender) => match self.exchange_http1(sender, request).await {
                    Ok(response) => return Ok(response),
                    Err(failed) => failed,
                },
                Connection::Http2(mut sender) => {
                    let request = to_absolute_form(request, self.target.scheme);
                    match sender.try_send_request(request).await {
                        Ok(response) => return Ok(response.map(boxed)),
                        Err(mut error) => Failed {
                            unsent: error.take_message().map(to_origin_form),
                            error: error.into_error(),
                        },
                    }
                }
            };
            // A connection may have been closed by the server while it lay idle. What it never got, or may get twice, is sent anew.
            match failed.unsent.or(spare) {
                Some(unsent) if is_reused && attempts < MAX_ATTEMPTS => request = unsent,
                _ => return Err(ForwardError::Exchange(failed.error)),
            }
        }
    }

    async fn exchange_http1(
        self: &Arc<Self>,
        mut sender: http1::SendRequest<Body>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failed> {
        let response = sender
            .try_send_request(request)
            .await
            .map_err(|mut error| Failed { unsent: error.take_message(), error: error.into_error() })?;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response.map(boxed));
        }
        let (parts, body) = response.into_parts();
        let mut body = Pooled { body, lease: Some(Lease { sender, pool: self.clone() }) };
        if body.body.is_end_stream() {
            body.give_back();
        }
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }

    /// A connection and whether it was used before.
    async fn connection(&self, http1_only: bool) -> Result<(Connection, bool), ForwardError> {
        let may_http2 = !http1_only || self.target.scheme == Scheme::H2c;
        if may_http2 && self.speaks_http2.load(Relaxed) {
            return self.http2_connection().await;
        }
        if let Some(sender) = self.take_idle().await {
            return Ok((Connection::Http1(sender), true));
        }
        let connection = self.transport.dial(&self.target, http1_only).await?;
        self.note_http2(&connection);
        Ok((connection, false))
    }

    async fn http2_connection(&self) -> Result<(Connection, bool), ForwardError> {
        if let Some(sender) = self.open_http2() {
            return Ok((Connection::Http2(sender), true));
        }
        let _dialing = self.dialing.lock().await;
        if let Some(sender) = self.open_http2() {
            return Ok((Connection::Http2(sender), true));
        }
        let connection = self.transport.dial(&self.target, false).await?;
        self.note_http2(&connection);
        Ok((connection, false))
    }

    fn open_http2(&self) -> Option<http2::SendRequest<Body>> {
        self.http2.lock().as_ref().filter(|sender| !sender.is_closed()).cloned()
    }

    fn note_http2(&self, connection: &Connection) {
        if let Connection::Http2(sender) = connection {
            self.speaks_http2.store(true, Relaxed);
            *self.http2.lock() = Some(sender.clone());
        } else if self.target.scheme == Scheme::Https {
            self.speaks_http2.store(false, Relaxed);
        }
    }

    async fn take_idle(&self) -> Option<http1::SendRequest<Body>> {
        loop {
            let mut idle = self.idle.lock().pop()?;
            let is_old = self.transport.idle_timeout.is_some_and(|timeout| idle.since.elapsed() >= timeout);
            if is_old || idle.sender.is_closed() {
                continue;
            }
            if idle.sender.is_ready() {
                return Some(idle.sender);
            }
            if let Ok(Ok(())) = tokio::time::timeout(SETTLE_TIME, idle.sender.ready()).await {
                return Some(idle.sender);
            }
        }
    }
}

struct Failed {
    /// The request, if it never left.
    unsent: Option<Request<Body>>,
    error: hyper::Error,
}

fn boxed(body: Incoming) -> Body {
    body.map_err(BoxError::from).boxed_unsync()
}

/// A copy of a request that may be sent twice: of a safe method and without a body.
fn copy_if_repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if !is_safe || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

/// HTTP/2 carries the host in the URI.
fn to_absolute_form(mut request: Request<Body>, scheme: Scheme) -> Request<Body> {
    let Some(host) = request.headers().get(header::HOST).cloned() else { return request };
    let mut parts = uri::Parts::default();
    parts.path_and_query = request.uri().path_and_query().cloned();
    parts.scheme = Some(if scheme == Scheme::Https { uri::Scheme::HTTPS } else { uri::Scheme::HTTP });
    parts.authority = uri::Authority::try_from(host.as_bytes()).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().remove(header::HOST);
    }
    request
}

fn to_origin_form(mut request: Request<Body>) -> Request<Body> {
    if let Some(host) = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        request.headers_mut().insert(header::HOST, host);
        let mut parts = uri::Parts::default();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        *request.version_mut() = Version::HTTP_11;
    }
    request
}

/// An answer's body that gives its connection back once it has been read.
struct Pooled {
    body: Incoming,
    lease: Option<Lease>,
}

struct Lease {
    sender: http1::SendRequest<Body>,
    pool: Arc<Pool>,
}

impl Pooled {
    fn give_back(&mut self) {
        let Some(Lease { sender, pool }) = self.lease.take() else { return };
        let mut idle = pool.idle.lock();
        if idle.len() < pool.transport.max_idle && !sender.is_closed() {
            idle.push(Idle { sender, since: Instant::now() });
        }
    }
}

impl http_body::Body for Pooled {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Err(_))) => self.lease = None,
            Poll::Ready(None) => self.give_back(),
            Poll::Ready(Some(Ok(_))) if self.body.is_end_stream() => self.give_back(),
            _ => {}
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
