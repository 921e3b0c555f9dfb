//! Starting programs, asking them, killing them.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Once,
};

use prost::Message;
use reqwest::Client;
use serde_json::Value;
use testkit::{eventually, free_port};
use wire::prometheus::{Label, Sample, TimeSeries, WriteRequest};

/// A program that runs. Dropping it kills it.
pub struct Process {
    child: Child,
    /// Where its output goes, for messages of failing tests.
    output: PathBuf,
}

impl Process {
    /// Starts one of our programs.
    pub fn start(program: &str, arguments: &[String], environment: &[(&str, &str)], dir: &Path) -> Self {
        crypto();
        let binary = target_dir().join(program);
        assert!(binary.exists(), "{} is not built: run `cargo build --workspace` first", binary.display());
        let output = dir.join(format!("{program}.out"));
        let file = File::options().create(true).append(true).open(&output).expect("output file");
        let child = Command::new(binary)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("clone"))
            .stderr(file)
            .spawn()
            .expect("starts");
        Self { child, output }
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("state").is_some()
    }

    /// `kill -9`, while others still hold the process.
    pub fn kill_now(&self) {
        self.signal(libc::SIGKILL);
    }

    fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.id()).expect("pid");
        // SAFETY: sends a signal to a child of ours, which is still a child since it was not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// SIGTERM, and waits for an orderly end.
    pub async fn terminate(mut self) {
        self.signal(libc::SIGTERM);
        eventually("an orderly end", || {
            let ended = self.child.try_wait().expect("state");
            async move { ended }
        })
        .await;
        let status = self.child.wait().expect("ended");
        assert!(status.success(), "{status}: {}", self.output());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the program printed:\n{}", self.output());
        }
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Chooses the process' cryptography, once.
pub fn crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Where the programs are: beside this test's folder.
fn target_dir() -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    test.ancestors().nth(2).expect("target folder").to_owned()
}

/// A client that takes the proxy's self-signed certificate.
pub fn client() -> Client {
    crypto();
    Client::builder().tls_danger_accept_invalid_certs(true).build().expect("client")
}

/// The whole stack in one process.
pub struct Stack {
    pub process: Process,
    pub client: Client,
    ports: Vec<(&'static str, u16)>,
}

/// The administrator of all stacks in these tests.
pub const ADMIN: (&str, &str) = ("admin", "a password for tests");

impl Stack {
    /// Starts `stackd` in a folder and waits until it answers. A second start in the same folder finds the first one's data.
    pub async fn start(dir: &Path, more: &[&str]) -> Self {
        Self::start_on(dir, &[], more).await
    }

    /// The same with a port for alertd that the test's own configuration names.
    pub async fn start_with_alertd_on(dir: &Path, port: u16) -> Self {
        Self::start_on(dir, &[("alertd", port)], &[]).await
    }

    async fn start_on(dir: &Path, fixed: &[(&str, u16)], more: &[&str]) -> Self {
        let names = ["metricsd", "alertd", "logd", "logd-grpc", "agentd", "uid", "http", "https", "proxyd"];
        let port = |name: &str| {
            fixed.iter().find(|(fixed, _)| *fixed == name).map_or_else(free_port, |(_, port)| *port)
        };
        let ports: Vec<_> = names.iter().map(|name| (*name, port(name))).collect();
        let mut arguments = vec![
            format!("--data.dir={}", dir.join("data").display()),
            format!("--logs.path={}/var/*.log", dir.display()),
            "--scrape.interval=1s".to_owned(),
        ];
        arguments.extend(ports.iter().map(|(name, port)| format!("--port.{name}={port}")));
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let environment = [("GF_SECURITY_ADMIN_USER", ADMIN.0), ("GF_SECURITY_ADMIN_PASSWORD", ADMIN.1)];
        let mut process = Process::start("stackd", &arguments, &environment, dir);
        let client = client();
        for (name, path) in [
            ("metricsd", "/-/ready"),
            ("logd", "/ready"),
            ("alertd", "/-/ready"),
            ("uid", "/api/health"),
            ("proxyd", "/ping"),
        ] {
            let port = port_of(&ports, name);
            let url = format!("http://127.0.0.1:{port}{path}");
            eventually(&format!("{name} is ready"), || {
                assert!(!process.has_ended(), "stackd ended: {}", process.output());
                let (client, url) = (client.clone(), url.clone());
                async move { client.get(url).send().await.ok().filter(|answer| answer.status().is_success()) }
            })
            .await;
        }
        Self { process, client, ports }
    }

    /// A URL of one part: `url("metricsd", "/api/v1/query?query=up")`.
    pub fn url(&self, part: &str, path: &str) -> String {
        let scheme = if part == "https" { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", port_of(&self.ports, part))
    }

    /// An answer as JSON; `null` where it is none.
    pub async fn json(&self, part: &str, path: &str) -> Value {
        match self.client.get(self.url(part, path)).send().await {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    /// The result of an instant query in PromQL.
    pub async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.json("metricsd", &format!("/api/v1/query?query={}", encode(query))).await;
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// The values of all samples that a range selector finds.
    pub async fn samples(&self, selector: &str) -> Vec<f64> {
        let series = self.query(selector).await;
        let values =
            series.iter().flat_map(|series| series["values"].as_array().cloned().unwrap_or_default());
        values.filter_map(|value| value[1].as_str()?.parse().ok()).collect()
    }

    /// All lines that a LogQL selector finds in the last hour, newest first.
    pub async fn lines(&self, query: &str) -> Vec<String> {
        let path = format!("/loki/api/v1/query_range?query={}&limit=5000", encode(query));
        let answer = self.json("logd", &path).await;
        let streams = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let values =
            streams.iter().flat_map(|stream| stream["values"].as_array().cloned().unwrap_or_default());
        values.filter_map(|value| value[1].as_str().map(str::to_owned)).collect()
    }

    /// Writes one sample by remote write; an error is why it was not acknowledged.
    pub async fn write(&self, name: &str, job: &str, value: f64) -> Result<(), String> {
        let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
        let request = WriteRequest {
            timeseries: vec![TimeSeries {
                labels: vec![label("__name__", name), label("job", job)],
                samples: vec![Sample { value, timestamp: now_millis() }],
                ..Default::default()
            }],
            metadata: vec![],
        };
        let request = self
            .client
            .post(self.url("metricsd", "/api/v1/write"))
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .body(wire::snappy_compress(&request.encode_to_vec()));
        acknowledged(request).await
    }

    /// Pushes one line; an error is why it was not acknowledged.
    pub async fn push(&self, job: &str, line: &str) -> Result<(), String> {
        let nanos = now_millis() as i128 * 1_000_000;
        let body =
            serde_json::json!({"streams": [{"stream": {"job": job}, "values": [[nanos.to_string(), line]]}]});
        let request = self.client.post(self.url("logd", "/loki/api/v1/push")).json(&body);
        acknowledged(request).await
    }
}

/// Sends a write; an error is why it was not acknowledged.
async fn acknowledged(request: reqwest::RequestBuilder) -> Result<(), String> {
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(format!("{status}: {}", answer.text().await.unwrap_or_default()))
}

fn port_of(ports: &[(&'static str, u16)], part: &str) -> u16 {
    ports.iter().find(|(name, _)| *name == part).unwrap_or_else(|| panic!("no part {part}")).1
}

/// Percent-encodes a query parameter.
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Milliseconds since the Unix epoch.
pub fn now_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock");
    i64::try_from(since.as_millis()).expect("this century")
}
