//! What the daemon says of itself: features, jobs and their rules, own metrics.

use serde_json::json;

use super::{peer::get, *};

const JOBS: &str = "scrape_configs:\n\
- job_name: a\n  basic_auth: {username: u, password: hidden}\n  static_configs: [{targets: ['127.0.0.1:1']}]\n  relabel_configs:\n\
\x20 - {source_labels: [__address__], target_label: host, regex: '(.*):.*'}\n\
\x20 - {source_labels: [host], regex: b, action: drop}\n\
\x20 - {regex: 'tmp_.*', action: labeldrop}\n\
- job_name: b\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_shows_its_configuration_and_what_its_rules_do() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), JOBS, &[]).await;
    let shown = eventually("pool", || async {
        let shown = running.json("/api/v1/scrape_pools/config?scrapePool=a").await;
        (shown["status"] == "success").then_some(shown)
    })
    .await;
    let yaml = shown["data"]["yaml"].as_str().expect("yaml");
    assert!(yaml.starts_with("job_name: a\n") && yaml.contains("password: <secret>"), "{yaml}");
    assert!(yaml.contains("scrape_interval: 1m") && !yaml.contains("hidden"), "{yaml}");

    let steps = async |labels: Value| {
        let path =
            format!("/api/v1/targets/relabel_steps?scrapePool=a&labels={}", encode(&labels.to_string()));
        running.json(&path).await["data"]["steps"].take()
    };
    let kept = steps(json!({"__address__": "x:1", "tmp_y": "z"})).await;
    assert_eq!(
        kept,
        json!([
            {
                "rule": {
                    "source_labels": ["__address__"], "separator": ";", "regex": "(.*):.*", "target_label": "host",
                    "replacement": "$1", "action": "replace",
                },
                "output": {"__address__": "x:1", "host": "x", "tmp_y": "z"},
                "keep": true,
            },
            {
                "rule": {"source_labels": ["host"], "separator": ";", "regex": "b", "replacement": "$1", "action": "drop"},
                "output": {"__address__": "x:1", "host": "x", "tmp_y": "z"},
                "keep": true,
            },
            {
                "rule": {"separator": ";", "regex": "tmp_.*", "replacement": "$1", "action": "labeldrop"},
                "output": {"__address__": "x:1", "host": "x"},
                "keep": true,
            },
        ])
    );
    let dropped = steps(json!({"__address__": "b:1"})).await;
    let verdicts: Vec<_> = dropped.as_array().expect("steps").iter().map(|step| &step["keep"]).collect();
    assert_eq!(verdicts, [&json!(true), &json!(false), &json!(false)]);
    assert_eq!(dropped[2]["output"], json!({}));

    for (path, text) in [
        ("scrape_pools/config", "no scrapePool parameter provided"),
        ("scrape_pools/config?scrapePool=c", "error retrieving scrape config: scrape pool \"c\" not found"),
        ("targets/relabel_steps", "no scrapePool parameter provided"),
        ("targets/relabel_steps?scrapePool=a", "no labels parameter provided"),
        ("targets/relabel_steps?scrapePool=a&labels=%5B", "error parsing labels: "),
    ] {
        let (status, body) = get(&running.url, &format!("/api/v1/{path}")).await;
        let error: Value = serde_json::from_str(&body).expect("json");
        assert_eq!((status, &error["errorType"]), (400, &json!("bad_data")), "{path}");
        assert!(error["error"].as_str().expect("text").starts_with(text), "{path}: {error}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn features_and_own_metrics_are_told() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let features = running.json("/api/v1/features").await["data"].take();
    assert_eq!((&features["api"]["admin"], &features["api"]["lifecycle"]), (&json!(false), &json!(true)));
    assert_eq!(features["promql_operators"]["=="], true, "{features}");

    let path =
        format!("/api/v1/status/self_metrics?metric_name_pattern={}", encode("prometheus_tsdb_head_s.*"));
    let metrics = running.json(&path).await["data"].take();
    let names: Vec<_> =
        metrics.as_array().expect("list").iter().map(|family| family["name"].as_str()).collect();
    assert!(names.contains(&Some("prometheus_tsdb_head_series")), "{names:?}");
    assert!(names.iter().flatten().all(|name| name.starts_with("prometheus_tsdb_head_s")), "{names:?}");
    let all = running.json("/api/v1/status/self_metrics").await["data"].take();
    let kinds: std::collections::BTreeSet<_> = all
        .as_array()
        .expect("list")
        .iter()
        .map(|family| family["type"].as_str().unwrap_or_default())
        .collect();
    assert!(["COUNTER", "GAUGE", "HISTOGRAM"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let (status, _) = get(&running.url, "/api/v1/status/self_metrics?metric_name_pattern=(").await;
    assert_eq!(status, 400);
    running.stop().await;
}
