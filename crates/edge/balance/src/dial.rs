//! A new connection to a server.

use std::{io, sync::Arc};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use middleware::Body;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tracing::debug;

use crate::{ForwardError, Transport};

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    /// HTTP/2 without TLS, for gRPC.
    H2c,
}

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// Lower case, IPv6 addresses in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// An open connection. Its driver runs as a task that ends once the connection is closed or the last handle here is dropped.
pub(crate) enum Connection {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Transport {
    /// Connects. `http1_only` is for upgrades, which HTTP/2 has not.
    pub(crate) async fn dial(&self, target: &Target, http1_only: bool) -> Result<Connection, ForwardError> {
        let Some(limit) = self.dial_timeout else { return self.connect(target, http1_only).await };
        tokio::time::timeout(limit, self.connect(target, http1_only))
            .await
            .unwrap_or_else(|_| Err(ForwardError::DialTimeout { address: target.address(), limit }))
    }

    async fn connect(&self, target: &Target, http1_only: bool) -> Result<Connection, ForwardError> {
        let stream = self.connect_tcp(target).await?;
        match target.scheme {
            Scheme::Http => self.speak_http1(stream).await,
            Scheme::H2c => self.speak_http2(stream).await,
            Scheme::Https => {
                let tls = if http1_only { &self.tls_http1 } else { &self.tls };
                let stream = self.handshake(target, tls, stream).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    self.speak_http2(stream).await
                } else {
                    self.speak_http1(stream).await
                }
            }
        }
    }

    /// Tries all addresses in turn.
    async fn connect_tcp(&self, target: &Target) -> Result<TcpStream, ForwardError> {
        let addresses = self
            .hosts
            .lookup(&target.host, target.port)
            .await
            .map_err(|source| ForwardError::Resolve { host: target.host.clone(), source })?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Small requests should leave at once; a socket that refuses the option works all the same.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(ForwardError::Connect { address: target.address(), source: last })
    }

    async fn handshake(
        &self,
        target: &Target,
        tls: &Arc<ClientConfig>,
        stream: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ForwardError> {
        let failed = |source| ForwardError::Handshake { address: target.address(), source };
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(target.host.trim_matches(['[', ']']).to_owned())
                .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?,
        };
        TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(failed)
    }

    async fn speak_http1<S>(&self, stream: S) -> Result<Connection, ForwardError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(ForwardError::Exchange)?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                debug!(%error, "connection to a server ended");
            }
        });
        Ok(Connection::Http1(sender))
    }

    async fn speak_http2<S>(&self, stream: S) -> Result<Connection, ForwardError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).adaptive_window(true).keep_alive_timeout(self.ping_timeout);
        builder.keep_alive_interval(self.read_idle_timeout).keep_alive_while_idle(true);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(ForwardError::Exchange)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "connection to a server ended");
            }
        });
        Ok(Connection::Http2(sender))
    }
}
