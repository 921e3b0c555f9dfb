//! A Prometheus on the samples of a test, where one is installed.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Prometheus {
    child: Child,
    port: u16,
    _scratch: TempDir,
}

impl Prometheus {
    /// Starts it with these samples, in OpenMetrics' text format; none where it is not installed.
    pub fn start(samples: &str) -> Option<Self> {
        let scratch = TempDir::new().unwrap();
        let (text, data) = (scratch.path().join("samples.om"), scratch.path().join("data"));
        fs::write(&text, samples).unwrap();
        let created = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([&text, &data])
            .output();
        match created {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {
                eprintln!("skipped: promtool is not installed");
                return None;
            }
        }
        let (config, log) = (scratch.path().join("prometheus.yml"), scratch.path().join("log"));
        fs::write(&config, "global: {}\n").unwrap();
        let port = testkit::free_port();
        let started = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--storage.tsdb.retention.time=100y")
            .current_dir(scratch.path())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn();
        let Ok(child) = started else {
            eprintln!("skipped: prometheus is not installed");
            return None;
        };
        let mut prometheus = Self { child, port, _scratch: scratch };
        prometheus.wait_until_ready(&log);
        Some(prometheus)
    }

    fn wait_until_ready(&mut self, log: &Path) {
        let begin = Instant::now();
        while self.post("/-/ready", &[]).is_none_or(|answer| !answer.contains("Ready")) {
            let ended = self.child.try_wait().unwrap();
            let log = || fs::read_to_string(log).unwrap_or_default();
            assert!(ended.is_none() && begin.elapsed() < PATIENCE, "{ended:?}: {}", log());
            sleep(Duration::from_millis(50));
        }
    }

    /// The body of the answer to a form.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Option<String> {
        let mut body = String::new();
        for (key, value) in form {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(key);
            body.push('=');
            for byte in value.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => body.push(byte as char),
                    _ => write!(body, "%{byte:02X}").unwrap(),
                }
            }
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let method = if form.is_empty() { "GET" } else { "POST" };
        // Version 1.0: the answer ends with the connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It has nothing of its own to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
