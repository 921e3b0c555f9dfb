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

async fn lines(running: &Running, path: &str) -> Vec<Value> {
    let answer = reqwest::get(format!("{}/api/v1/search/{path}", running.url)).await.expect("request");
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson; charset=utf-8", "{path}");
    let text = answer.text().await.expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_searched() {
    let dir = tempfile::tempdir().expect("tempdir");
    let more = ["--enable-feature=search-api", "--web.search.max-limit=50"];
    let running = start(dir.path(), "{}", &more).await;
    let at = now();
    let names = ["http_errors", "http_requests", "memory", "up"];
    running.write(&names.map(|name| (name, 1.0, at))).await;
    let all = lines(&running, "metric_names?batch_size=3").await;
    assert_eq!(all[0]["results"].as_array().map(Vec::len), Some(3), "{all:?}");
    assert_eq!(all[1], json!({"results": [{"name": "up"}]}));
    assert_eq!(all[2], json!({"status": "success", "has_more": false}));
    let best = lines(&running, "metric_names?search[]=HRS&case_sensitive=false&sort_by=score&limit=1").await;
    assert_eq!(best[0], json!({"results": [{"name": "http_requests"}]}));
    assert_eq!(best[1], json!({"status": "success", "has_more": true}));
    let scored = lines(&running, "metric_names?search[]=req&fuzz_alg=jarowinkler&include_score=true").await;
    assert_eq!(scored[0], json!({"results": [{"name": "http_requests", "score": 0.55}]}));
    let labels = lines(&running, "label_names?sort_by=alpha&sort_dir=dsc").await;
    assert_eq!(labels[0], json!({"results": [{"name": "job"}, {"name": "__name__"}]}));
    let values = lines(&running, "label_values?label=job&match[]=up").await;
    assert_eq!(values[0], json!({"results": [{"value": "w"}]}));
    assert_eq!(lines(&running, "label_values?label=job&start=1&end=5").await[0], json!({"results": []}));
    let bad = [
        ("label_values", "missing required parameter \"label\""),
        ("metric_names?limit=51", "limit 51 exceeds the configured maximum (50, see --web.search.max-limit)"),
        ("metric_names?limit=0", "invalid limit \"0\": must be a positive integer"),
        ("metric_names?start=2&end=1", "end timestamp must not be before start timestamp"),
        ("metric_names?start=x", "invalid time value for 'start': cannot parse \"x\" to a valid timestamp"),
        ("metric_names?fuzz_threshold=101", "invalid fuzz_threshold \"101\": must be 0-100"),
        ("metric_names?fuzz_alg=x", "unsupported fuzz_alg \"x\": must be one of [subsequence jarowinkler]"),
        ("metric_names?case_sensitive=x", "invalid case_sensitive \"x\": must be boolean"),
        ("metric_names?include_metadata=x", "invalid include_metadata \"x\": must be boolean"),
        ("metric_names?sort_dir=asc", "sort_dir is only valid when sort_by is set"),
        ("metric_names?sort_by=score&sort_dir=asc", "sort_dir is not supported for sort_by=score"),
        ("metric_names?sort_by=score", "sort_by=score requires search[] to be set"),
        ("label_names?sort_by=x", "invalid sort_by \"x\" for label_names: must be \"alpha\" or \"score\""),
    ];
    for (path, text) in bad {
        let answer = running.json(&format!("/api/v1/search/{path}")).await;
        assert_eq!((&answer["errorType"], &answer["error"]), (&json!("bad_data"), &json!(text)), "{path}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_say_what_holds_and_are_followed() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--web.max-notifications-subscribers=1"]).await;
    assert_eq!(running.json("/api/v1/notifications").await["data"], json!([]));
    let live = format!("{}/api/v1/notifications/live", running.url);
    let mut follower = reqwest::get(&live).await.expect("request");
    assert_eq!(follower.headers()["content-type"], "text/event-stream");
    assert_eq!(reqwest::get(&live).await.expect("request").status(), 204);
    for (config, active) in [("x: y", true), ("{}", false)] {
        fs::write(dir.path().join("prometheus.yml"), config).expect("write");
        assert_eq!(running.reload().await.0 == 500, active);
        let shown = running.json("/api/v1/notifications").await;
        assert_eq!(shown["data"].as_array().map(Vec::len), Some(usize::from(active)), "{shown}");
        let event = follower.chunk().await.expect("readable").expect("an event");
        let event = event.strip_prefix(b"data: ").and_then(|rest| rest.strip_suffix(b"\n\n"));
        let event: Value = serde_json::from_slice(event.expect("an event")).expect("json");
        assert_eq!(event["text"], "Configuration reload has failed.");
        assert_eq!(event["active"], active);
    }
    running.stop().await;
    let last = follower.text().await.expect("text");
    assert!(last.contains("shutting down"), "{last}");
}
