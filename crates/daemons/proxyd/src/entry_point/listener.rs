//! A bound address and its connections, drained at the end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulShutdown;
use service::{Stop, Stopper, resolve_listen_address};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, warn};

use super::connection::Connection;
use crate::{config::settings::EntryPoint, shared::Shared};

/// Connections of one entry point at a time; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 16_384;
/// How long connections that are cut off may take to end.
const CUT_DEADLINE: Duration = Duration::from_millis(200);
/// Pause after a failed accept: usually the process is out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// An entry point's address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("entry point {name}: cannot listen on `{address}`")]
pub(crate) struct BindError {
    name: String,
    address: String,
    source: io::Error,
}

/// A bound socket: clients can connect and wait, nobody is served yet.
#[derive(Debug)]
pub(crate) struct Listener {
    point: Arc<EntryPoint>,
    listener: TcpListener,
    local_address: SocketAddr,
}

impl Listener {
    pub(crate) async fn bind(point: Arc<EntryPoint>) -> Result<Self, BindError> {
        let failed = |source| BindError { name: point.name.clone(), address: point.address.clone(), source };
        let listener = bind_first(&point.address).await.map_err(failed)?;
        let local_address = listener.local_addr().map_err(failed)?;
        Ok(Self { point, listener, local_address })
    }

    pub(crate) fn name(&self) -> &str {
        &self.point.name
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// The longest that [`Listener::serve`] takes after the stop.
    pub(crate) fn longest_stop(&self) -> Duration {
        self.point.accept_grace + self.point.drain_deadline + CUT_DEADLINE
    }

    /// Serves until the stop; then goes on for the accept grace, closes the port, and lets open requests finish.
    pub(crate) async fn serve(self, shared: Arc<Shared>, stop: Stop) {
        let Self { point, listener, local_address } = self;
        info!(entry_point = point.name, address = %local_address, "listening");
        let graceful = GracefulShutdown::new();
        let (connections, cut) = (TaskTracker::new(), Stopper::new());
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let name: Arc<str> = point.name.as_str().into();
        let mut closing = std::pin::pin!(async {
            stop.requested().await;
            if !point.accept_grace.is_zero() {
                tokio::time::sleep(point.accept_grace).await;
            }
        });
        loop {
            let accepted = tokio::select! {
                () = &mut closing => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let (stream, peer, slot) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(entry_point = point.name, %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                    continue;
                }
            };
            let connection = Connection {
                point: point.clone(),
                name: name.clone(),
                shared: shared.clone(),
                peer,
                watcher: graceful.watcher(),
            };
            let cut = cut.token();
            let task = async move {
                let _slot = slot;
                tokio::select! {
                    () = connection.serve(stream) => {}
                    () = cut.requested() => {}
                }
            };
            connections.spawn(task.in_current_span());
        }
        drop(listener);
        if tokio::time::timeout(point.drain_deadline, graceful.shutdown()).await.is_err() {
            warn!(entry_point = point.name, "requests still open after the grace time are cut off");
        }
        cut.stop();
        connections.close();
        let _ = tokio::time::timeout(CUT_DEADLINE, connections.wait()).await;
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Small answers should leave at once; a socket that refuses the option works all the same.
    let _ = stream.set_nodelay(true);
    Ok((stream, SocketAddr::new(peer.ip().to_canonical(), peer.port()), slot))
}

/// Binds the first of the addresses that can be bound. A port in use is an error at once: the next address would hide it.
async fn bind_first(address: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the address has no socket address");
    for candidate in resolve_listen_address(address).await? {
        match TcpListener::bind(candidate).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}
