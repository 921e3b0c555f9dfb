//! An HTTP server for tests that answers as told and remembers what it was asked.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::Request, extract::State, response::Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use parking_lot::Mutex;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::eventually;

/// Largest body that is recorded.
const MAX_BODY: usize = 64 << 20;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

type Answer = dyn Fn(&Recorded) -> (StatusCode, String) + Send + Sync;

/// Listens on a loopback port until dropped.
pub struct HttpRecorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    requests: Mutex<Vec<Recorded>>,
    answer: Mutex<Box<Answer>>,
}

impl HttpRecorder {
    /// Answers 200 with an empty body to everything.
    pub async fn start() -> Self {
        Self::answering(|_| (StatusCode::OK, String::new())).await
    }

    /// Answers as `answer` says.
    pub async fn answering(
        answer: impl Fn(&Recorded) -> (StatusCode, String) + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared { requests: Mutex::default(), answer: Mutex::new(Box::new(answer)) });
        let app = Router::new().fallback(record).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Self { address, shared, server }
    }

    /// Changes the answer from now on.
    pub fn answer(&self, answer: impl Fn(&Recorded) -> (StatusCode, String) + Send + Sync + 'static) {
        *self.shared.answer.lock() = Box::new(answer);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port` with the path after it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().clone()
    }

    /// Forgets what came so far and returns it.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.shared.requests.lock())
    }

    /// Waits until at least `count` requests came.
    pub async fn wait_for(&self, count: usize) -> Vec<Recorded> {
        eventually(&format!("{count} requests"), || async {
            let requests = self.requests();
            (requests.len() >= count).then_some(requests)
        })
        .await
    }
}

impl Drop for HttpRecorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn record(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let recorded = Recorded { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    let (status, text) = (shared.answer.lock())(&recorded);
    shared.requests.lock().push(recorded);
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = status;
    response
}
