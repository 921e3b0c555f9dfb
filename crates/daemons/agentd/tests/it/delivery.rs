//! From files to the server.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use testkit::eventually;

use crate::agent::{Setup, by_stream};

#[tokio::test(flavor = "multi_thread")]
async fn lines_reach_the_server_with_their_labels() {
    let mut setup = Setup::new().await;
    setup.job =
        "    pipeline_stages:\n      - json: {expressions: {level: , msg: }}\n      - labels: {level: }\n\
                 \x20     - output: {source: msg}\n"
            .into();
    setup.client = "    external_labels: {cluster: c1, job: never}\n    tenant_id: team\n".into();
    setup.append("a.log", "{\"level\":\"info\",\"msg\":\"hello\"}\nplain\n");
    let agent = setup.start().await;
    setup.wait_for_lines(2).await;
    let file = setup.path("a.log").display().to_string();
    let streams = by_stream(&setup.pushes());
    let hello = format!(r#"{{cluster="c1", filename="{file}", job="test", level="info"}}"#);
    let plain = format!(r#"{{cluster="c1", filename="{file}", job="test"}}"#);
    assert_eq!(streams.get(&hello), Some(&vec!["hello".to_owned()]), "{streams:?}");
    assert_eq!(streams.get(&plain), Some(&vec!["plain".to_owned()]));
    let request = &setup.loki.requests()[0];
    assert_eq!(request.headers["x-scope-orgid"], "team");
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
    setup.append("a.log", "more\n");
    setup.wait_for_lines(3).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_over_rotations() {
    let setup = Setup::new().await;
    let agent = setup.start().await;
    let mut want = Vec::new();
    for round in 0..5 {
        for line in 0..50 {
            let text = format!("round {round} line {line}");
            setup.append("a.log", &format!("{text}\n"));
            want.push(text);
            // A file must be seen before it is rotated: nobody finds one that came and went between two searches.
            if line == 0 {
                setup.wait_for_lines(want.len()).await;
            }
        }
        match round % 3 {
            0 => fs::rename(setup.path("a.log"), setup.path("a.log.1")).expect("renamed"),
            1 => {
                // What is read is read; what copytruncate loses, it loses before us.
                setup.wait_for_lines(want.len()).await;
                fs::copy(setup.path("a.log"), setup.path("copy")).expect("copied");
                fs::File::create(setup.path("a.log")).expect("truncated");
            }
            _ => fs::rename(setup.path("a.log"), setup.path("a.log.2")).expect("renamed"),
        }
    }
    setup.wait_for_lines(want.len()).await;
    agent.stop().await;
    assert_eq!(setup.lines(), want);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_gets_everything_later_in_order() {
    let setup = Setup::new().await;
    let fails = Arc::new(AtomicUsize::new(5));
    let left = fails.clone();
    setup.loki.answer(move |_| {
        let failing = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        let status = if failing { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT };
        (status, "not now".into())
    });
    let want: Vec<String> = (0..3000).map(|line| format!("line {line}")).collect();
    setup.append("a.log", &(want.join("\n") + "\n"));
    let agent = setup.start().await;
    eventually("all lines after the failures", || async {
        (setup.lines().len() >= want.len()).then_some(())
    })
    .await;
    setup.wait_for_position("a.log", fs::metadata(setup.path("a.log")).expect("there").len()).await;
    let delivered: Vec<String> = setup
        .loki
        .requests()
        .iter()
        .skip(5)
        .flat_map(|request| crate::agent::lines(&crate::agent::decode(request)))
        .collect();
    assert_eq!(delivered, want);
    let metrics = agent.metrics();
    assert!(metrics.contains("promtail_batch_retries_total{"), "{metrics}");
    assert!(metrics.contains("promtail_sent_entries_total{") && metrics.contains("} 3000"), "{metrics}");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_counted_and_does_not_come_again() {
    let setup = Setup::new().await;
    setup.loki.answer(|request| {
        let refused = crate::agent::lines(&crate::agent::decode(request)).iter().any(|line| line == "bad");
        let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::NO_CONTENT };
        (status, "entry too old".into())
    });
    setup.append("a.log", "bad\n");
    let agent = setup.start().await;
    setup.wait_for_lines(1).await;
    setup.wait_for_position("a.log", 4).await;
    setup.append("a.log", "good\n");
    setup.wait_for_lines(2).await;
    let metrics = agent.metrics();
    let host = setup.loki.address();
    let counter =
        format!("promtail_dropped_entries_total{{host=\"{host}\",tenant=\"\",reason=\"ingester_error\"}} 1");
    assert!(metrics.contains(&counter), "{metrics}");
    agent.stop().await;
    assert_eq!(setup.lines(), ["bad", "good"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_too_long_are_dropped_or_cut() {
    let mut setup = Setup::new().await;
    setup.rest = "limits_config: {max_line_size: 10b}\n".into();
    setup.append("a.log", "0123456789\n0123456789a\nok\n");
    let agent = setup.start().await;
    assert_eq!(setup.wait_for_lines(2).await, ["0123456789", "ok"]);
    assert!(agent.metrics().contains("reason=\"line_too_long\"} 1"));
    agent.stop().await;

    let mut setup = Setup::new().await;
    setup.rest = "limits_config: {max_line_size: 10b, max_line_size_truncate: true}\n".into();
    setup.append("a.log", "0123456789a\n");
    let agent = setup.start().await;
    assert_eq!(setup.wait_for_lines(1).await, ["0123456789"]);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_wait_or_drop() {
    let mut setup = Setup::new().await;
    setup.rest =
        "limits_config: {readline_rate_enabled: true, readline_rate: 0.01, readline_burst: 3}\n".into();
    setup.append("a.log", "0\n1\n2\n3\n4\n");
    let agent = setup.start().await;
    assert_eq!(setup.wait_for_lines(3).await, ["0", "1", "2"]);
    setup.wait_for_position("a.log", 10).await;
    assert!(agent.metrics().contains("logentry_dropped_lines_total{reason=\"global_rate_limiter_drop\"} 2"));
    agent.stop().await;

    // Waiting must not keep what was read before from being sent, nor the agent from ending.
    let mut setup = Setup::new().await;
    setup.rest = "limits_config: {readline_rate_enabled: true, readline_rate: 0.001, readline_burst: 2, readline_rate_drop: false}\n".into();
    setup.append("a.log", "0\n1\n2\n3\n");
    let agent = setup.start().await;
    assert_eq!(setup.wait_for_lines(2).await, ["0", "1"]);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_gets_every_line() {
    let mut setup = Setup::new().await;
    let second = testkit::HttpRecorder::answering(|_| (StatusCode::NO_CONTENT, String::new())).await;
    setup.client = format!("  - url: {}\n    batchwait: 10ms\n", second.url("/other"));
    setup.append("a.log", "1\n2\n");
    let agent = setup.start().await;
    setup.wait_for_lines(2).await;
    let requests = second.wait_for(1).await;
    assert_eq!(crate::agent::lines(&crate::agent::decode(&requests[0])), ["1", "2"]);
    setup.wait_for_position("a.log", 4).await;
    agent.stop().await;
}
