//! What queries take besides the query, and what is said of those that run.

use super::{
    peer::{Peer, get, write_to},
    *,
};

async fn started() -> (Running, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--web.enable-admin-api"]).await;
    (running, dir)
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("object").keys().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_prometheus_statistics() {
    let Some(peer) = Peer::start("{}").await else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--enable-feature=promql-per-step-stats"]).await;
    let end = now() / 15_000 * 15_000;
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    let sent = ["a", "b"].map(|job| TimeSeries {
        labels: vec![label("__name__", "requests"), label("job", job)],
        samples: (-40..=0)
            .map(|step| Sample { value: f64::from(step), timestamp: end + i64::from(step) * 15_000 })
            .collect(),
        ..TimeSeries::default()
    });
    assert_eq!((write_to(&running.url, &sent).await, write_to(&peer.url, &sent).await), (204, 204));
    // Between samples, so that it does not matter to which side windows are open.
    let seconds = end / 1000 - 7;
    let queries = [
        "requests".to_owned(),
        "sum(requests) / (sum(requests) + 1)".to_owned(),
        "rate(requests[2m])".to_owned(),
        "deriv(requests[2m] offset 1m)".to_owned(),
        format!("requests @ {seconds} + requests"),
        format!("sum(rate(requests[2m] @ {seconds}))"),
        "max_over_time(sum(requests offset 7s)[3m:30s])".to_owned(),
        "absent(nothing) or timestamp(requests)".to_owned(),
    ];
    let paths = queries.iter().map(|query| encode(query)).flat_map(|query| {
        [
            format!("query?query={query}&time={seconds}"),
            format!("query_range?query={query}&start={}&end={seconds}&step=30", seconds - 300),
        ]
    });
    for path in paths {
        for stats in ["true", "all"] {
            let path = format!("/api/v1/{path}&stats={stats}");
            let ours = running.json(&path).await;
            let theirs: Value = serde_json::from_str(&get(&peer.url, &path).await.1).expect("json");
            let (ours, theirs) = (&ours["data"]["stats"], &theirs["data"]["stats"]);
            assert_eq!(keys(ours), keys(theirs), "{path}");
            assert_eq!(keys(&ours["timings"]), keys(&theirs["timings"]), "{path}");
            for key in keys(&theirs["samples"]) {
                // How much is in memory at once is another's business.
                match key == "peakSamples" {
                    true => assert!(ours["samples"][key].is_u64(), "{path}: {key}"),
                    false => assert_eq!(ours["samples"][key], theirs["samples"][key], "{path}: {key}"),
                }
            }
            let by_step = ours["samples"].get("totalQueryableSamplesPerStep");
            assert_eq!(by_step.is_some(), stats == "all", "{path}");
            for (name, seconds) in ours["timings"].as_object().expect("timings") {
                assert!(seconds.as_f64().is_some_and(|seconds| seconds >= 0.0), "{path}: {name}");
            }
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_cut_and_looks_back_as_asked() {
    let (running, _dir) = started().await;
    let at = now();
    running.write(&[("a", 1.0, at - 120_000), ("b", 2.0, at - 120_000)]).await;
    let job = encode("{job=\"w\"}");
    let cut = running.json(&format!("/api/v1/query?query={job}&limit=1")).await;
    assert_eq!(cut["data"]["result"].as_array().map(Vec::len), Some(1), "{cut}");
    assert_eq!(cut["warnings"], serde_json::json!(["results truncated due to limit"]));
    assert!(cut["data"].get("stats").is_none(), "{cut}");
    for (delta, found) in [("1m", 0), ("3m", 2), ("180", 2), ("0", 2)] {
        let answer = running.json(&format!("/api/v1/query?query={job}&lookback_delta={delta}")).await;
        assert_eq!(answer["data"]["result"].as_array().map(Vec::len), Some(found), "{delta}");
    }
    let (status, text) = get(&running.url, &format!("/api/v1/query?query={job}&limit=-1")).await;
    assert_eq!((status, text.contains("limit must be non-negative")), (400, true), "{text}");
    let (status, text) = get(&running.url, &format!("/api/v1/query?query={job}&lookback_delta=x")).await;
    assert_eq!((status, text.contains("error parsing lookback delta duration: ")), (400, true), "{text}");
    let odd = running.json(&format!("/api/v1/query?query={job}&stats=yes")).await;
    assert!(odd["data"]["stats"]["samples"]["peakSamples"].is_u64(), "{odd}");
    assert!(odd["warnings"][0].as_str().expect("warning").contains("value \"yes\" for parameter \"stats\""));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_of_a_query() {
    let (running, _dir) = started().await;
    let query = "sum by (job) (rate(requests_total{code!=\"200\"}[5m]))";
    let by_get = running.json(&format!("/api/v1/parse_query?query={}", encode(query))).await;
    assert_eq!(by_get["data"]["type"], "aggregation", "{by_get}");
    assert_eq!(by_get["data"]["expr"]["args"][0]["matchers"][0]["type"], "!=");
    let by_post = reqwest::Client::new()
        .post(format!("{}/api/v1/parse_query", running.url))
        .form(&[("query", query)])
        .send()
        .await
        .expect("request");
    assert_eq!(by_post.json::<Value>().await.expect("json"), by_get);
    let broken = running.json("/api/v1/parse_query?query=sum(").await;
    assert_eq!(broken["errorType"], "bad_data");
    assert!(
        broken["error"].as_str().expect("text").starts_with("invalid parameter \"query\": 1:5: parse error")
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_is_listed_and_stopped() {
    let (running, _dir) = started().await;
    let query = "max_over_time(sum_over_time(vector(1)[10d:1s])[10d:1s])";
    let url = format!("{}/api/v1/query?query={}", running.url, encode(query));
    let asking = tokio::spawn(async move { reqwest::get(url).await.expect("answer") });
    let id = eventually("listed", || async {
        let listed = running.json("/api/v1/status/queries").await;
        let found = listed["data"]["queries"].as_array()?.iter().find(|shown| shown["query"] == query)?;
        found["id"].as_u64()
    })
    .await;
    let client = reqwest::Client::new();
    let stop = async |id: &str| {
        let url = format!("{}/api/v1/status/queries/{id}", running.url);
        client.delete(url).send().await.expect("request").status().as_u16()
    };
    assert_eq!(stop("1000000").await, 404);
    assert_eq!(stop("x").await, 400);
    assert_eq!(stop(&id.to_string()).await, 204);
    let answer = asking.await.expect("joined");
    assert_eq!(answer.status().as_u16(), 499);
    assert_eq!(answer.json::<Value>().await.expect("json")["errorType"], "canceled");
    assert_eq!(stop(&id.to_string()).await, 404);
    running.stop().await;

    let dir = tempfile::tempdir().expect("tempdir");
    let guarded = start(dir.path(), "{}", &[]).await;
    let answer = client.delete(format!("{}/api/v1/status/queries/1", guarded.url)).send().await;
    let answer: Value = answer.expect("request").json().await.expect("json");
    assert_eq!(answer["error"], "admin APIs disabled");
    guarded.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_query_is_listed_and_stopped() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--web.enable-admin-api", "--query.max-concurrency=1"]).await;
    let long = "max_over_time(sum_over_time(vector(1)[10d:1s])[10d:1s])";
    let ask = |path: &str| {
        let url = format!("{}{path}", running.url);
        tokio::spawn(async move { reqwest::get(url).await.expect("answer") })
    };
    let listed = async |query: &str, state: &str| {
        eventually("listed", || async {
            let listed = running.json("/api/v1/status/queries").await;
            let mut all = listed["data"]["queries"].as_array()?.iter();
            let found = all.find(|shown| shown["query"] == query && shown["state"] == state)?;
            found["id"].as_u64()
        })
        .await
    };
    let client = reqwest::Client::new();
    let stop = async |id: u64| {
        let url = format!("{}/api/v1/status/queries/{id}", running.url);
        assert_eq!(client.delete(url).send().await.expect("request").status(), 204);
    };
    let first = ask(&format!("/api/v1/query?query={}", encode(long)));
    let first_id = listed(long, "running").await;
    let second = ask("/api/v1/query?query=2");
    let federation = ask("/federate?match[]=up");
    stop(listed("2", "waiting").await).await;
    let answer = second.await.expect("joined");
    assert_eq!(answer.status().as_u16(), 499);
    let text: Value = answer.json().await.expect("json");
    assert_eq!(text["error"], "query was canceled in query queue");
    let timed_out = running.json("/api/v1/query?query=3&timeout=10ms").await;
    assert_eq!(timed_out["error"], "query timed out in query queue");
    listed("federate up", "waiting").await;
    stop(first_id).await;
    assert_eq!(first.await.expect("joined").status().as_u16(), 499);
    assert_eq!(federation.await.expect("joined").status(), 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_explained_to_who_asks() {
    let (running, _dir) = started().await;
    let explained = running.json("/api/v1/query?query=sum(vector(1))%2B1&explain=true").await;
    let query = &explained["data"]["explain"];
    assert_eq!(
        (&query["operator"], &query["expr"]),
        (&serde_json::json!("query"), &serde_json::json!("sum(vector(1))+1"))
    );
    let operation = &query["inputs"][0];
    assert_eq!((&operation["series"], &operation["samples"]), (&serde_json::json!(1), &serde_json::json!(1)));
    assert_eq!(operation["inputs"][0]["operator"], serde_json::json!("sum"));
    assert!(operation["time"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{operation}");
    let plain = running.json("/api/v1/query?query=1&explain=false").await;
    assert!(plain["data"].get("explain").is_none(), "{plain}");
    let (status, answer) = get(&running.url, "/api/v1/query?query=1&explain=yes").await;
    assert_eq!(status, 400, "{answer}");
    running.stop().await;
}
