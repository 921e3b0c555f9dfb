//! A blocking HTTP/1.1 connection that costs the client next to nothing, to a server on this machine.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::timeout,
};

/// The longest answer that is read.
const MAX_ANSWER: usize = 256 << 20;

/// How long a request may take: a snapshot of two hours of a million series takes minutes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1800);

/// A connection, opened when it is needed and again when the server has closed it.
#[derive(Debug)]
pub struct Connection {
    runtime: Runtime,
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

impl Connection {
    /// A connection to a server, not opened yet.
    pub fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        Ok(Self { runtime, address, sender: None })
    }

    /// Gets a path with a query string.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(&Request::get(path).body(Bytes::new())?)
    }

    /// Posts nothing.
    pub fn post(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(&Request::post(path).body(Bytes::new())?)
    }

    /// Gets a path of the query API with its parameters, and returns `data` of a successful answer.
    pub fn api(&mut self, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.get(&format!("/api/v1/{path}?{query}"))?.data()
    }

    /// Sends a request; once more where the server had closed the connection meanwhile.
    pub fn send(&mut self, request: &Request<Bytes>) -> anyhow::Result<Answer> {
        let was_open = self.sender.is_some();
        match self.try_send(request) {
            Err(_) if was_open => self.try_send(request),
            outcome => outcome,
        }
    }

    fn try_send(&mut self, request: &Request<Bytes>) -> anyhow::Result<Answer> {
        let Self { runtime, address, sender } = self;
        runtime.block_on(async {
            let mut open = match sender.take() {
                Some(open) => open,
                None => connect(*address).await.with_context(|| format!("cannot connect to {address}"))?,
            };
            let mut with_host = request.clone();
            with_host.headers_mut().insert(header::HOST, address.to_string().parse()?);
            let answer = timeout(REQUEST_TIMEOUT, exchange(&mut open, with_host.map(Full::new)))
                .await
                .map_err(|_| anyhow!("no answer within {REQUEST_TIMEOUT:?}"))??;
            *sender = Some(open);
            Ok(answer)
        })
    }
}

impl Answer {
    /// `data` of an answer of the query API, or its error.
    pub fn data(&self) -> anyhow::Result<Value> {
        self.success()?;
        let mut answer: Value = serde_json::from_slice(&self.body).context("the answer is not JSON")?;
        Ok(answer["data"].take())
    }

    /// An error unless the status is one of success.
    pub fn success(&self) -> anyhow::Result<()> {
        if !self.status.is_success() {
            let text = String::from_utf8_lossy(&self.body[..self.body.len().min(300)]);
            bail!("status {}: {}", self.status.as_u16(), text.trim());
        }
        Ok(())
    }
}

/// A remote write request.
pub fn remote_write(body: Bytes) -> Request<Bytes> {
    Request::builder()
        .method(Method::POST)
        .uri("/api/v1/write")
        .header(header::CONTENT_TYPE, "application/x-protobuf")
        .header(header::CONTENT_ENCODING, "snappy")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0")
        .body(body)
        .expect("BUG: all parts are valid")
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; its error reaches the request that it belongs to.
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(
    open: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    open.ready().await?;
    let response = open.send_request(request).await?;
    let status = response.status();
    let body =
        Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| anyhow!(error))?;
    Ok(Answer { status, body: body.to_bytes() })
}
