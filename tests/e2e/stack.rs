//! From the start to live metrics and logs, without a further step.

use std::{fs, io::Write};

use serde_json::{Value, json};
use testkit::eventually;

use crate::process::{ADMIN, Stack, now_millis};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_logs_and_pages_are_there_soon() {
    let dir = tempfile::tempdir().expect("tempdir");
    fs::create_dir(dir.path().join("var")).expect("folder");
    fs::write(dir.path().join("var/app.log"), "first line\n").expect("write");
    let stack = Stack::start(dir.path(), &[]).await;
    eventually("every target is up", || async {
        let up = stack.query("up").await;
        (up.len() == 7 && up.iter().all(|sample| sample["value"][1] == "1")).then_some(())
    })
    .await;
    eventually("CPU rates", || async {
        (!stack.query("rate(node_cpu_seconds_total[1m])").await.is_empty()).then_some(())
    })
    .await;
    eventually("log lines", || async {
        stack.lines("{job=\"varlogs\"}").await.contains(&"first line".to_owned()).then_some(())
    })
    .await;
    let mut file = fs::File::options().append(true).open(dir.path().join("var/app.log")).expect("open");
    writeln!(file, "second line").expect("write");
    eventually("a new line", || async {
        stack.lines("{job=\"varlogs\"} |= \"second\"").await.first().cloned()
    })
    .await;
    eventually("the stack's own log", || async {
        (!stack.lines("{job=\"stack\"}").await.is_empty()).then_some(())
    })
    .await;

    let count = format!(
        "/loki/api/v1/query?query={}&time={}",
        crate::process::encode("sum by (job) (count_over_time({job=\"varlogs\"}[5m]))"),
        now_millis() * 1_000_000
    );
    assert_eq!(stack.json("logd", &count).await["data"]["result"][0]["value"][1], "2");

    proxy_guards_the_apis(&stack).await;
    the_app_shows_a_dashboard_with_data(&stack).await;
    stack.process.terminate().await;
}

async fn proxy_guards_the_apis(stack: &Stack) {
    let url = stack.url("https", "/prometheus/api/v1/query?query=up");
    let without = stack.client.get(&url).send().await.expect("answer");
    assert_eq!(without.status(), 401);
    let wrong = stack.client.get(&url).basic_auth(ADMIN.0, Some("wrong")).send().await.expect("answer");
    assert_eq!(wrong.status(), 401);
    let with = stack.client.get(&url).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.expect("answer");
    assert_eq!(with.status(), 200);
    let answer: Value = with.json().await.expect("json");
    assert_eq!(answer["status"], "success");
    let logs =
        stack.client.get(stack.url("https", "/loki/loki/api/v1/labels")).basic_auth(ADMIN.0, Some(ADMIN.1));
    assert_eq!(logs.send().await.expect("answer").status(), 200);
    let page = stack.client.get(stack.url("https", "/")).send().await.expect("answer");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("text").contains("<html"));
    let routers = stack.json("proxyd", "/api/http/routers").await;
    let names: Vec<&str> =
        routers.as_array().expect("list").iter().filter_map(|router| router["name"].as_str()).collect();
    assert!(names.contains(&"prometheus@file") && names.contains(&"ui@file"), "{names:?}");
}

async fn the_app_shows_a_dashboard_with_data(stack: &Stack) {
    let denied = stack.client.get(stack.url("uid", "/api/search")).send().await.expect("answer");
    assert_eq!(denied.status(), 401);
    let login =
        stack.client.post(stack.url("uid", "/login")).json(&json!({"user": ADMIN.0, "password": ADMIN.1}));
    let login = login.send().await.expect("answer");
    assert_eq!(login.status(), 200, "{}", login.text().await.unwrap_or_default());
    let get = async |path: &str| -> Value {
        let request = stack.client.get(stack.url("uid", path)).basic_auth(ADMIN.0, Some(ADMIN.1));
        request.send().await.expect("answer").json().await.expect("json")
    };
    let found = get("/api/search?type=dash-db").await;
    let uid = found
        .as_array()
        .expect("list")
        .iter()
        .find(|entry| entry["uid"] == "stack-overview")
        .expect("the overview dashboard");
    assert_eq!(uid["folderTitle"], "Stack");
    let dashboard = get("/api/dashboards/uid/stack-overview").await;
    assert!(dashboard["dashboard"]["panels"].as_array().expect("panels").len() > 5);
    let query = json!({
        "from": (now_millis() - 300_000).to_string(),
        "to": (now_millis() + 60_000).to_string(),
        "queries": [
            {"refId": "A", "datasource": {"uid": "prometheus", "type": "prometheus"}, "expr": "up", "range": true, "intervalMs": 5000, "maxDataPoints": 100},
            {"refId": "B", "datasource": {"uid": "loki", "type": "loki"}, "expr": "{job=\"varlogs\"}", "maxLines": 10},
        ],
    });
    // Steps are aligned: the newest samples show when their step is over.
    let answer: Value = eventually("a frame a target", || async {
        let request = stack
            .client
            .post(stack.url("uid", "/api/ds/query"))
            .basic_auth(ADMIN.0, Some(ADMIN.1))
            .json(&query);
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        (answer["results"]["A"]["frames"].as_array()?.len() == 7).then_some(answer)
    })
    .await;
    assert_eq!(
        answer["results"]["B"]["frames"][0]["schema"]["meta"]["preferredVisualisationType"], "logs",
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_leaves_the_old_one_in_force() {
    let dir = tempfile::tempdir().expect("tempdir");
    let config = dir.path().join("data/config");
    fs::create_dir_all(&config).expect("folder");
    fs::write(config.join("prometheus.yml"), "global: {scrape_interval: 7s}\n").expect("write");
    let stack = Stack::start(dir.path(), &[]).await;
    fs::write(config.join("prometheus.yml"), "global:\n  scrape_interval: fast\n").expect("write");
    let answer = stack.client.post(stack.url("metricsd", "/-/reload")).send().await.expect("answer");
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.expect("text");
    assert!(text.contains("prometheus.yml:2:20: global.scrape_interval"), "{text}");
    let metrics = stack
        .client
        .get(stack.url("metricsd", "/metrics"))
        .send()
        .await
        .expect("answer")
        .text()
        .await
        .expect("text");
    assert!(metrics.contains("\nprometheus_config_last_reload_successful 0\n"));
    let shown = stack.json("metricsd", "/api/v1/status/config").await;
    assert!(shown["data"]["yaml"].as_str().expect("yaml").contains("scrape_interval: 7s"), "{shown}");
    stack.process.terminate().await;
}
