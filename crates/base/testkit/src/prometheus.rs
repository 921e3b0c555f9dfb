//! The Prometheus that is installed, beside which ours is tested.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::free_port;

/// How long it may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Prometheus; it ends when this is dropped. Calls block.
pub struct Prometheus {
    child: Child,
    port: u16,
    scratch: TempDir,
}

impl Prometheus {
    /// Starts it and waits until it is ready. Its data is in the folder `data`, or else in one of its own. `None` says on standard error
    /// that the test is skipped, as it is not installed.
    pub fn start(config: &str, data: Option<&Path>, arguments: &[&str]) -> Option<Self> {
        let scratch = TempDir::new().expect("a folder");
        let config_file = scratch.path().join("prometheus.yml");
        fs::write(&config_file, config).expect("a file");
        let own_data = scratch.path().join("data");
        let port = free_port();
        let started = Command::new("prometheus")
            .arg(format!("--config.file={}", config_file.display()))
            .arg(format!("--storage.tsdb.path={}", data.unwrap_or(&own_data).display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(arguments)
            .current_dir(scratch.path())
            .stdout(Stdio::null())
            .stderr(File::create(log_path(&scratch)).expect("a file"))
            .spawn();
        let Ok(child) = started else {
            eprintln!("skipped: prometheus is not installed");
            return None;
        };
        let mut prometheus = Self { child, port, scratch };
        let begin = Instant::now();
        while prometheus.request("GET", "/-/ready", &[], &[]).is_none_or(|(status, _)| status != 200) {
            let ended = prometheus.child.try_wait().expect("its state");
            assert!(ended.is_none() && begin.elapsed() < PATIENCE, "{ended:?}: {}", prometheus.log());
            sleep(Duration::from_millis(50));
        }
        Some(prometheus)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder it works in.
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.scratch)).unwrap_or_default()
    }

    /// Ends it as an operator does, and waits for that.
    pub fn stop(mut self) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        let begin = Instant::now();
        while self.child.try_wait().expect("its state").is_none() {
            assert!(begin.elapsed() < PATIENCE, "it does not end: {}", self.log());
            sleep(Duration::from_millis(50));
        }
    }

    /// Status and body of an answer; none where it does not answer.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        // Version 1.0: the answer ends with the connection.
        let mut head = format!("{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Whatever it has is the test's, and goes with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_path(scratch: &TempDir) -> PathBuf {
    scratch.path().join("log")
}
