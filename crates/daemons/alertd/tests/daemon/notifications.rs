//! From reported alerts to webhooks, through the whole daemon.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use testkit::{HttpRecorder, Recorded, eventually};

use crate::running::Running;

fn write_config(dir: &Path, route: &str, url: &str) {
    let text = format!(
        "route: {{receiver: hook, group_by: [alertname], {route}}}\nreceivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}]\n"
    );
    std::fs::write(dir.join("alertmanager.yml"), text).expect("written");
}

/// `reason: job,job`, with `job!` for alerts that are over.
fn summary(request: &Recorded) -> String {
    let body: Value = serde_json::from_slice(&request.body).expect("json");
    let alerts = body["alerts"].as_array().expect("alerts");
    let jobs = alerts.iter().map(|alert| {
        let over = if alert["status"] == "resolved" { "!" } else { "" };
        format!("{}{over}", alert["labels"]["job"].as_str().expect("a job"))
    });
    let reason = body["notification_reason"].as_str().expect("a reason");
    format!("{reason}: {}", jobs.collect::<Vec<_>>().join(","))
}

fn summaries(requests: &[Recorded]) -> Vec<String> {
    requests.iter().map(summary).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_become_one_grouped_notification_and_a_resolved_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let hook = HttpRecorder::start().await;
    write_config(dir.path(), "group_wait: 200ms, group_interval: 100ms, repeat_interval: 1h", &hook.url("/"));
    let daemon = Running::start(dir.path()).await;
    daemon.fire(&["b", "a"]).await;
    let requests = hook.wait_for(1).await;
    assert_eq!(summaries(&requests), ["first notification: a,b"]);
    let body: Value = serde_json::from_slice(&requests[0].body).expect("json");
    assert_eq!(body["version"], "4");
    assert_eq!(body["groupKey"], "{}:{alertname=\"Down\"}");
    assert_eq!(body["externalURL"], "http://am.example");
    assert_eq!(body["receiver"], "hook");
    // Both are over now.
    let over =
        |job: &str| json!({"labels": {"alertname": "Down", "job": job}, "endsAt": "2024-01-01T00:00:00Z"});
    daemon.post("/alerts", &json!([over("a")])).await;
    hook.wait_for(2).await;
    daemon.post("/alerts", &json!([over("b")])).await;
    let requests = hook.wait_for(3).await;
    assert_eq!(
        summaries(&requests),
        ["first notification: a,b", "some alerts resolved: a!,b", "all alerts resolved: b!"]
    );
    eventually("the group's end", || async {
        (daemon.get("/alerts/groups").await.1 == json!([])).then_some(())
    })
    .await;
    let metrics = daemon.metrics().await;
    for line in [
        "alertmanager_notifications_total{integration=\"webhook\"} 3\n",
        "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 2\n",
        "alertmanager_alerts_received_total{status=\"resolved\",version=\"v2\"} 2\n",
        "alertmanager_config_last_reload_successful 1\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    daemon.stop().await;
    assert_eq!(hook.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_reload_keeps_the_old_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let hook = HttpRecorder::start().await;
    let timing = "group_wait: 10ms, group_interval: 50ms, repeat_interval: 200ms";
    write_config(dir.path(), timing, &hook.url("/old"));
    let daemon = Running::start(dir.path()).await;
    std::fs::write(dir.path().join("alertmanager.yml"), "route: {receiver: nobody}\n").expect("written");
    let (status, text) = daemon.reload().await;
    assert_eq!(status, 500);
    assert!(text.contains("undefined receiver \"nobody\" used in route"), "{text}");
    assert!(daemon.metrics().await.contains("alertmanager_config_last_reload_successful 0\n"));
    daemon.fire(&["a"]).await;
    // Twice: what does not change is repeated.
    let requests = hook.wait_for(2).await;
    assert_eq!(requests[0].uri.path(), "/old");
    assert_eq!(summary(&requests[1]), "repeat interval elapsed: a");
    write_config(dir.path(), timing, &hook.url("/new"));
    assert_eq!(daemon.reload().await.0, 200);
    assert!(daemon.metrics().await.contains("alertmanager_config_last_reload_successful 1\n"));
    eventually("a notification to the new address", || async {
        hook.requests().iter().any(|request| request.uri.path() == "/new").then_some(())
    })
    .await;
    daemon.stop().await;
}

/// A daemon in a process of its own, that can be killed.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    async fn start(dir: &Path) -> Self {
        let port = testkit::free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_alertd"))
            .arg(format!("--config.file={}", dir.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let url = format!("http://127.0.0.1:{port}");
        eventually("readiness", || async {
            reqwest::get(format!("{url}/-/ready")).await.ok()?.status().is_success().then_some(())
        })
        .await;
        Self { child, url }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/api/v2{path}", self.url)).json(&body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        let text = answer.text().await.expect("a text");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_notifications_nor_silences_are_forgotten_by_a_crash() {
    let dir = tempfile::tempdir().expect("a folder");
    let hook = HttpRecorder::start().await;
    write_config(dir.path(), "group_wait: 10ms, group_interval: 100ms, repeat_interval: 1h", &hook.url("/"));
    let alert = |job: &str| json!([{"labels": {"alertname": "Down", "job": job}}]);
    let first = Process::start(dir.path()).await;
    first.post("/alerts", alert("a")).await;
    hook.wait_for(1).await;
    let silence = json!({
        "matchers": [{"name": "job", "value": "quiet", "isRegex": false}],
        "startsAt": "2024-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "me", "comment": "c",
    });
    let id = first.post("/silences", silence).await["silenceID"].as_str().expect("an id").to_owned();
    eventually("the notification log", || async {
        dir.path().join("data/nflog.json").exists().then_some(())
    })
    .await;
    first.kill();
    let second = Process::start(dir.path()).await;
    second.post("/alerts", alert("a")).await;
    second.post("/alerts", alert("quiet")).await;
    // The group had its turn, and nobody was told.
    eventually("a flush with the silenced alert", || async {
        let metrics = reqwest::get(format!("{}/metrics", second.url)).await.ok()?.text().await.ok()?;
        let line = "alertmanager_notifications_suppressed_total{reason=\"silence\"}";
        metrics.contains(line).then_some(())
    })
    .await;
    assert_eq!(hook.requests().len(), 1);
    second.post("/alerts", alert("b")).await;
    let requests = hook.wait_for(2).await;
    assert_eq!(summaries(&requests), ["first notification: a", "new alerts added: a,b"]);
    let answer = reqwest::get(format!("{}/api/v2/silence/{id}", second.url)).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    second.kill();
}
