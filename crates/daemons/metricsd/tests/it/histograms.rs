//! Native histograms by remote write and in answers, by themselves and beside a Prometheus that is told the same. The latter is skipped
//! where `prometheus` is not installed.

use wire::prometheus::{
    BucketSpan, Histogram,
    histogram::{Count, ZeroCount},
};

use super::{
    peer::{Peer, write_to},
    *,
};

fn spans(list: &[(i32, u32)]) -> Vec<BucketSpan> {
    list.iter().map(|(offset, length)| BucketSpan { offset: *offset, length: *length }).collect()
}

/// Buckets (0.5,1], (1,2] and (8,16], zero, and [-1,-0.5).
fn integer(timestamp: i64, factor: u64) -> Histogram {
    let delta = factor as i64;
    Histogram {
        count: Some(Count::CountInt(9 * factor)),
        sum: 1.25 * factor as f64,
        zero_threshold: 0.001,
        zero_count: Some(ZeroCount::ZeroCountInt(2 * factor)),
        positive_spans: spans(&[(0, 2), (2, 1)]),
        positive_deltas: vec![delta, delta, 0],
        negative_spans: spans(&[(0, 1)]),
        negative_deltas: vec![2 * delta],
        timestamp,
        ..Histogram::default()
    }
}

fn float(timestamp: i64, factor: u64) -> Histogram {
    let count = factor as f64;
    Histogram {
        count: Some(Count::CountFloat(9.5 * count)),
        zero_count: Some(ZeroCount::ZeroCountFloat(2.5 * count)),
        positive_counts: vec![count, 2.0 * count, 2.0 * count],
        positive_deltas: vec![],
        negative_counts: vec![2.0 * count],
        negative_deltas: vec![],
        ..integer(timestamp, factor)
    }
}

fn series(name: &str, histograms: Vec<Histogram>) -> TimeSeries {
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    let labels = vec![label("__name__", name), label("job", "w")];
    TimeSeries { labels, histograms, ..TimeSeries::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_histograms_are_written_and_queried() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let at = now() / 1000 * 1000 - 60_000;
    let custom = Histogram {
        count: Some(Count::CountInt(3)),
        sum: 2.5,
        schema: -53,
        positive_spans: spans(&[(0, 2)]),
        positive_deltas: vec![1, 1],
        custom_values: vec![0.5],
        timestamp: at,
        ..Histogram::default()
    };
    let sent = vec![series("a", vec![integer(at, 1), float(at + 1000, 2)]), series("c", vec![custom])];
    assert_eq!(running.send(sent.clone()).await, (204, String::new()));
    let written_again = running.send(sent[1..].to_vec()).await;
    assert_eq!(written_again, (204, String::new()), "the same for the same time is no error");

    let seconds = at / 1000;
    let query = |query: &str| format!("/api/v1/query?query={}&time={}", encode(query), seconds + 1);
    let vector = running.json(&query("a")).await;
    let value = serde_json::json!([seconds + 1, {
        "count": "19",
        "sum": "2.5",
        "buckets": [[1, "-1", "-0.5", "4"], [3, "-0.001", "0.001", "5"], [0, "0.5", "1", "2"], [0, "1", "2", "4"], [0, "8", "16", "4"]],
    }]);
    assert_eq!(vector["data"]["result"][0]["histogram"], value, "{vector}");
    let matrix = running.json(&query("a[1m]")).await;
    let histograms = matrix["data"]["result"][0]["histograms"].as_array().expect("histograms");
    assert_eq!((histograms.len(), &histograms[1]), (2, &value));
    assert!(matrix["data"]["result"][0].get("values").is_none());
    let custom = running.json(&query("c")).await;
    let buckets = serde_json::json!([[3, "-Inf", "0.5", "1"], [0, "0.5", "+Inf", "2"]]);
    assert_eq!(custom["data"]["result"][0]["histogram"][1]["buckets"], buckets);
    let quantile = running.json(&query("histogram_count(a)")).await;
    assert_eq!(quantile["data"]["result"][0]["value"][1], "19");

    let broken = Histogram { count: Some(Count::CountInt(1)), ..integer(at, 1) };
    let (status, text) = running.send(vec![series("b", vec![broken])]).await;
    assert_eq!(status, 400);
    assert!(text.contains("9 observations found in buckets, but the Count field is 1"), "{text}");
    let (status, text) = running.send(vec![series("a", vec![integer(at + 1000, 3)])]).await;
    assert_eq!(status, 400);
    assert!(text.contains("duplicate sample for timestamp"), "{text}");
    let (status, text) = running.send(vec![series("a", vec![integer(now() + 3_600_000, 3)])]).await;
    assert_eq!(status, 400);
    assert!(text.contains("out of bounds"), "{text}");
    running.stop().await;

    let again = start(dir.path(), "{}", &[]).await;
    assert_eq!(again.json(&query("a")).await["data"], vector["data"]);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_is_told_the_same_and_answers_the_same() {
    let Some(peer) = Peer::start("{}").await else {
        return;
    };
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let end = now() / 15_000 * 15_000 - 60_000;
    for step in -240..=0 {
        let at = end + step * 15_000;
        let factor = (step + 300) as u64 % 70 + 1;
        let wider = Histogram {
            count: Some(Count::CountInt(10 * factor)),
            positive_spans: spans(&[(0, 2), (2, 1), (3, 1)]),
            positive_deltas: vec![factor as i64, factor as i64, 0, -(factor as i64)],
            ..integer(at, factor)
        };
        let mixed = if step % 60 < -30 { integer(at, factor) } else { float(at, factor) };
        let sent = vec![
            series("integer", vec![if step % 50 < -25 { integer(at, factor) } else { wider }]),
            series("float", vec![float(at, factor)]),
            series("mixed", vec![mixed]),
        ];
        let [ours, theirs] = [write_to(&running.url, &sent).await, write_to(&peer.url, &sent).await];
        assert_eq!((ours, theirs), (204, 204), "step {step}");
    }
    let (start, end) = ((end - 3_600_000) / 1000, end / 1000);
    // Without range selectors: Prometheus 2.42 answers `integer[10m]` with one histogram over and over.
    for query in ["integer", "float", "mixed", "histogram_count(integer)", "histogram_sum(float)"] {
        let path = format!("/api/v1/query?query={}&time={end}", encode(query));
        check_same(&running, &peer, &path).await;
    }
    for query in ["integer", "float", "histogram_sum(integer)"] {
        let path = format!("/api/v1/query_range?query={}&start={start}&end={end}&step=60", encode(query));
        check_same(&running, &peer, &path).await;
    }
    running.stop().await;
}

pub async fn check_same(running: &Running, peer: &Peer, path: &str) {
    let ours = running.json(path).await;
    let theirs: Value =
        reqwest::get(format!("{}{path}", peer.url)).await.expect("request").json().await.expect("json");
    let sorted = |answer: &Value| {
        let mut result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        result.sort_by_key(|series| series["metric"].to_string());
        result
    };
    assert!(!sorted(&theirs).is_empty(), "{path}: {theirs}");
    let (ours, theirs) = (sorted(&ours), sorted(&theirs));
    assert_eq!(ours.len(), theirs.len(), "{path}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "{path}");
    }
}
