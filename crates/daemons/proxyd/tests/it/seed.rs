//! A running stack's own files, loaded unchanged with the ports mapped.

use http::StatusCode;
use proxyd::Options;
use testkit::{HttpRecorder, eventually};

use crate::harness::{Proxy, client_with, get};

#[tokio::test]
async fn the_monitoring_stack_is_served() {
    let Some(seed) = testkit::seed_dir("stack/traefik") else { return };
    let prometheus = HttpRecorder::answering(|request| (StatusCode::OK, request.uri.to_string())).await;
    let grafana = HttpRecorder::start().await;
    let loki = HttpRecorder::answering(|_| (StatusCode::SERVICE_UNAVAILABLE, String::new())).await;
    let dir = tempfile::tempdir().expect("a folder");
    let settings = [
        ("entrypoints.web.address", "127.0.0.1:0".to_owned()),
        ("entrypoints.websecure.address", "127.0.0.1:0".to_owned()),
        ("entrypoints.traefik.address", "127.0.0.1:0".to_owned()),
        ("providers.file.directory", seed.join("dynamic").display().to_string()),
        ("accesslog.filepath", dir.path().join("access.log").display().to_string()),
    ];
    let options = Options {
        config_file: Some(seed.join("traefik.yml")),
        data_dir: Some(dir.path().join("data")),
        hosts: [
            ("prometheus".to_owned(), prometheus.address()),
            ("grafana".to_owned(), grafana.address()),
            ("loki".to_owned(), loki.address()),
        ]
        .into(),
        settings: settings.map(|(key, value)| (key.to_owned(), value)).into(),
    };
    let proxy = Proxy::start_with(dir, options).await;

    let plain = get(&proxy.url("web", "/x"), "monitoring.plugged.in").await;
    assert_eq!(plain.status(), 301);
    assert_eq!(plain.headers()["location"], "https://monitoring.plugged.in/x");

    let address = proxy.address("websecure");
    let client = client_with(|builder| builder.resolve("monitoring.plugged.in", address));
    let url = |path: &str| format!("https://monitoring.plugged.in:{}{path}", address.port());
    let denied = client.get(url("/prometheus/graph")).send().await.expect("answers");
    assert_eq!(denied.status(), 401);
    assert_eq!(denied.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains; preload");
    let allowed = client.get(url("/prometheus/graph?g0=up")).basic_auth("admin", Some("secret"));
    let allowed = allowed.send().await.expect("answers");
    assert_eq!(allowed.status(), 200);
    assert_eq!(allowed.headers()["x-frame-options"], "DENY");
    assert_eq!(allowed.text().await.expect("text"), "/graph?g0=up");
    assert_eq!(client.get(url("/d/overview")).send().await.expect("answers").status(), 200);
    eventually("the log store is found not ready", || async {
        let answer = client.get(url("/loki/ready")).send().await.expect("answers");
        (answer.text().await.expect("text") == "no available server").then_some(())
    })
    .await;

    // The seed keeps the API off and the metrics on.
    let metrics = get(&proxy.url("traefik", "/metrics"), "x").await.text().await.expect("text");
    assert!(
        metrics.contains("traefik_service_server_up{service=\"loki@file\",url=\"http://loki:3100\"} 0"),
        "{metrics}"
    );
    assert_eq!(get(&proxy.url("traefik", "/api/version"), "x").await.status(), 404);
    let log = proxy.dir.path().join("access.log");
    let text = eventually("the 401 is logged", || async {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.contains("\"DownstreamStatus\":401").then_some(text)
    })
    .await;
    assert!(!text.contains("\"DownstreamStatus\":200"), "{text}");
    proxy.stop().await;
}
