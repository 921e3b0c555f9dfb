//! Debian's Prometheus beside ours. Tests with it are skipped where `prometheus` is not installed.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use testkit::eventually;

/// A Prometheus that takes remote writes; it ends with the test.
pub struct Peer {
    process: Child,
    pub url: String,
    _dir: tempfile::TempDir,
}

impl Peer {
    /// Starts it with a configuration; none where it is not installed.
    pub async fn start(configuration: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("tempdir");
        let config = dir.path().join("prometheus.yml");
        fs::write(&config, configuration).expect("config");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("port").port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            eprintln!("skipped: prometheus is not installed");
            return None;
        };
        let peer = Self { process, url: format!("http://127.0.0.1:{port}"), _dir: dir };
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
