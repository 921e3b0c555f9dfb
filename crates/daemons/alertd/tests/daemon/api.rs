//! The API v2: shapes and answers as the original gives them.

use alertd::{ConfigSource, Options};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::running::Running;

const CONFIG: &str = "
route:
  receiver: web.hook
  group_by: [alertname]
  group_wait: 1h
  routes:
  - matchers: [severity=\"critical\"]
    receiver: pager
    labels: {team: '{{ .GroupLabels.alertname }}'}
receivers:
- name: web.hook
- name: pager
  labels: {owner: ops}
inhibit_rules:
- source_matchers: [severity=\"critical\"]
  target_matchers: [severity=\"warning\"]
  equal: [alertname]
";

async fn start(dir: &tempfile::TempDir) -> Running {
    start_with(dir, |_| ()).await
}

async fn start_with(dir: &tempfile::TempDir, change: impl FnOnce(&mut Options)) -> Running {
    let mut options = Options {
        config: ConfigSource::Text(CONFIG.into()),
        storage_path: dir.path().join("data"),
        listen_addresses: vec!["127.0.0.1:0".into()],
        ..Options::default()
    };
    change(&mut options);
    Running::with(options).await
}

/// The alerts' names with their jobs, in the order of the answer.
fn names(alerts: &Value) -> Vec<String> {
    let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
    let alerts = alerts.as_array().expect("a list").iter();
    let mut names: Vec<String> =
        alerts.map(|alert| format!("{}/{}", label(alert, "alertname"), label(alert, "severity"))).collect();
    names.sort();
    names
}

#[tokio::test]
async fn alerts_are_listed_as_they_are_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start(&dir).await;
    assert_eq!(daemon.get("/alerts").await, (StatusCode::OK, json!([])));
    let posted = json!([
        {"labels": {"alertname": "A", "severity": "critical", "empty": ""}, "annotations": {"summary": "x", "none": ""},
         "startsAt": "2024-01-01T02:00:00.1239+02:00", "endsAt": "2099-01-01T00:00:00Z", "generatorURL": "http://p/g?a=b&c"},
        {"labels": {"alertname": "A", "severity": "warning"}},
        {"labels": {"alertname": "B"}},
        {"labels": {"alertname": "Over"}, "endsAt": "2024-01-01T00:00:00Z"},
    ]);
    assert_eq!(daemon.post("/alerts", &posted).await, (StatusCode::OK, json!("")));
    let (_, all) = daemon.get("/alerts").await;
    assert_eq!(names(&all), ["A/critical", "A/warning", "B/"]);
    let (_, one) = daemon.get("/alerts?filter=severity%3Dcritical").await;
    let source = one[0]["fingerprint"].as_str().expect("a fingerprint");
    let mut want = json!([{
        "annotations": {"summary": "x", "none": ""},
        "endsAt": "2099-01-01T00:00:00.000Z",
        "fingerprint": source,
        "receivers": [{"name": "pager"}],
        "startsAt": "2024-01-01T00:00:00.123Z",
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": one[0]["updatedAt"],
        "generatorURL": "http://p/g?a=b&c",
        "labels": {"alertname": "A", "severity": "critical"},
    }]);
    assert_eq!(one, want);
    let (_, muted) = daemon.get("/alerts?active=false").await;
    assert_eq!(names(&muted), ["A/warning"]);
    assert_eq!(muted[0]["status"]["inhibitedBy"], json!([source]));
    assert_eq!(muted[0]["status"]["state"], "suppressed");
    assert!(muted[0].get("generatorURL").is_none());
    for (query, listed) in [
        ("inhibited=false", vec!["A/critical", "B/"]),
        ("receiver=pag.*", vec!["A/critical"]),
        ("receiver=pag", vec![]),
        ("receiver_matchers=owner%3Dops", vec!["A/critical"]),
        ("filter=alertname%3DA&filter=severity!%3Dcritical", vec!["A/warning"]),
        ("filter=severity%3D%22%22", vec!["B/"]),
    ] {
        assert_eq!(names(&daemon.get(&format!("/alerts?{query}")).await.1), listed, "{query}");
    }
    let (_, groups) = daemon.get("/alerts/groups?filter=severity%3Dcritical").await;
    let alerts = want.take();
    assert_eq!(
        groups,
        json!([{"alerts": alerts, "labels": {"alertname": "A"}, "receiver": {"name": "pager"}, "routeLabels": {"team": "A"}}])
    );
    let (_, groups) = daemon.get("/alerts/groups").await;
    let of = |group: &Value| (group["labels"]["alertname"].clone(), group["receiver"]["name"].clone());
    assert_eq!(
        groups.as_array().expect("groups").iter().map(of).collect::<Vec<_>>(),
        [(json!("A"), json!("pager")), (json!("A"), json!("web.hook")), (json!("B"), json!("web.hook"))]
    );
    daemon.stop().await;
}

#[tokio::test]
async fn wrong_requests_get_the_original_answers() {
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start(&dir).await;
    let post = async |body: Value| daemon.post("/alerts", &body).await;
    let invalid = json!([
        {"labels": {"alertname": "Valid"}},
        {"labels": {}},
        {"labels": {"a": "b"}, "startsAt": "2024-01-02T00:00:00Z", "endsAt": "2024-01-01T00:00:00Z"},
    ]);
    assert_eq!(
        post(invalid).await,
        (
            StatusCode::BAD_REQUEST,
            json!("at least one label pair required\nstart time must be before end time")
        )
    );
    assert_eq!(names(&daemon.get("/alerts").await.1), ["Valid/"], "valid ones are taken all the same");
    assert!(daemon.metrics().await.contains("alertmanager_alerts_invalid_total{version=\"v2\"} 2\n"));
    assert_eq!(
        post(json!([{"annotations": {}}])).await,
        (StatusCode::UNPROCESSABLE_ENTITY, json!({"code": 602, "message": "0.labels in body is required"}))
    );
    assert_eq!(post(json!([{"labels": {"a": 1}}])).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(json!([{"labels": {"a": "b"}, "startsAt": "soon"}])).await.0, StatusCode::BAD_REQUEST);
    let bare = |content_type: &'static str, body: &'static str| {
        let request = reqwest::Client::new().post(format!("{}/api/v2/alerts", daemon.url));
        async move { request.header("content-type", content_type).body(body).send().await.expect("an answer") }
    };
    assert_eq!(bare("application/json", "").await.status(), 422);
    assert_eq!(bare("text/plain", "[]").await.status(), 415);
    let (status, text) = daemon.get("/alerts?filter=x").await;
    assert_eq!((status, text), (StatusCode::BAD_REQUEST, json!("bad matcher format: x")));
    let (status, text) = daemon.get("/alerts?receiver=(").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        text,
        json!("failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`")
    );
    assert_eq!(
        daemon.delete("/alerts").await,
        (
            StatusCode::METHOD_NOT_ALLOWED,
            json!({"code": 405, "message": "method DELETE is not allowed, but [GET,POST] are"})
        )
    );
    assert_eq!(
        daemon.get("/nothing").await,
        (StatusCode::NOT_FOUND, json!({"code": 404, "message": "path /api/v2/nothing was not found"}))
    );
    daemon.stop().await;
}

#[tokio::test]
async fn silences_are_made_listed_and_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start(&dir).await;
    let silence = |name: &str, value: &str, starts: &str, ends: &str| {
        json!({"matchers": [{"name": name, "value": value, "isRegex": false}], "startsAt": starts, "endsAt": ends,
               "createdBy": "me", "comment": "why"})
    };
    let (now, later, end) = ("2024-01-01T00:00:00Z", "2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let (status, made) = daemon.post("/silences", &silence("alertname", "A", now, end)).await;
    assert_eq!(status, StatusCode::OK);
    let id = made["silenceID"].as_str().expect("an id").to_owned();
    let (_, pending) = daemon.post("/silences", &silence("alertname", "P", later, end)).await;
    let (_, listed) = daemon.get("/silences").await;
    assert_eq!(listed[1]["id"], pending["silenceID"]);
    assert_eq!(listed[1]["status"]["state"], "pending");
    let want = json!({
        "id": id, "status": {"state": "active"}, "updatedAt": listed[0]["updatedAt"], "comment": "why",
        "createdBy": "me", "endsAt": "2099-01-01T00:00:00.000Z",
        "matchers": [{"isEqual": true, "isRegex": false, "name": "alertname", "value": "A"}],
        "startsAt": listed[0]["startsAt"],
    });
    assert_eq!(listed[0], want);
    assert_eq!(daemon.get(&format!("/silence/{id}")).await.1, want);
    for (query, count) in
        [("filter=alertname%3DA", 1), ("filter=alertname%3DX", 0), ("active=false", 1), ("pending=false", 1)]
    {
        let (_, listed) = daemon.get(&format!("/silences?{query}")).await;
        assert_eq!(listed.as_array().map(Vec::len), Some(count), "{query}");
    }
    daemon.post("/alerts", &json!([{"labels": {"alertname": "A"}}])).await;
    let (_, alerts) = daemon.get("/alerts").await;
    assert_eq!(
        alerts[0]["status"],
        json!({"inhibitedBy": [], "mutedBy": [], "silencedBy": [id], "state": "suppressed"})
    );
    assert_eq!(daemon.get("/alerts?silenced=false").await.1, json!([]));
    assert_eq!(daemon.delete(&format!("/silence/{id}")).await.0, StatusCode::OK);
    assert_eq!(daemon.get(&format!("/silence/{id}")).await.1["status"]["state"], "expired");
    assert_eq!(daemon.get("/alerts").await.1[0]["status"]["state"], "active");
    assert!(daemon.metrics().await.contains("alertmanager_silences{state=\"expired\"} 1\n"));
    // What does not hold.
    let text = |status: StatusCode, text: &str| (status, json!(text));
    let nobody = "11111111-1111-4111-8111-111111111111";
    let mut unknown = silence("a", "b", now, end);
    unknown["id"] = json!(nobody);
    for (body, want) in [
        (
            silence("a", "b", now, now),
            text(StatusCode::BAD_REQUEST, "Failed to create silence: start time must be before end time"),
        ),
        (
            silence("a", "b", now, "2024-01-02T00:00:00Z"),
            text(StatusCode::BAD_REQUEST, "Failed to create silence: end time can't be in the past"),
        ),
        (
            silence("a", "", now, end),
            text(
                StatusCode::BAD_REQUEST,
                "invalid silence: at least one matcher must not match the empty string",
            ),
        ),
        (unknown, text(StatusCode::NOT_FOUND, "silence not found")),
        (
            json!({}),
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                json!({"code": 602, "message": "comment in body is required"}),
            ),
        ),
    ] {
        assert_eq!(daemon.post("/silences", &body).await, want, "{body}");
    }
    assert_eq!(daemon.get(&format!("/silence/{nobody}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(daemon.delete(&format!("/silence/{nobody}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        daemon.get("/silence/x").await,
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"code": 601, "message": "silenceID in path must be of type uuid: \"x\""})
        )
    );
    daemon.stop().await;
}

#[tokio::test]
async fn status_receivers_and_prefix() {
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start_with(&dir, |options| options.route_prefix = Some("/".into())).await;
    let (_, status) = daemon.get("/status").await;
    assert_eq!(status["cluster"], json!({"peers": [], "status": "disabled"}));
    assert!(status["config"]["original"].as_str().is_some_and(|text| text.contains("receiver: web.hook")));
    assert!(status["versionInfo"]["version"].is_string() && status["uptime"].is_string());
    assert_eq!(
        daemon.get("/receivers").await.1,
        json!([
            {"labels": {"name": "web.hook"}, "name": "web.hook"},
            {"labels": {"name": "pager", "owner": "ops"}, "name": "pager"},
        ])
    );
    assert_eq!(daemon.get("/receivers?receiver_matchers=owner%3Dops").await.1[0]["name"], "pager");
    let quit = reqwest::Client::new().post(format!("{}/-/quit", daemon.url)).send().await.expect("an answer");
    assert_eq!(quit.status(), 404, "the original cannot be ended over HTTP");
    daemon.stop().await;
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start_with(&dir, |options| options.external_url = "http://am.example/alerts/".into()).await;
    let health = |path: &str| reqwest::get(format!("{}{path}", daemon.url.trim_end_matches("/alerts")));
    assert_eq!(health("/alerts/-/healthy").await.expect("an answer").status(), 200);
    assert_eq!(health("/-/healthy").await.expect("an answer").status(), 404);
    assert_eq!(daemon.get("/alerts").await, (StatusCode::OK, json!([])));
    daemon.stop().await;
}

#[tokio::test]
async fn a_second_daemon_does_not_take_the_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    let daemon = start(&dir).await;
    let options = Options {
        config: ConfigSource::Text(CONFIG.into()),
        storage_path: dir.path().join("data"),
        listen_addresses: vec!["127.0.0.1:0".into()],
        ..Options::default()
    };
    let error = alertd::App::with_options(options, service::Frame::default()).await.err().expect("held");
    assert!(service::report(&error).contains("is in use by another process"), "{}", service::report(&error));
    daemon.stop().await;
}
