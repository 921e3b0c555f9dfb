//! Pushing: JSON, protobuf, gRPC; tenants; what is refused.

use prost::Message;
use serde_json::json;
use wire::loki::{EntryAdapter, LabelPairAdapter, PushRequest, StreamAdapter, pusher_client::PusherClient};

use crate::support::{Logd, ago, now};

fn request(labels: &str, line: &str) -> PushRequest {
    let time = now();
    let timestamp =
        prost_types::Timestamp { seconds: time / 1_000_000_000, nanos: (time % 1_000_000_000) as i32 };
    let entry = EntryAdapter {
        timestamp: Some(timestamp),
        line: line.into(),
        structured_metadata: vec![LabelPairAdapter { name: "trace".into(), value: "7".into() }],
        parsed: vec![],
    };
    let stream = StreamAdapter { labels: labels.into(), entries: vec![entry], hash: 0 };
    PushRequest { streams: vec![stream], format: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_is_read_back() {
    let logd = Logd::start("").await;
    let body = json!({"streams": [{"stream": {"job": "json"}, "values": [[ago(2), "by json", {"trace": "1"}], [ago(1), "more"]]}]});
    assert_eq!(logd.push(&body).await, (204, String::new()));

    let body = wire::snappy_compress(&request("{job=\"protobuf\"}", "by protobuf").encode_to_vec());
    for path in ["/loki/api/v1/push", "/api/prom/push"] {
        let request = logd.client.post(logd.url(path)).header("Content-Type", "application/x-protobuf");
        assert_eq!(request.body(body.clone()).send().await.expect("an answer").status(), 204);
    }

    let old = json!({"streams": [{"labels": "{job=\"legacy\"}", "entries": [{"ts": "2999-01-01T00:00:00Z", "line": "x"}]}]});
    let refused = logd.client.post(logd.url("/api/prom/push")).header("Content-Type", "application/json");
    let refused = refused.body(old.to_string()).send().await.expect("an answer");
    assert_eq!(refused.status(), 400);

    let address = logd.grpc.expect("gRPC listens");
    let mut client = PusherClient::connect(format!("http://{address}")).await.expect("connects");
    client.push(request("{job=\"grpc\"}", "by grpc")).await.expect("taken");
    let status = client.push(request("{job=}", "x")).await.expect_err("refused");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().starts_with("couldn't parse labels: "), "{status}");

    assert_eq!(logd.lines("{job=\"json\"}").await, ["by json", "more"]);
    assert_eq!(logd.lines("{job=\"protobuf\"} | trace = `7`").await, ["by protobuf"]);
    assert_eq!(logd.lines("{service_name=\"grpc\"}").await, ["by grpc"]);
    let values = logd.json("/loki/api/v1/label/job/values", &[]).await;
    assert_eq!(values, json!({"status": "success", "data": ["grpc", "json", "protobuf"]}));
    let series = logd.json("/loki/api/v1/series", &[("match[]", "{job=~\"g.*\"}")]).await;
    assert_eq!(series, json!({"status": "success", "data": [{"job": "grpc", "service_name": "grpc"}]}));
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_entry_is_told_and_the_good_ones_are_stored() {
    let logd = Logd::start("limits_config: {max_line_size: 10B}").await;
    let body = json!({"streams": [{"stream": {"a": "b"}, "values": [[ago(3), "one"], [ago(2), "this is too long"], [ago(1), "two"]]}]});
    let (status, text) = logd.push(&body).await;
    assert_eq!(status, 400);
    assert_eq!(
        text,
        "max entry size '10' bytes exceeded for stream '{a=\"b\", service_name=\"unknown_service\"}' while adding an entry with length \
         '16' bytes\n"
    );
    assert_eq!(logd.lines("{a=\"b\"}").await, ["one", "two"]);
    // The same again: entries appear once.
    assert_eq!(logd.push(&body).await.0, 400);
    assert_eq!(logd.lines("{a=\"b\"}").await, ["one", "two"]);
    let metrics = logd.get("/metrics", &[]).await.text().await.expect("text");
    for line in [
        r#"loki_discarded_samples_total{reason="line_too_long",tenant="fake"} 2"#,
        r#"loki_distributor_lines_received_total{tenant="fake"} 6"#,
        r#"loki_request_duration_seconds_count{method="POST",route="loki_api_v1_push",status_code="400",ws="false"} 2"#,
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("loki_build_info{"), "{metrics}");
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded() {
    let logd = Logd::start("distributor: {max_recv_msg_size: 1000, max_decompressed_size: 2000}").await;
    let body = json!({"streams": [{"stream": {"a": "b"}, "values": [[ago(1), "x".repeat(1000)]]}]});
    let (status, text) = logd.push(&body).await;
    assert_eq!(status, 413);
    assert!(text.starts_with("request body too large: "), "{text}");
    let request = request("{a=\"b\"}", &"x".repeat(3000));
    let bomb = wire::snappy_compress(&request.encode_to_vec());
    assert!(bomb.len() < 1000);
    let response =
        logd.client.post(logd.url("/loki/api/v1/push")).header("Content-Type", "application/x-protobuf");
    assert_eq!(response.body(bomb).send().await.expect("an answer").status(), 413);
    let metrics = logd.get("/metrics", &[]).await.text().await.expect("text");
    assert!(metrics.contains(r#"reason="request_body_too_large""#), "{metrics}");
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_see_each_other() {
    let logd = Logd::start("auth_enabled: true").await;
    let body = |line: &str| json!({"streams": [{"stream": {"a": "b"}, "values": [[ago(1), line]]}]});
    assert_eq!(logd.push_as(&body("x"), None).await, (401, "no org id".into()));
    assert_eq!(logd.push_as(&body("x"), Some("../up")).await.0, 400);
    assert_eq!(logd.push_as(&body("x"), Some("a|b")).await, (400, "multiple org IDs present".into()));
    assert_eq!(logd.push_as(&body("of one"), Some("one")).await.0, 204);
    assert_eq!(logd.push_as(&body("of two"), Some("two")).await.0, 204);
    for (tenant, want) in [("one", Some("of one")), ("two", Some("of two")), ("none", None)] {
        let request = logd.client.get(logd.url("/loki/api/v1/query_range")).query(&[("query", "{a=\"b\"}")]);
        let answer = request.header("X-Scope-OrgID", tenant).send().await.expect("an answer");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(answer["data"]["result"][0]["values"][0][1].as_str(), want, "{tenant}");
    }
    assert_eq!(logd.refusal("/loki/api/v1/labels", &[]).await, (401, "no org id".into()));
    let dir = logd.stop().await;
    // A question makes no folder.
    assert!(dir.path().join("logstore/one").is_dir());
    assert!(!dir.path().join("logstore/none").exists());
}
