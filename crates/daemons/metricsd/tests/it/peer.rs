//! A Prometheus beside the daemon, told and asked the same. Tests that need one are skipped where `prometheus` is not installed.

use super::*;

/// A Prometheus that takes remote writes; it ends with the test.
pub(super) struct Peer {
    pub url: String,
    pub process: testkit::Prometheus,
}

impl Peer {
    pub async fn start(config: &str) -> Option<Self> {
        let config = config.to_owned();
        let start = move || {
            let features = "--enable-feature=native-histograms,promql-per-step-stats";
            let flags = ["--web.enable-remote-write-receiver", features];
            testkit::Prometheus::start(&config, None, &flags)
        };
        let process = tokio::task::spawn_blocking(start).await.expect("starts")?;
        Some(Self { url: process.url(), process })
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
