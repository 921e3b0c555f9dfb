//! Asking: forms of answers, refusals, and the pages around them.

use serde_json::{Value, json};

use crate::support::{Logd, ago, now};

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_lokis_form() {
    let logd = Logd::start("limits_config: {discover_log_levels: false, discover_service_name: []}").await;
    let time = (now() - 1_000_000_000).to_string();
    let body = json!({"streams": [{"stream": {"a": "b"}, "values": [[time, "n=5", {"m": "1"}]]}]});
    assert_eq!(logd.push(&body).await.0, 204);

    let params = [("query", "{a=\"b\"} | logfmt")];
    let plain = logd.json("/loki/api/v1/query_range", &params).await;
    assert_eq!(
        plain["data"]["result"],
        json!([{"stream": {"a": "b", "m": "1", "n": "5"}, "values": [[time, "n=5"]]}])
    );
    assert_eq!(plain["data"]["stats"]["summary"]["totalEntriesReturned"], 1);
    let request = logd.client.get(logd.url("/loki/api/v1/query_range")).query(&params);
    let request = request.header("X-Loki-Response-Encoding-Flags", "categorize-labels");
    let flagged: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(flagged["data"]["encodingFlags"], json!(["categorize-labels"]));
    assert_eq!(
        flagged["data"]["result"],
        json!([{"stream": {"a": "b"}, "values": [[time, "n=5", {"structuredMetadata": {"m": "1"}, "parsed": {"n": "5"}}]]}])
    );

    // Grafana's health check.
    let health =
        logd.json("/loki/api/v1/query", &[("query", "vector(1)+vector(1)"), ("time", "1768471200")]).await;
    assert_eq!(health["data"]["result"], json!([{"metric": {}, "value": [1768471200, "2"]}]));
    let count = logd.json("/loki/api/v1/query", &[("query", "count_over_time({a=\"b\"}[1m])")]).await;
    assert_eq!(count["data"]["result"][0]["value"][1], "1");
    let form = logd.client.post(logd.url("/loki/api/v1/labels")).form(&[("query", "{a=\"b\"}")]);
    let labels: Value = form.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(labels, json!({"status": "success", "data": ["a"]}));
    assert_eq!(logd.json("/loki/api/v1/label/none/values", &[]).await, json!({"status": "success"}));
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_by_labels() {
    let logd = Logd::start("limits_config: {discover_log_levels: false, discover_service_name: []}").await;
    let stream = |job: &str, env: &str, line: &str| json!({"stream": {"job": job, "env": env}, "values": [[ago(60), line]]});
    let body =
        json!({"streams": [stream("x", "p", "12345"), stream("x", "q", "123"), stream("y", "p", "1")]});
    assert_eq!(logd.push(&body).await.0, 204);
    let stats = logd.json("/loki/api/v1/index/stats", &[("query", "{job=~\".+\"}")]).await;
    assert_eq!((&stats["streams"], &stats["entries"], &stats["bytes"]), (&json!(3), &json!(3), &json!(9)));

    let volume = async |params: &[(&str, &str)]| -> Vec<(Value, Value)> {
        let params: Vec<_> = [("query", "{job=~\".+\"}")].into_iter().chain(params.iter().copied()).collect();
        let answer = logd.json("/loki/api/v1/index/volume", &params).await;
        assert_eq!(answer["data"]["resultType"], "vector");
        let rows = answer["data"]["result"].as_array().expect("rows").clone();
        rows.into_iter().map(|row| (row["metric"].clone(), row["value"][1].clone())).collect()
    };
    assert_eq!(volume(&[]).await, [(json!({"job": "x"}), json!("8")), (json!({"job": "y"}), json!("1"))]);
    assert_eq!(volume(&[("limit", "1")]).await, [(json!({"job": "x"}), json!("8"))]);
    assert_eq!(
        volume(&[("targetLabels", "env")]).await,
        [(json!({"env": "p"}), json!("6")), (json!({"env": "q"}), json!("3"))]
    );
    assert_eq!(volume(&[("targetLabels", "none")]).await, []);
    assert_eq!(
        volume(&[("aggregateBy", "labels")]).await,
        [(json!({"env": ""}), json!("9")), (json!({"job": ""}), json!("9"))]
    );
    let range =
        logd.json("/loki/api/v1/index/volume_range", &[("query", "{job=\"x\"}"), ("step", "600")]).await;
    assert_eq!(range["data"]["resultType"], "matrix");
    assert_eq!(range["data"]["result"][0]["metric"], json!({"job": "x"}));
    assert_eq!(range["data"]["result"][0]["values"].as_array().map(Vec::len), Some(1));

    let path = "/loki/api/v1/index/volume";
    let check = async |params: &[(&str, &str)], want: &str| {
        assert_eq!(logd.refusal(path, params).await, (400, want.into()))
    };
    check(&[], "parse error : syntax error: unexpected $end").await;
    check(&[("query", "{a=\"b\"} |= \"x\"")], "only label matchers are supported").await;
    check(&[("query", "{a=\"b\"}"), ("aggregateBy", "x")], "invalid aggregation option").await;
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_lokis_texts() {
    let logd = Logd::start("limits_config: {max_entries_limit_per_query: 10, max_query_length: 1h}").await;
    let check = async |path: &str, params: &[(&str, &str)], status: u16, want: &str| {
        let got = logd.refusal(path, params).await;
        assert_eq!((got.0, got.1.as_str()), (status, want), "{path} {params:?}");
    };
    let range = "/loki/api/v1/query_range";
    check(
        range,
        &[("query", "{a=\"b\"}"), ("limit", "11")],
        400,
        "max entries limit per query exceeded, limit > max_entries_limit_per_query (11 > 10)",
    )
    .await;
    check(
        range,
        &[("query", "{a=\"b\"}"), ("since", "2h")],
        400,
        "the query time range exceeds the limit (query length: 2h0m0s, limit: 1h)",
    )
    .await;
    check(range, &[("query", "{a=~\".*\"}")], 400, "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will").await;
    check("/loki/api/v1/query", &[("query", "{a=\"b\"}")], 400, "log queries are not supported as an instant query type, please change your query to a range query type").await;
    check("/loki/api/v1/tail", &[], 501, "not supported yet: /loki/api/v1/tail").await;
    check("/loki/api/v1/rules/ns/group", &[], 501, "not supported yet: /loki/api/v1/rules/ns/group").await;
    check("/loki/api/v1/nothing", &[], 404, "404 page not found").await;
    let bad = logd.get("/loki/api/v1/format_query", &[("query", "{a=")]).await;
    assert_eq!(bad.status(), 400);
    let bad: Value = bad.json().await.expect("JSON");
    assert_eq!(bad["status"], "invalid-query");
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_around_the_api() {
    let logd = Logd::start("").await;
    let text = async |path: &str| logd.get(path, &[]).await.text().await.expect("text");
    assert_eq!(text("/ready").await, "ready\n");
    assert!(text("/services").await.contains("ingester => Running\n"));
    assert!(text("/config").await.contains("auth_enabled: false\n"));
    assert!(text("/config/tenant/v1/limits").await.contains("max_line_size: 256KiB\n"));
    assert_eq!(text("/log_level").await, r#"{"message":"Current log level is info"}"#);
    assert!(text("/-/healthy").await.contains("Healthy"));
    let info = logd.json("/loki/api/v1/status/buildinfo", &[]).await;
    assert!(info["revision"].as_str().is_some_and(|revision| revision.starts_with("logd-")));
    let formatted = logd.json("/loki/api/v1/format_query", &[("query", "{a=\"b\"}|=\"c\"")]).await;
    assert_eq!(formatted, json!({"status": "success", "data": "{a=\"b\"} |= \"c\""}));
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_goes_before_everything() {
    let dir = tempfile::tempdir().expect("a folder");
    let logd = Logd::start_with_prefix(dir, "/logs", "").await;
    assert_eq!(logd.get("/logs/ready", &[]).await.status(), 200);
    assert_eq!(logd.get("/ready", &[]).await.status(), 404);
    logd.stop().await;
}
