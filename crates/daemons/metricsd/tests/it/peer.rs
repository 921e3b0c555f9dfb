//! A Prometheus beside the daemon, told and asked the same. Tests that need one are skipped where `prometheus` is not installed.

use std::process::{Child, Command, Stdio};

use super::*;

/// A Prometheus that takes remote writes; it ends with the test.
pub(super) struct Peer {
    process: Child,
    pub url: String,
    pub dir: tempfile::TempDir,
}

impl Peer {
    pub async fn start(config: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("tempdir");
        let config_file = dir.path().join("prometheus.yml");
        fs::write(&config_file, config).expect("config");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("port").port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config_file.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            eprintln!("skipped: prometheus is not installed");
            return None;
        };
        let peer = Self { process, url: format!("http://127.0.0.1:{port}"), dir };
        let ready = format!("{}/-/ready", peer.url);
        eventually("ready", || async {
            reqwest::get(&ready).await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
        Some(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Status and body of an answer.
pub(super) async fn get(url: &str, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{url}{path}")).await.expect("request");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

pub(super) async fn write_to(url: &str, timeseries: &[TimeSeries]) -> u16 {
    let request = WriteRequest { timeseries: timeseries.to_vec(), metadata: vec![] };
    let answer = reqwest::Client::new()
        .post(format!("{url}/api/v1/write"))
        .header("Content-Type", "application/x-protobuf")
        .header("Content-Encoding", "snappy")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0")
        .body(wire::snappy_compress(&request.encode_to_vec()))
        .send()
        .await
        .expect("request");
    answer.status().as_u16()
}
