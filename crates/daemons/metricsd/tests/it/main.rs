//! The daemon as its clients see it, over real sockets.

mod compared;
mod federate;
mod histograms;
mod introspection;
mod peer;
mod queries;
mod query_log;
mod remote_read;

use std::{fs, path::Path};

use clap::Parser;
use metricsd::{App, Flags, Options};
use prost::Message;
use serde_json::Value;
use service::{Daemon, Frame, Stopper};
use testkit::{HttpRecorder, eventually};
use tokio::task::JoinHandle;
use wire::prometheus::{Exemplar, Label, Sample, TimeSeries, WriteRequest};

/// A running daemon; [`Running::stop`] ends it in order, dropping it leaves it to die with the test.
struct Running {
    url: String,
    stopper: Stopper,
    task: JoinHandle<()>,
}

async fn start(dir: &Path, config: &str, more: &[&str]) -> Running {
    start_in(Frame::default(), dir, config, more).await
}

async fn start_in(frame: Frame, dir: &Path, config: &str, more: &[&str]) -> Running {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config_file = dir.join("prometheus.yml");
    fs::write(&config_file, config).expect("write");
    let config_flag = format!("--config.file={}", config_file.display());
    let data_flag = format!("--storage.tsdb.path={}", dir.join("data").display());
    let fixed = [
        "metricsd",
        &config_flag,
        &data_flag,
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--web.enable-remote-write-receiver",
    ];
    let flags = Flags::try_parse_from(fixed.iter().chain(more)).expect("flags");
    let app = App::new(Options { flags }, frame).await.expect("builds");
    let url = format!("http://{}", app.address());
    let stopper = Stopper::new();
    let stop = stopper.token();
    let task = tokio::spawn(async move { app.run(stop).await.expect("runs") });
    let ready = format!("{url}/-/ready");
    eventually("ready", || async { reqwest::get(&ready).await.ok().filter(|answer| answer.status() == 200) })
        .await;
    Running { url, stopper, task }
}

impl Running {
    async fn json(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.expect("request").json().await.expect("json")
    }

    async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.json(&format!("/api/v1/query?query={}", encode(query))).await;
        answer["data"]["result"].as_array().cloned().unwrap_or_else(|| panic!("{query}: {answer}"))
    }

    async fn write(&self, series: &[(&str, f64, i64)]) -> (u16, String) {
        let timeseries = series
            .iter()
            .map(|(name, value, timestamp)| TimeSeries {
                labels: vec![
                    Label { name: "__name__".into(), value: (*name).into() },
                    Label { name: "job".into(), value: "w".into() },
                ],
                samples: vec![Sample { value: *value, timestamp: *timestamp }],
                ..Default::default()
            })
            .collect();
        self.send(timeseries).await
    }

    async fn send(&self, timeseries: Vec<TimeSeries>) -> (u16, String) {
        let body = wire::snappy_compress(&WriteRequest { timeseries, metadata: vec![] }.encode_to_vec());
        let request = reqwest::Client::new()
            .post(format!("{}/api/v1/write", self.url))
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .body(body);
        let answer = request.send().await.expect("request");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    async fn reload(&self) -> (u16, String) {
        let answer =
            reqwest::Client::new().post(format!("{}/-/reload", self.url)).send().await.expect("request");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    async fn stop(self) {
        self.stopper.stop();
        self.task.await.expect("ends");
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock").as_millis() as i64
}

const SELF: &str = "global: {scrape_interval: 100ms, evaluation_interval: 100ms}\nscrape_configs: [{job_name: own, static_configs: [{targets: ['HOST']}]}]\n";

const LATE: &str = "storage: {tsdb: {out_of_order_time_window: 1h, chunk_encoding: {floats: xor2}}}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_how_old_samples_may_be() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let now = now();
    let old = now - 50 * 60 * 1000;
    assert_eq!(running.write(&[("late", 1.0, now)]).await.0, 204);
    let (status, text) = running.write(&[("late", 2.0, old)]).await;
    assert_eq!((status, text.contains("out of order sample")), (400, true), "{text}");
    fs::write(dir.path().join("prometheus.yml"), LATE).expect("write");
    assert_eq!(running.reload().await.0, 200);
    assert_eq!(running.write(&[("late", 2.0, old)]).await.0, 204);
    let (status, text) = running.write(&[("late", 2.0, now - 61 * 60 * 1000)]).await;
    assert_eq!((status, text.contains("too old sample")), (400, true), "{text}");
    let found = running.query(&format!("late @ {:.3}", old as f64 / 1000.0)).await;
    assert_eq!(found[0]["value"][1], "2", "{found:?}");
    let shown = running.json("/api/v1/status/config").await["data"]["yaml"].to_string();
    assert!(shown.contains("out_of_order_time_window: 1h") && shown.contains("floats: xor2"), "{shown}");
    fs::write(dir.path().join("prometheus.yml"), LATE.replace("xor2", "zstd")).expect("write");
    let (status, text) = running.reload().await;
    assert_eq!((status, text.contains("zstd")), (500, true), "{text}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_itself_and_answers() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let host = running.url.trim_start_matches("http://");
    fs::write(dir.path().join("prometheus.yml"), SELF.replace("HOST", host)).expect("write");
    assert_eq!(running.reload().await.0, 200);
    eventually("up", || async { (running.query("up").await.first()?["value"][1] == "1").then_some(()) })
        .await;
    eventually("rate", || async {
        let rate = running.query("rate(prometheus_tsdb_head_samples_appended_total[1m])").await;
        rate.first().cloned()
    })
    .await;
    let targets = running.json("/api/v1/targets").await;
    assert_eq!(targets["data"]["activeTargets"][0]["health"], "up", "{targets}");
    assert_eq!(targets["data"]["activeTargets"][0]["labels"]["instance"], host);
    let labels = running.json("/api/v1/labels").await;
    assert!(labels["data"].as_array().expect("labels").contains(&"job".into()), "{labels}");
    assert_eq!(running.json("/api/v1/label/job/values").await["data"], serde_json::json!(["own"]));
    let series = running.json(&format!("/api/v1/series?match[]={}", encode("up{job=\"own\"}"))).await;
    assert_eq!(series["data"][0]["__name__"], "up", "{series}");
    let range = running
        .json(&format!("/api/v1/query_range?query=up&start={}&end={}&step=1", now() / 1000 - 5, now() / 1000))
        .await;
    assert_eq!(range["data"]["resultType"], "matrix", "{range}");
    let metadata = running.json("/api/v1/metadata?metric=prometheus_http_requests").await;
    assert_eq!(metadata["data"]["prometheus_http_requests"][0]["type"], "counter", "{metadata}");
    assert_eq!(running.json("/api/v1/status/buildinfo").await["status"], "success");
    assert!(
        running.json("/api/v1/status/tsdb").await["data"]["headStats"]["numSeries"].as_u64().expect("series")
            > 10
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_samples_survive_a_restart() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let at = now();
    assert_eq!(running.write(&[("a", 1.5, at), ("b", 2.0, at)]).await.0, 204);
    assert_eq!(
        running.write(&[("a", 9.0, at - 1)]).await,
        (400, "{__name__=\"a\", job=\"w\"}: out of order sample\n".into())
    );
    assert_eq!(running.write(&[("c", 1.0, at + 3_600_000)]).await.0, 400);
    let result = running.query("a + on(job) b").await;
    assert_eq!(result[0]["value"][1], "3.5");
    running.stop().await;
    let again = start(dir.path(), "{}", &[]).await;
    assert_eq!(again.query("{job=\"w\"}").await.len(), 2);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_told_apart() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let check = async |path: &str, status: u16, kind: &str, text: &str| {
        let answer = reqwest::get(format!("{}{path}", running.url)).await.expect("request");
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let body: Value = answer.json().await.expect("json");
        assert_eq!(body["errorType"], kind, "{body}");
        assert!(body["error"].as_str().expect("text").contains(text), "{body}");
    };
    check("/api/v1/query?query=sum(", 400, "bad_data", "1:5: parse error: ").await;
    check("/api/v1/query?query=up&time=x", 400, "bad_data", "invalid parameter \"time\"").await;
    check(
        "/api/v1/query_range?query=up&start=0&end=1000000&step=1",
        400,
        "bad_data",
        "exceeded maximum resolution of 11,000 points",
    )
    .await;
    check(
        "/api/v1/query_range?query=up&start=10&end=1&step=1",
        400,
        "bad_data",
        "end timestamp must not be before start time",
    )
    .await;
    check("/api/v1/series", 400, "bad_data", "no match[] parameter provided").await;
    check("/api/v1/series?match[]=%7B%7D", 400, "bad_data", "at least one non-empty matcher").await;
    let write = reqwest::Client::new()
        .post(format!("{}/api/v1/write", running.url))
        .body("garbage")
        .send()
        .await
        .expect("request");
    assert_eq!(write.status(), 400);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_leaves_the_old_one_in_force() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "global: {scrape_interval: 7s}\n", &[]).await;
    fs::write(
        dir.path().join("prometheus.yml"),
        "global:\n  scrape_interval: 15s\nscrape_configs:\n- job_name: a\n  tagets: []\n",
    )
    .expect("write");
    let (status, text) = running.reload().await;
    assert_eq!(status, 500);
    assert!(text.contains("prometheus.yml:5:3: scrape_configs[0]: unknown field `tagets`"), "{text}");
    let metrics =
        reqwest::get(format!("{}/metrics", running.url)).await.expect("request").text().await.expect("text");
    assert!(metrics.contains("\nprometheus_config_last_reload_successful 0\n"), "{metrics}");
    assert!(
        running.json("/api/v1/status/config").await["data"]["yaml"]
            .as_str()
            .expect("yaml")
            .contains("scrape_interval: 7s")
    );
    // A rule file that does not hold is refused in the same way.
    fs::write(dir.path().join("r.yml"), "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]")
        .expect("write");
    fs::write(dir.path().join("prometheus.yml"), "rule_files: [r.yml]\n").expect("write");
    let (status, text) = running.reload().await;
    assert_eq!(status, 500);
    assert!(text.contains("could not parse expression"), "{text}");
    fs::write(dir.path().join("r.yml"), "groups: [{name: g, rules: [{record: a, expr: 'sum(up)'}]}]")
        .expect("write");
    assert_eq!(running.reload().await.0, 200);
    assert_eq!(running.json("/api/v1/rules").await["data"]["groups"][0]["rules"][0]["query"], "sum(up)");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_fire_and_resolve() {
    let dir = tempfile::tempdir().expect("tempdir");
    let alertmanager = HttpRecorder::start().await;
    fs::write(
        dir.path().join("r.yml"),
        "groups: [{name: g, interval: 100ms, rules: [{alert: High, expr: 'gauge > 5', labels: {severity: page}, annotations: {text: 'is {{ $value }}'}},\n\
         {record: 'job:gauge:sum', expr: 'sum by (job) (gauge)'}]}]",
    )
    .expect("write");
    let config = format!(
        "global: {{external_labels: {{cluster: c}}}}\nrule_files: ['*.yml']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
        alertmanager.address()
    );
    // The configuration itself matches the pattern too, and is no rule file.
    let config = config.replace("'*.yml'", "'r*.yml'");
    let running = start(dir.path(), &config, &[]).await;
    running.write(&[("gauge", 7.0, now())]).await;
    let alert = eventually("sent", || async {
        let request = alertmanager.requests().into_iter().next()?;
        serde_json::from_slice::<Value>(&request.body).ok()
    })
    .await;
    assert_eq!(
        alert[0]["labels"],
        serde_json::json!({"alertname": "High", "cluster": "c", "job": "w", "severity": "page"})
    );
    assert_eq!(alert[0]["annotations"]["text"], "is 7");
    let shown = running.json("/api/v1/alerts").await;
    assert_eq!(
        (shown["data"]["alerts"][0]["state"].as_str(), shown["data"]["alerts"][0]["value"].as_str()),
        (Some("firing"), Some("7e+00"))
    );
    // The first evaluation looks for state from before the start, the second one writes.
    eventually("shown as a series", || async {
        (running.query("ALERTS{alertstate=\"firing\"}").await.len() == 1).then_some(())
    })
    .await;
    eventually("recorded", || async {
        (running.query("job:gauge:sum").await.first()?["value"][1] == "7").then_some(())
    })
    .await;
    running.write(&[("gauge", 1.0, now())]).await;
    eventually("resolved", || async {
        alertmanager.requests().iter().find_map(|request| {
            let alerts: Value = serde_json::from_slice(&request.body).ok()?;
            let ends = alerts[0]["endsAt"].as_str()?.parse::<jiff::Timestamp>().ok()?;
            (ends.as_millisecond() <= now()).then_some(())
        })
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_prefix_moves_everything() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    running.stop().await;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config_flag = format!("--config.file={}", dir.path().join("prometheus.yml").display());
    let data_flag = format!("--storage.tsdb.path={}", dir.path().join("data").display());
    let flags = Flags::try_parse_from([
        "metricsd",
        &config_flag,
        &data_flag,
        "--web.listen-address=127.0.0.1:0",
        "--web.external-url=http://x/prometheus",
    ]);
    let app = App::new(Options { flags: flags.expect("flags") }, Frame::default()).await.expect("builds");
    let url = format!("http://{}/prometheus", app.address());
    let stopper = Stopper::new();
    let stop = stopper.token();
    let task = tokio::spawn(async move { app.run(stop).await.expect("runs") });
    eventually("ready", || async {
        reqwest::get(format!("{url}/-/ready")).await.ok().filter(|answer| answer.status() == 200)
    })
    .await;
    assert_eq!(reqwest::get(format!("{url}/api/v1/query?query=1")).await.expect("request").status(), 200);
    stopper.stop();
    task.await.expect("ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_deletes_and_takes_snapshots() {
    let dir = tempfile::tempdir().expect("tempdir");
    let client = reqwest::Client::new();
    let running = start(dir.path(), "{}", &[]).await;
    let post = async |running: &Running, path: &str| {
        let answer =
            client.post(format!("{}/api/v1/admin/tsdb/{path}", running.url)).send().await.expect("request");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, text) = post(&running, "snapshot").await;
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("admin APIs disabled") && text.contains("\"unavailable\""), "{text}");
    running.stop().await;

    let running = start(dir.path(), "{}", &["--web.enable-admin-api"]).await;
    assert_eq!(running.write(&[("kept", 1.0, now()), ("gone", 2.0, now())]).await.0, 204);
    let (status, text) = post(&running, "delete_series").await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("no match[] parameter provided"), "{text}");
    assert_eq!(post(&running, "delete_series?match[]=gone").await.0, 204);
    assert!(running.query("gone").await.is_empty());
    assert_eq!(running.query("kept").await.len(), 1);
    assert_eq!(post(&running, "clean_tombstones").await.0, 204);
    let snapshots = dir.path().join("data/snapshots");
    for (query, blocks) in [("", 1), ("?skip_head=true", 0)] {
        let (status, text) = post(&running, &format!("snapshot{query}")).await;
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).expect("json");
        let made = snapshots.join(answer["data"]["name"].as_str().expect("name"));
        assert_eq!(fs::read_dir(made).expect("snapshot").count(), blocks, "{query}");
    }
    assert_eq!(post(&running, "snapshot?skip_head=perhaps").await.0, 400);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_are_kept_where_asked_for() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--enable-feature=exemplar-storage"]).await;
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    let series = TimeSeries {
        labels: vec![label("__name__", "requests_total"), label("job", "app")],
        samples: vec![Sample { value: 3.0, timestamp: now() }],
        exemplars: vec![Exemplar { labels: vec![label("trace_id", "abc")], value: 0.5, timestamp: now() }],
        ..Default::default()
    };
    assert_eq!(running.send(vec![series]).await.0, 204);
    let path = format!("/api/v1/query_exemplars?query={}", encode("rate(requests_total[5m])"));
    let found = running.json(&path).await["data"].take();
    assert_eq!(found[0]["seriesLabels"]["job"], "app");
    assert_eq!(found[0]["exemplars"][0]["labels"]["trace_id"], "abc");
    assert_eq!(found[0]["exemplars"][0]["value"], "0.5");
    let none = reqwest::get(format!("{}/api/v1/query_exemplars?query=1", running.url)).await;
    assert_eq!(none.expect("request").status(), 204);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_early_or_too_late_is_told_which() {
    let dir = tempfile::tempdir().expect("tempdir");
    let frame = Frame::default();
    let running = start_in(frame.clone(), dir.path(), "{}", &[]).await;
    let asked = ["/api/v1/query?query=1", "/federate?match[]=up", "/-/ready"];
    for (stops, status) in [(false, 200), (true, 503)] {
        if stops {
            frame.readiness.set_stopping();
        }
        for path in asked {
            let answer = reqwest::get(format!("{}{path}", running.url)).await.expect("request");
            assert_eq!(answer.status(), status, "{path}");
            let stopping = answer.headers().get("X-Prometheus-Stopping").map(|value| value.as_bytes());
            assert_eq!(stopping, stops.then_some(b"true".as_slice()), "{path}");
            assert_eq!(
                stops,
                answer.text().await.expect("text").starts_with("Service Unavailable"),
                "{path}"
            );
        }
    }
    running.stop().await;
}
