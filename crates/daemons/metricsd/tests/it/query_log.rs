//! `global.query_log_file`, by itself and beside a Prometheus that is asked the same.

use std::path::Path;

use super::{
    peer::{Peer, get},
    *,
};

const CONFIG: &str = "global: {query_log_file: queries.log}\n";

/// The lines of requests in a log, or of rules.
fn lines(dir: &Path, origin: &str) -> Vec<Value> {
    fs::read_to_string(dir.join("queries.log"))
        .unwrap_or_default()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("json"))
        .filter(|line| line.get(origin).is_some())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_logs_the_same() {
    let Some(peer) = Peer::start(CONFIG).await else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), CONFIG, &[]).await;
    let paths = [
        "/api/v1/query?query=1&time=1.5",
        "/api/v1/query?query=%22a%5C%22b%22&time=1700000000",
        "/api/v1/query_range?query=up&start=100&end=400.25&step=15",
        "/api/v1/query?query=a*on(x)group_left(y)b&time=7",
        // What is no query is not logged.
        "/api/v1/query?query=sum(",
        "/api/v1/query_range?query=up%5B5m%5D&start=0&end=1&step=1",
        "/api/v1/format_query?query=up",
    ];
    for path in paths {
        assert_eq!(get(&running.url, path).await.0, get(&peer.url, path).await.0, "{path}");
    }
    for url in [&running.url, &peer.url] {
        let form = [("query", "2"), ("time", "3")];
        let posted = reqwest::Client::new().post(format!("{url}/api/v1/query")).form(&form).send().await;
        assert_eq!(posted.expect("request").status(), 200);
    }
    let (ours, theirs) = eventually("written", || async {
        let both = (lines(dir.path(), "httpRequest"), lines(peer.process.dir(), "httpRequest"));
        (both.0.len() == 5 && both.1.len() == 5).then_some(both)
    })
    .await;
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for key in ["params", "httpRequest", "error"] {
            assert_eq!(ours.get(key), theirs.get(key), "{ours}\n{theirs}");
        }
        let keys = |line: &Value| {
            line["stats"]["timings"].as_object().expect("timings").keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(ours), keys(theirs));
        let ts = |line: &Value| line["ts"].as_str().and_then(|ts| ts.parse::<jiff::Timestamp>().ok());
        assert!(ts(ours).is_some() && ts(theirs).is_some(), "{ours}\n{theirs}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_logged_with_their_group_and_a_reload_opens_the_file_anew() {
    let dir = tempfile::tempdir().expect("tempdir");
    let rules = dir.path().join("r.yml");
    fs::write(&rules, "groups: [{name: g, interval: 100ms, rules: [{record: a, expr: 'vector(3)'}]}]")
        .expect("write");
    let config = format!("{CONFIG}rule_files: [r.yml]\n");
    let running = start(dir.path(), &config, &[]).await;
    let line = eventually("rule", || async { lines(dir.path(), "ruleGroup").into_iter().next() }).await;
    assert_eq!(line["params"]["query"], "vector(3)");
    assert_eq!(line["ruleGroup"], serde_json::json!({"file": rules.to_str(), "name": "g"}));

    fs::rename(dir.path().join("queries.log"), dir.path().join("old.log")).expect("rotate");
    assert_eq!(running.reload().await.0, 200);
    eventually("rule in the new file", || async { lines(dir.path(), "ruleGroup").into_iter().next() }).await;

    let broken = config.replace("queries.log", "missing/queries.log");
    fs::write(dir.path().join("prometheus.yml"), broken).expect("write");
    let (status, text) = running.reload().await;
    assert_eq!((status, text.contains("cannot open the query log")), (500, true), "{text}");
    assert!(
        running.json("/api/v1/status/config").await["data"]["yaml"]
            .to_string()
            .contains("query_log_file: queries.log")
    );

    fs::write(dir.path().join("prometheus.yml"), "{}").expect("write");
    assert_eq!(running.reload().await.0, 200);
    let metrics = get(&running.url, "/metrics").await.1;
    assert!(metrics.contains("\nprometheus_engine_query_log_enabled 0\n"), "{metrics}");
    assert!(metrics.contains("\nprometheus_engine_query_log_failures_total 0\n"), "{metrics}");
    running.stop().await;
}
