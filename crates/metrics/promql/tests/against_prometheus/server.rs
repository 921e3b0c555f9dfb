//! A Prometheus on the samples of a test, where one is installed.

use std::{fmt::Write as _, fs, process::Command};

use tempfile::TempDir;

pub struct Prometheus {
    server: testkit::Prometheus,
    _data: TempDir,
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
        let flags = ["--storage.tsdb.retention.time=100y"];
        let server = testkit::Prometheus::start("global: {}\n", Some(&data), &flags)?;
        Some(Self { server, _data: scratch })
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
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.server.request("POST", path, &headers, body.as_bytes()).map(|(_, body)| body)
    }
}
