//! Accepting connections and serving them: HTTP/1.1 and HTTP/2 on one port, with or without TLS, drained at the end.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::{Service, ServiceExt};
use tracing::{Instrument, debug, info, warn};

use super::{WebConfig, WebConfigError, listen};
use crate::{Stop, Tasks};

/// How long a client may take for its request's head, and for the TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open requests may take to finish once the server stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// Pause after a failed accept: usually the process is out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// How to listen.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// `host:port` or `:port`.
    pub address: String,
    /// The `web.yml` with TLS, users and headers, if there is one.
    pub web_config: Option<PathBuf>,
    /// Connections at a time; more wait in the kernel's queue.
    pub max_connections: usize,
}

impl HttpOptions {
    /// Plain HTTP on an address, 512 connections.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), web_config: None, max_connections: 512 }
    }
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The socket cannot be bound.
    #[error("cannot listen on `{address}`")]
    Socket {
        /// The address as configured.
        address: String,
        /// The cause.
        source: io::Error,
    },
    /// The web configuration does not hold.
    #[error("cannot use the web configuration")]
    WebConfig(#[from] WebConfigError),
}

/// A bound socket: clients can connect and wait, nobody is served yet.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    local_address: SocketAddr,
    web_config: Option<Arc<WebConfig>>,
    max_connections: usize,
}

impl HttpServer {
    /// Reads the web configuration and binds.
    pub async fn bind(options: HttpOptions) -> Result<Self, BindError> {
        let HttpOptions { address, web_config, max_connections } = options;
        let web_config = web_config.map(WebConfig::load).transpose()?.map(Arc::new);
        let socket = |source| BindError::Socket { address: address.clone(), source };
        let listener = listen::bind(&address).await.map_err(socket)?;
        let local_address = listener.local_addr().map_err(socket)?;
        Ok(Self { listener, local_address, web_config, max_connections: max_connections.max(1) })
    }

    /// Where it listens; tells the port when 0 was asked for.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves until the stop, then lets open requests finish, for ten seconds at most.
    ///
    /// Handlers find the client's address as `ConnectInfo<SocketAddr>`.
    pub async fn serve(self, app: Router, stop: Stop) {
        let Self { listener, local_address, web_config, max_connections } = self;
        let app = match &web_config {
            Some(config) => config.clone().protect(app),
            None => app,
        };
        let scheme =
            if web_config.as_ref().is_some_and(|config| config.has_tls()) { "https" } else { "http" };
        info!(address = %local_address, scheme, "listening");
        let graceful = GracefulShutdown::new();
        let connections = Tasks::new(&Stop::never());
        let slots = Arc::new(Semaphore::new(max_connections));
        loop {
            let accepted = tokio::select! {
                () = stop.requested() => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let (stream, peer, slot) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                    continue;
                }
            };
            let (app, watcher, web_config) = (app.clone(), graceful.watcher(), web_config.clone());
            connections.spawn("connection", async move {
                let _slot = slot;
                match web_config.as_ref().and_then(|config| config.tls_acceptor()) {
                    None => serve_connection(stream, peer, app, watcher).await,
                    Some(acceptor) => match tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await
                    {
                        Ok(Ok(stream)) => serve_connection(stream, peer, app, watcher).await,
                        Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
                        Err(_) => debug!(%peer, "TLS handshake took too long"),
                    },
                }
            });
        }
        drop(listener);
        if tokio::time::timeout(DRAIN_DEADLINE, graceful.shutdown()).await.is_err() {
            warn!(address = %local_address, "requests still open after the drain deadline are cut off");
        }
        let _ = connections.finish(Duration::from_millis(100)).await;
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Small answers should leave at once; a socket that refuses the option works all the same.
    let _ = stream.set_nodelay(true);
    Ok((stream, peer, slot))
}

async fn serve_connection<S>(
    stream: S,
    peer: SocketAddr,
    app: Router,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = hyper::service::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut app = app.clone();
        async move {
            let app = ServiceExt::<http::Request<axum::body::Body>>::ready(&mut app).await?;
            app.call(request.map(axum::body::Body::new)).await
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(250);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).in_current_span().await {
        debug!(%peer, %error, "connection ended");
    }
}
