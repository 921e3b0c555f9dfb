//! A running daemon, and a client that speaks of alerts.

use std::{path::Path, time::Duration};

use alertd::{App, ConfigSource, Options};
use reqwest::StatusCode;
use serde_json::{Value, json};
use service::{Daemon, Frame, Stop, Tasks};

/// A daemon in this process, on a port of its own.
pub struct Running {
    pub url: String,
    tasks: Tasks,
}

impl Running {
    /// Starts on a configuration file and a data folder in `dir`.
    pub async fn start(dir: &Path) -> Self {
        Self::with(Options {
            config: ConfigSource::File(dir.join("alertmanager.yml")),
            storage_path: dir.join("data"),
            listen_addresses: vec!["127.0.0.1:0".into()],
            external_url: "http://am.example".into(),
            ..Options::default()
        })
        .await
    }

    /// Starts with any options.
    pub async fn with(options: Options) -> Self {
        let app = App::with_options(options, Frame::default()).await.expect("builds");
        let url = format!("http://{}{}", app.local_addresses()[0], app.route_prefix());
        let tasks = Tasks::new(&Stop::never());
        let stop = tasks.stop();
        tasks.spawn("alertd", async move { app.run(stop).await.expect("runs") });
        testkit::eventually("readiness", || async {
            let answer = reqwest::get(format!("{url}/-/ready")).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self { url, tasks }
    }

    pub async fn stop(self) {
        self.tasks.finish(Duration::from_secs(30)).await.expect("stops");
    }

    /// A path of the API: status and body, as JSON where it is.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(reqwest::get(format!("{}/api/v2{path}", self.url)).await.expect("an answer")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = reqwest::Client::new().post(format!("{}/api/v2{path}", self.url)).json(body);
        read(request.send().await.expect("an answer")).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        let request = reqwest::Client::new().delete(format!("{}/api/v2{path}", self.url));
        read(request.send().await.expect("an answer")).await
    }

    pub async fn reload(&self) -> (StatusCode, String) {
        let request = reqwest::Client::new().post(format!("{}/-/reload", self.url));
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a text"))
    }

    pub async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("{}/metrics", self.url)).await.expect("an answer");
        answer.text().await.expect("a text")
    }

    /// Reports alerts `Down` of jobs, firing.
    pub async fn fire(&self, jobs: &[&str]) {
        let alerts: Vec<Value> =
            jobs.iter().map(|job| json!({"labels": {"alertname": "Down", "job": job}})).collect();
        assert_eq!(self.post("/alerts", &json!(alerts)).await.0, StatusCode::OK);
    }
}

async fn read(answer: reqwest::Response) -> (StatusCode, Value) {
    let status = answer.status();
    let text = answer.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
