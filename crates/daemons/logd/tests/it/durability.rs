//! What is acknowledged stays.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Logd, ago, config};

/// The program itself, killed when dropped.
struct Process(Child);

impl Process {
    fn start(dir: &TempDir, port: u16) -> Self {
        let file = dir.path().join("loki.yml");
        std::fs::write(&file, config(dir, port, 0, "")).expect("written");
        let child = Command::new(env!("CARGO_BIN_EXE_logd"))
            .arg(format!("-config.file={}", file.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing gets the chance to end in order.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = testkit::free_port();
    let process = Process::start(&dir, port);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().expect("a client");
    testkit::eventually("the program to be ready", || async {
        let response = client.get(format!("http://127.0.0.1:{port}/ready")).send().await.ok()?;
        response.status().is_success().then_some(())
    })
    .await;
    for n in 0..50 {
        let body = json!({"streams": [{"stream": {"job": "kill"}, "values": [[ago(100 - n), format!("line {n:02}")]]}]});
        let request = client.post(format!("http://127.0.0.1:{port}/loki/api/v1/push"));
        let request = request.header("Content-Type", "application/json").body(body.to_string());
        assert_eq!(request.send().await.expect("an answer").status(), 204);
    }
    drop(process);

    let logd = Logd::start_in(dir, "").await;
    let want: Vec<String> = (0..50).map(|n| format!("line {n:02}")).collect();
    assert_eq!(logd.lines("{job=\"kill\"}").await, want);
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_and_a_flush_keep_everything() {
    let logd = Logd::start("ingester: {wal: {flush_on_shutdown: true}}").await;
    let push = async |logd: &Logd, seconds: u64, line: &str| {
        let body = json!({"streams": [{"stream": {"a": "b"}, "values": [[ago(seconds), line]]}]});
        assert_eq!(logd.push(&body).await.0, 204);
    };
    push(&logd, 3, "one").await;
    let flushed = logd.client.post(logd.url("/flush")).send().await.expect("an answer");
    assert_eq!(flushed.status(), 204);
    push(&logd, 2, "two").await;
    assert_eq!(logd.lines("{a=\"b\"}").await, ["one", "two"]);
    let logd = Logd::start_in(logd.stop().await, "").await;
    push(&logd, 1, "three").await;
    let logd = Logd::start_in(logd.stop().await, "").await;
    assert_eq!(logd.lines("{a=\"b\"}").await, ["one", "two", "three"]);
    logd.stop().await;
}
