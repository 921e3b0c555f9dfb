//! A daemon on loopback ports with a folder of its own, and a client that speaks its API.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use clap::Parser;
use logd::{App, Flags, Options};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use service::{Daemon, Frame, Stopper};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A running daemon. Stop it with [`Logd::stop`].
pub struct Logd {
    pub address: SocketAddr,
    pub grpc: Option<SocketAddr>,
    pub client: Client,
    stopper: Stopper,
    running: JoinHandle<Result<(), service::Error>>,
    dir: TempDir,
}

impl Logd {
    /// Starts with the given sections, without tenants unless they say so.
    pub async fn start(sections: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), sections).await
    }

    /// Starts on a folder that may hold data.
    pub async fn start_in(dir: TempDir, sections: &str) -> Self {
        Self::start_with_prefix(dir, "", sections).await
    }

    /// Starts with all paths under a prefix.
    pub async fn start_with_prefix(dir: TempDir, prefix: &str, sections: &str) -> Self {
        let flags = Flags::parse_from(["logd", &format!("--server.path-prefix={prefix}")]);
        let config = config(&dir, 0, testkit::free_port(), sections);
        let options = Options { flags, config: Some(config) };
        let frame = Frame::default();
        let readiness = frame.readiness.clone();
        let app = App::new(options, frame).await.expect("builds");
        let (address, grpc) = (app.address(), app.grpc_address());
        let stopper = Stopper::new();
        let running = tokio::spawn(app.run(stopper.token()));
        testkit::eventually("the daemon to be ready", || async {
            assert!(!running.is_finished(), "the daemon ended");
            readiness.is_ready().then_some(())
        })
        .await;
        // The latch is taken when the daemon begins to run: ask the daemon itself as well.
        let client = Client::new();
        let logd = Self { address, grpc, client, stopper, running, dir };
        testkit::eventually("the daemon to say so", || async {
            logd.get(&format!("{prefix}/ready"), &[]).await.status().is_success().then_some(())
        })
        .await;
        logd
    }

    /// Stops in order and gives the folder back.
    pub async fn stop(self) -> TempDir {
        self.stopper.stop();
        self.running.await.expect("no panic").expect("ends well");
        self.dir
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str, params: &[(&str, &str)]) -> Response {
        self.client.get(self.url(path)).query(params).send().await.expect("an answer")
    }

    /// Asks and expects JSON.
    pub async fn json(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let response = self.get(path, params).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Asks and expects a refusal: status and text.
    pub async fn refusal(&self, path: &str, params: &[(&str, &str)]) -> (u16, String) {
        let response = self.get(path, params).await;
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Pushes JSON; status and text of the answer.
    pub async fn push(&self, body: &Value) -> (u16, String) {
        self.push_as(body, None).await
    }

    /// Pushes JSON for a tenant.
    pub async fn push_as(&self, body: &Value, tenant: Option<&str>) -> (u16, String) {
        let mut request = self
            .client
            .post(self.url("/loki/api/v1/push"))
            .header("Content-Type", "application/json")
            .body(body.to_string());
        if let Some(tenant) = tenant {
            request = request.header("X-Scope-OrgID", tenant);
        }
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Lines of a query, oldest first.
    pub async fn lines(&self, query: &str) -> Vec<String> {
        let answer = self
            .json(
                "/loki/api/v1/query_range",
                &[("query", query), ("direction", "forward"), ("limit", "5000"), ("since", "30d")],
            )
            .await;
        let streams = answer["data"]["result"].as_array().expect("streams").iter();
        let values = streams.flat_map(|stream| stream["values"].as_array().expect("values"));
        let mut entries: Vec<(i64, String)> = values
            .map(|value| {
                let time = value[0].as_str().expect("a time").parse().expect("nanoseconds");
                (time, value[1].as_str().expect("a line").to_owned())
            })
            .collect();
        entries.sort();
        entries.into_iter().map(|(_, line)| line).collect()
    }
}

/// A configuration in a folder. gRPC listens on `grpc_port`, 0 is off.
pub fn config(dir: &TempDir, http_port: u16, grpc_port: u16, sections: &str) -> String {
    let auth = if sections.contains("auth_enabled") { "" } else { "auth_enabled: false" };
    format!(
        "{auth}
server: {{http_listen_address: 127.0.0.1, http_listen_port: {http_port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc_port}}}
common: {{path_prefix: '{}'}}
{sections}",
        dir.path().display()
    )
}

/// Now, in nanoseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_nanos()).expect("before 2262")
}

/// `seconds` ago, as push bodies have it.
pub fn ago(seconds: u64) -> String {
    (now() - i64::try_from(Duration::from_secs(seconds).as_nanos()).expect("fits")).to_string()
}
