//! One connection: plain or encrypted, HTTP/1.1 or HTTP/2.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::{HeaderValue, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::Watcher},
};
use middleware::{BoxError, Client, Response};
use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::LazyConfigAcceptor;
use tracing::debug;

use super::{idle::IdleTimeout, serve};
use crate::{config::settings::EntryPoint, observe::TlsFacts, shared::Shared};

/// How long a client may take for its first byte and for the TLS handshake if the entry point sets no limit.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) point: Arc<EntryPoint>,
    pub(super) name: Arc<str>,
    pub(super) shared: Arc<Shared>,
    pub(super) peer: SocketAddr,
    pub(super) watcher: Watcher,
}

/// What all requests of a connection have in common.
pub(super) struct Facts {
    pub(super) point: Arc<EntryPoint>,
    pub(super) name: Arc<str>,
    pub(super) shared: Arc<Shared>,
    pub(super) client: Client,
    pub(super) tls: Option<TlsFacts>,
    /// The name the client asked for in its TLS handshake.
    pub(super) server_name: Option<String>,
    opened: Instant,
    requests: AtomicU64,
}

impl Connection {
    pub(super) async fn serve(self, stream: TcpStream) {
        let peer = self.peer;
        let limit = self.point.read_timeout.unwrap_or(HANDSHAKE_TIMEOUT);
        let metrics = self.shared.metrics.clone();
        let _open = metrics.as_ref().map(|metrics| metrics.connection(&self.name));
        let started = Instant::now();
        let mut first = [0];
        let is_tls = match tokio::time::timeout(limit, stream.peek(&mut first)).await {
            Ok(Ok(0)) => return,
            Ok(Ok(_)) => first[0] == TLS_HANDSHAKE,
            Ok(Err(error)) => return debug!(%peer, %error, "connection ended before its first byte"),
            Err(_) => return debug!(%peer, "no first byte in time"),
        };
        if !is_tls {
            let facts = self.facts(None, None);
            return serve_http(stream, facts, self.watcher).await;
        }
        let left = limit.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, self.handshake(stream)).await {
            Ok(Ok(stream)) => {
                let session = stream.get_ref().1;
                let server_name = session.server_name().map(str::to_owned);
                let facts = self.facts(Some(tls_facts(session)), server_name);
                serve_http(stream, facts, self.watcher).await;
            }
            Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => debug!(%peer, "TLS handshake took too long"),
        }
    }

    /// The client says whom it wants before it is decided how it is spoken to.
    async fn handshake(&self, stream: TcpStream) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let name = start.client_hello().server_name().map(str::to_ascii_lowercase);
        let config = self.shared.runtime.load().tls.config_for(name.as_deref()).clone();
        start.into_stream(config).await
    }

    fn facts(&self, tls: Option<TlsFacts>, server_name: Option<String>) -> Arc<Facts> {
        Arc::new(Facts {
            point: self.point.clone(),
            name: self.name.clone(),
            shared: self.shared.clone(),
            client: Client { address: self.peer, is_tls: tls.is_some() },
            tls,
            server_name,
            opened: Instant::now(),
            requests: AtomicU64::new(0),
        })
    }
}

impl Facts {
    /// Whether the connection should end with this request.
    fn is_used_up(&self) -> bool {
        let requests = self.requests.fetch_add(1, Relaxed) + 1;
        self.point.keep_alive_max_requests.is_some_and(|most| requests >= most)
            || self.point.keep_alive_max_time.is_some_and(|most| self.opened.elapsed() >= most)
    }
}

async fn serve_http<S>(stream: S, facts: Arc<Facts>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = facts.client.address;
    let point = facts.point.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let facts = facts.clone();
        async move { Ok::<_, std::convert::Infallible>(answer(&facts, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Also the time between two requests, so the longer of the two limits.
        .header_read_timeout(point.idle_timeout.max(point.read_timeout))
        .max_buf_size(point.max_header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(point.max_streams)
        .max_header_list_size(u32::try_from(point.max_header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(point.idle_timeout.map(|timeout| timeout.min(Duration::from_secs(60))));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        debug!(%peer, %error, "connection ended");
    }
}

async fn answer(facts: &Arc<Facts>, request: http::Request<Incoming>) -> Response {
    let is_http1 = request.version() < http::Version::HTTP_2;
    let idle_limit = facts.point.read_timeout;
    let request = request.map(|body| {
        let body = body.map_err(BoxError::from);
        match idle_limit {
            Some(limit) => IdleTimeout::new(body, limit).boxed_unsync(),
            None => body.boxed_unsync(),
        }
    });
    let mut response = serve::serve(facts, request).await;
    if is_http1 && facts.is_used_up() && response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn tls_facts(session: &ServerConnection) -> TlsFacts {
    use rustls::{CipherSuite, ProtocolVersion};
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        _ => "unknown",
    };
    let suite = session.negotiated_cipher_suite().map(|suite| suite.suite());
    let cipher = match suite {
        // IANA's names; the library's begin with `TLS13_`.
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256) => "TLS_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS13_AES_256_GCM_SHA384) => "TLS_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256) => "TLS_CHACHA20_POLY1305_SHA256",
        Some(suite) => suite.as_str().unwrap_or("unknown"),
        None => "unknown",
    };
    TlsFacts { version, cipher }
}
