//! Every reading endpoint, asked well and badly, beside the installed Prometheus: status, type, error and text, and the JSON of answers.
//! What newer versions of Prometheus do otherwise than the installed one stands in [`NEWER`], and what we do otherwise in [`OURS`].

mod requests;

use std::collections::BTreeSet;

use reqwest::Method;

use super::{
    peer::{Peer, write_to},
    *,
};
use requests::{FORMS, METHODS, NEWER, OURS, PLAIN, SHAPES};

/// What is compared of an answer.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

struct Pair {
    running: Running,
    peer: Peer,
    client: reqwest::Client,
    /// What the letters in requests stand for, seconds.
    start: i64,
    end: i64,
    _dir: tempfile::TempDir,
}

const RULES: &str = "groups:\n- {name: a, rules: [{record: x, expr: 'vector(1)'}]}\n\
- {name: b, rules: [{alert: y, expr: 'vector(1)', for: 1h, labels: {l: m}, annotations: {n: o}}]}\n";

/// Both with the same samples, rules and target.
async fn pair() -> Option<Pair> {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = super::start(dir.path(), "{}", &["--enable-feature=promql-per-step-stats"]).await;
    let rules = dir.path().join("rules.yml");
    fs::write(&rules, RULES).expect("write");
    let host = running.url.trim_start_matches("http://");
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
         scrape_configs:\n- {{job_name: own, static_configs: [{{targets: ['{host}']}}]}}\n\
         - {{job_name: gone, static_configs: [{{targets: [x]}}], relabel_configs: [{{action: drop, source_labels: [job], regex: gone}}]}}\n",
        rules.display()
    );
    let peer = Peer::start(&config).await?;
    fs::write(dir.path().join("prometheus.yml"), &config).expect("write");
    assert_eq!(running.reload().await.0, 200);
    let minute = now() / 60_000 * 60_000;
    // Chunks end at every other hour. Samples on both sides would change what the peer says of ranges that end before they start.
    let end = if minute % 7_200_000 < 600_000 { minute / 7_200_000 * 7_200_000 - 60_000 } else { minute };
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    let series = |name: &str, job: &str| TimeSeries {
        labels: vec![label("__name__", name), label("job", job)],
        samples: (-40..=0)
            .map(|step| Sample { value: f64::from(step * step), timestamp: end + i64::from(step) * 15_000 })
            .collect(),
        ..TimeSeries::default()
    };
    let sent = [series("other", "c"), series("requests", "a"), series("requests", "b")];
    assert_eq!((write_to(&running.url, &sent).await, write_to(&peer.url, &sent).await), (204, 204));
    let client = reqwest::Client::new();
    let pair = Pair { running, peer, client, start: end / 1000 - 300, end: end / 1000, _dir: dir };
    for url in [&pair.running.url, &pair.peer.url] {
        eventually("scraped and evaluated", || async {
            let known = pair.ask(url, &Method::GET, "/api/v1/metadata?metric=process_open_fds", "").await;
            let alerts = pair.ask(url, &Method::GET, "/api/v1/alerts", "").await;
            (known.body.contains("gauge") && alerts.body.contains("pending")).then_some(())
        })
        .await;
    }
    Some(pair)
}

impl Pair {
    async fn ask(&self, url: &str, method: &Method, path: &str, form: &str) -> Answer {
        let place = |text: &str| {
            text.replace("=T", &format!("={}", self.end)).replace("=S", &format!("={}", self.start))
        };
        let mut request = self.client.request(method.clone(), format!("{url}{}", place(path)));
        if !form.is_empty() {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(place(form));
        }
        let answer = request.send().await.expect("request");
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        Answer {
            status: answer.status().as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            body: answer.text().await.expect("text"),
        }
    }

    /// The difference of both answers after `view`, if there is one.
    async fn difference(
        &self,
        method: &str,
        path: &str,
        form: &str,
        view: impl Fn(Answer) -> Answer,
    ) -> Option<String> {
        let method: Method = method.parse().expect("method");
        let mut ours = view(self.ask(&self.running.url, &method, path, form).await);
        let mut theirs = view(self.ask(&self.peer.url, &method, path, form).await);
        if method == Method::HEAD {
            // Go leaves out the type where there is no body.
            for answer in [&mut ours, &mut theirs] {
                answer.content_type.clear();
            }
        }
        (ours != theirs).then(|| format!("{method} {path} {form}\n  ours:   {ours:?}\n  theirs: {theirs:?}"))
    }
}

/// JSON in one order; the texts of the newest version.
fn whole(mut answer: Answer) -> Answer {
    if answer.content_type == "application/json" {
        // Where a query without time left is noticed is left to chance there.
        let body = answer
            .body
            .replace("Invalid time value", "invalid time value")
            .replace("timed out in query execution", "timed out in query queue");
        let mut json: Value = serde_json::from_str(&body).expect("json");
        // The moment of an evaluation is nobody's fault.
        if let Some(alerts) = json.pointer_mut("/data/alerts").and_then(Value::as_array_mut) {
            alerts.iter_mut().for_each(|alert| alert["activeAt"] = Value::Null);
        }
        answer.body = json.to_string();
    }
    // Newer versions say how names are escaped.
    answer.content_type = answer.content_type.replace("; escaping=underscores", "");
    answer
}

/// Members instead of values, but those in `more`, which only ours has.
fn shape(value: &Value, more: &[&str]) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !more.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), shape(value, more)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(elements) => {
            Value::Array(elements.first().map(|first| shape(first, more)).into_iter().collect())
        }
        Value::String(_) => "text".into(),
        Value::Number(_) => 0.into(),
        other => other.clone(),
    }
}

fn shaped(mut answer: Answer, more: &[&str]) -> Answer {
    let json: Value = serde_json::from_str(&answer.body).expect("json");
    answer.body = match more {
        ["*"] => shape(&serde_json::json!({"status": json["status"]}), &[]).to_string(),
        more => shape(&json, more).to_string(),
    };
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_answers_every_request_the_same() {
    let Some(pair) = pair().await else { return };
    let mut differences = Vec::new();
    for (endpoint, forms) in FORMS {
        for form in *forms {
            let path = format!("/api/v1/{endpoint}");
            differences.extend(pair.difference("GET", &format!("{path}?{form}"), "", whole).await);
            differences.extend(pair.difference("POST", &path, form, whole).await);
        }
    }
    for path in PLAIN {
        differences.extend(pair.difference("GET", path, "", whole).await);
    }
    for (method, path) in METHODS {
        differences.extend(pair.difference(method, path, "", whole).await);
    }
    for (path, more) in SHAPES {
        differences.extend(pair.difference("GET", path, "", |answer| shaped(answer, more)).await);
    }
    for (request, status, text, why) in NEWER.iter().chain(OURS) {
        let path = format!("/api/v1/{request}");
        let ours = pair.ask(&pair.running.url, &Method::GET, &path, "").await;
        if ours.status != *status || !ours.body.contains(text) {
            differences.push(format!("{request} ({why}): {ours:?}"));
        }
        if pair.difference("GET", &path, "", whole).await.is_none() {
            differences.push(format!("{request} ({why}): no difference any more"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    pair.running.stop().await;
}

/// Headers that browsers go by.
async fn headers(
    client: &reqwest::Client,
    method: &str,
    url: &str,
    sent: &[(&str, &str)],
) -> BTreeSet<String> {
    let mut request = client.request(method.parse().expect("method"), url);
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("request");
    let shown = answer
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == "content-encoding");
    let values = shown.flat_map(|(name, value)| {
        let value = value.to_str().expect("text").to_ascii_lowercase();
        value.split(", ").map(|value| format!("{name}: {value}")).collect::<Vec<_>>()
    });
    values.chain([format!("status {}", answer.status())]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_sends_browsers_the_same() {
    let Some(pair) = pair().await else { return };
    let client = reqwest::Client::builder().no_gzip().no_zstd().build().expect("client");
    let origin = ("Origin", "https://example.org");
    let gzip = ("Accept-Encoding", "gzip");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, &str, Headers<'_>)] = &[
        ("GET", "/api/v1/status/flags", &[]),
        ("GET", "/api/v1/status/flags", &[origin]),
        ("GET", "/api/v1/status/flags", &[origin, gzip]),
        ("GET", "/api/v1/status/flags", &[("Accept-Encoding", "br;q=1, gzip")]),
        ("GET", "/api/v1/status/flags", &[("Accept-Encoding", "br")]),
        ("GET", "/api/v1/series", &[origin]),
        ("GET", "/api/v1/query_exemplars?query=1", &[origin]),
        ("POST", "/api/v1/query?query=1", &[origin]),
        ("OPTIONS", "/api/v1/query", &[origin, ("Access-Control-Request-Method", "POST")]),
        ("OPTIONS", "/api/v1/query", &[]),
        ("GET", "/federate?match[]=requests", &[origin]),
        ("GET", "/-/ready", &[origin]),
        ("GET", "/version", &[origin]),
    ];
    let mut differences = Vec::new();
    for (method, path, sent) in cases {
        let ours = headers(&client, method, &format!("{}{path}", pair.running.url), sent).await;
        let theirs = headers(&client, method, &format!("{}{path}", pair.peer.url), sent).await;
        if ours != theirs {
            differences.push(format!("{method} {path} {sent:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // Newer than the installed version.
    let url = format!("{}/api/v1/status/flags", pair.running.url);
    let answer = client.get(&url).header("Accept-Encoding", "zstd").send().await.expect("request");
    let header = |name: &str| {
        let values = answer.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.map(str::to_ascii_lowercase).collect::<BTreeSet<_>>()
    };
    assert_eq!(header("content-encoding"), ["zstd".to_owned()].into());
    assert_eq!(header("vary"), ["accept-encoding".to_owned(), "origin".to_owned()].into());
    pair.running.stop().await;
}
