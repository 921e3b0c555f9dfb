//! From a sample to a webhook and back.

use std::fs;

use serde_json::Value;
use testkit::{HttpRecorder, eventually};

use crate::process::Stack;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firing_alert_and_its_resolution_reach_a_webhook() {
    let dir = tempfile::tempdir().expect("tempdir");
    let webhook = HttpRecorder::start().await;
    let config = dir.path().join("data/config");
    fs::create_dir_all(&config).expect("folder");
    fs::write(
        config.join("rules.yml"),
        "groups:\n- name: test\n  interval: 500ms\n  rules:\n  - alert: TooHigh\n    expr: level > 10\n    labels: {severity: page}\n\
         \x20   annotations: {summary: '{{ $labels.job }} is at {{ $value }}'}\n",
    )
    .expect("write");
    fs::write(
        config.join("alertmanager.yml"),
        format!(
            "route: {{receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}\n\
             receivers: [{{name: hook, webhook_configs: [{{url: '{}'}}]}}]\n",
            webhook.url("/hook")
        ),
    )
    .expect("write");
    let alertd_port = testkit::free_port();
    fs::write(
        config.join("prometheus.yml"),
        format!(
            "rule_files: ['rules.yml']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertd_port}']}}]}}]}}\n"
        ),
    )
    .expect("write");
    let stack = Stack::start_with_alertd_on(dir.path(), alertd_port).await;
    stack.write("level", "tank", 12.0).await.expect("acknowledged");
    let body = eventually("the alert", || async { notification(&webhook, "firing") }).await;
    assert_eq!(body["receiver"], "hook");
    assert_eq!(body["groupLabels"]["alertname"], "TooHigh");
    assert_eq!(body["alerts"][0]["labels"]["job"], "tank");
    assert_eq!(body["alerts"][0]["annotations"]["summary"], "tank is at 12");
    let shown = stack.json("alertd", "/api/v2/alerts").await;
    assert_eq!(shown[0]["labels"]["alertname"], "TooHigh", "{shown}");
    stack.write("level", "tank", 1.0).await.expect("acknowledged");
    let body = eventually("the resolution", || async { notification(&webhook, "resolved") }).await;
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "TooHigh");
    stack.process.terminate().await;
}

fn notification(webhook: &HttpRecorder, status: &str) -> Option<Value> {
    webhook.requests().iter().find_map(|request| {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        (body["status"] == status).then_some(body)
    })
}
