//! A daemon under test, and a client for it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::{Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use service::{Frame, Stopper};
use uid::{App, Clock, Options, Sources};

pub const PASSWORD: &str = "correct horse";

/// A running daemon with its own folders and its own time.
pub struct Server {
    pub dir: tempfile::TempDir,
    pub base: String,
    pub frame: Frame,
    seconds: Arc<AtomicU64>,
    environment: BTreeMap<String, String>,
    stopper: Stopper,
    running: Option<tokio::task::JoinHandle<Result<(), service::Error>>>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

impl Server {
    /// With files in the provisioning folder, and settings. `{dir}` in files is the server's folder.
    pub async fn start(files: &[(&str, &str)], settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = dir.path().join("provisioning").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text.replace("{dir}", &dir.path().display().to_string())).expect("written");
        }
        let mut environment: BTreeMap<String, String> = [
            ("GF_PATHS_DATA", dir.path().join("data").display().to_string()),
            ("GF_PATHS_PROVISIONING", dir.path().join("provisioning").display().to_string()),
            ("GF_SECURITY_ADMIN_PASSWORD", PASSWORD.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut server = Self {
            dir,
            base: String::new(),
            frame: Frame::default(),
            seconds: Arc::new(AtomicU64::new(now)),
            environment,
            stopper: Stopper::new(),
            running: None,
        };
        server.run().await;
        server
    }

    /// Builds an app on this server's folders.
    pub async fn build(&self, frame: &Frame) -> Result<App, uid::BuildError> {
        let seconds = self.seconds.clone();
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst)));
        let options = Options {
            sources: Sources { environment: self.environment.clone(), ..Sources::default() },
            listen_address: Some("127.0.0.1:0".into()),
            hash_cost: 4,
            clock,
            ..Options::default()
        };
        App::new(options, frame).await
    }

    async fn run(&mut self) {
        self.frame = Frame::default();
        self.stopper = Stopper::new();
        let app = self.build(&self.frame).await.unwrap_or_else(|error| panic!("{}", service::report(&error)));
        self.base = format!("http://{}", app.local_address());
        self.running = Some(tokio::spawn(app.serve(self.stopper.token())));
    }

    pub async fn stop(&mut self) {
        self.stopper.stop();
        if let Some(running) = self.running.take() {
            running.await.expect("no panic").expect("an orderly end");
        }
    }

    pub async fn restart(&mut self, settings: &[(&str, &str)]) {
        self.stop().await;
        self.environment
            .extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.run().await;
    }

    pub fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(Path::new(path))
    }

    /// Sends a request whose path no client would send as it is; returns the answer's first line.
    pub async fn raw(&self, method: &str, path: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = self.base.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// A client without a login.
    pub fn anonymous(&self) -> Client {
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Client { http, base: self.base.clone(), headers: Vec::new() }
    }

    /// A client that sends the administrator's password with each request.
    pub fn admin(&self) -> Client {
        let mut client = self.anonymous();
        // base64 of admin:correct horse
        client.headers.push(("Authorization".into(), "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==".into()));
        client
    }
}

/// Sends requests.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub headers: Vec<(String, String)>,
}

impl Client {
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.into(), value.into()));
        client
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("text") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub async fn login(&self, password: &str) -> Answer {
        self.post("/login", &json!({"user": "admin", "password": password})).await
    }

    /// The client with the session cookie of an answer.
    pub fn with_session(&self, answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        self.with("Cookie", &cookie)
    }
}
