//! What the tests share: an agent in a folder of its own, and a Loki that records.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use agentd::{App, Options};
use client::{ClientOptions, HttpClient, HttpClientConfig, read_body};
use http::{Method, StatusCode};
use service::{Daemon, Error, Frame, Stopper};
use tempfile::TempDir;
use testkit::{HttpRecorder, Recorded, eventually};
use tokio::task::JoinHandle;
use wire::loki_push::{PushedEntry, PushedStream};

/// A folder with logs, and the configuration of an agent that follows them.
pub struct Setup {
    pub dir: TempDir,
    pub loki: HttpRecorder,
    /// Put under the job.
    pub job: String,
    /// Put at the end of the file.
    pub rest: String,
    /// Put under the client.
    pub client: String,
}

/// A running agent.
pub struct Agent {
    stopper: Stopper,
    task: JoinHandle<Result<(), Error>>,
    pub http: std::net::SocketAddr,
    pub frame: Frame,
}

impl Setup {
    pub async fn new() -> Self {
        let loki = HttpRecorder::answering(|_| (StatusCode::NO_CONTENT, String::new())).await;
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            loki,
            job: "    pipeline_stages: []\n".into(),
            rest: String::new(),
            client: String::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).expect("opens");
        file.write_all(text.as_bytes()).expect("written");
    }

    pub fn config(&self) -> String {
        let dir = self.dir.path().display();
        format!(
            "server: {{http_listen_address: 127.0.0.1, http_listen_port: 0, enable_runtime_reload: true}}\n\
             positions: {{filename: {dir}/positions.yaml, sync_period: 50ms}}\n\
             target_config: {{sync_period: 50ms}}\n\
             global: {{file_watch_config: {{min_poll_frequency: 10ms, max_poll_frequency: 10ms}}}}\n\
             clients:\n  - url: {}\n    batchwait: 10ms\n    backoff_config: {{min_period: 10ms, max_period: 20ms}}\n{}\
             scrape_configs:\n  - job_name: files\n{}    static_configs:\n      - targets: [localhost]\n\
             \x20       labels: {{job: test, __path__: {dir}/*.log}}\n{}",
            self.loki.url("/loki/api/v1/push"),
            self.client,
            self.job,
            self.rest,
        )
    }

    pub async fn start(&self) -> Agent {
        Agent::start(Options::text(self.config())).await
    }

    pub fn pushes(&self) -> Vec<PushedStream> {
        self.loki.requests().iter().flat_map(decode).collect()
    }

    /// All lines that came, in order.
    pub fn lines(&self) -> Vec<String> {
        lines(&self.pushes())
    }

    pub async fn wait_for_lines(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} lines"), || async {
            let lines = self.lines();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// Waits until the positions file says that a file is done up to an offset.
    pub async fn wait_for_position(&self, name: &str, offset: u64) {
        let wanted = format!("{}\": \"{offset}\"", self.path(name).display());
        eventually(&wanted, || async {
            let text = std::fs::read_to_string(self.path("positions.yaml")).unwrap_or_default();
            text.contains(&wanted).then_some(())
        })
        .await;
    }
}

impl Agent {
    pub async fn start(options: Options) -> Self {
        let frame = Frame::default();
        let app = App::new(options, frame.clone()).await.expect("builds");
        let http = app.http_address().expect("has a server");
        let stopper = Stopper::new();
        let task = tokio::spawn(app.run(stopper.token()));
        Self { stopper, task, http, frame }
    }

    /// An orderly end.
    pub async fn stop(self) {
        self.stopper.stop();
        self.task.await.expect("no panic").expect("ends well");
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        request(Method::GET, self.http, path).await
    }

    pub async fn post(&self, path: &str) -> (StatusCode, String) {
        request(Method::POST, self.http, path).await
    }

    pub fn metrics(&self) -> String {
        self.frame.metrics.encode(&http::HeaderMap::new()).1
    }
}

pub async fn request(method: Method, address: std::net::SocketAddr, path: &str) -> (StatusCode, String) {
    let options = ClientOptions {
        timeout: Duration::from_secs(10),
        user_agent: "test".into(),
        base_dir: Path::new("").into(),
    };
    let client = HttpClient::new(&HttpClientConfig::default(), &options).expect("builds");
    let url = format!("http://{address}{path}").parse().expect("a url");
    let response = client.request(method, url).expect("a request").send().await.expect("an answer");
    let status = response.status();
    let body = read_body(response, 16 << 20).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

pub fn decode(request: &Recorded) -> Vec<PushedStream> {
    let body = wire::snappy_decompress(&request.body, 64 << 20).expect("snappy");
    wire::loki_push::decode(&body.into()).expect("a push request")
}

pub fn lines(streams: &[PushedStream]) -> Vec<String> {
    let entries = streams.iter().flat_map(|stream| &stream.entries);
    entries.map(|PushedEntry { line, .. }| String::from_utf8_lossy(line).into_owned()).collect()
}

/// Lines by stream.
pub fn by_stream(streams: &[PushedStream]) -> BTreeMap<String, Vec<String>> {
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stream in streams {
        map.entry(stream.labels.clone()).or_default().extend(lines(std::slice::from_ref(stream)));
    }
    map
}
