//! What travels with a request beside its headers, as extensions.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;

/// The connection's other end.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Its address, IPv4 ones never mapped into IPv6.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

/// In a response: no server has answered, the proxy did, since it could not reach one.
#[derive(Debug, Clone, Copy)]
pub struct NetworkError;

/// What the parts of the proxy note of a request, for the access log and metrics. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Record(Arc<Mutex<Facts>>);

/// What is known of a request once it is answered.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The router, `name@provider`.
    pub router: Option<Arc<str>>,
    /// The service, `name@provider`.
    pub service: Option<Arc<str>>,
    /// The server that was asked last.
    pub server: Option<Arc<str>>,
    /// Who the client says it is, once that was proven.
    pub user: Option<String>,
    /// The server's status, 0 if it did not answer.
    pub origin_status: u16,
    /// How long the server took to its headers.
    pub origin_duration: Duration,
    /// Attempts after the first.
    pub retries: u32,
}

impl Record {
    /// Changes what is known. Hold no other lock meanwhile.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.0.lock());
    }

    /// What is known so far.
    pub fn facts(&self) -> Facts {
        self.0.lock().clone()
    }
}
