//! What the agent tells about itself and its machine.

use http::{Method, StatusCode};

use crate::agent::{Setup, request};

#[tokio::test(flavor = "multi_thread")]
async fn pages_tell_what_is_followed() {
    let mut setup = Setup::new().await;
    setup.job = "    pipeline_stages:\n      - metrics: {lines: {type: Counter, config: {match_all: true, action: inc}}}\n".into();
    setup.client = "    basic_auth: {username: u, password: s3cret}\n".into();
    let agent = setup.start().await;
    let (status, text) = agent.get("/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    setup.append("a.log", "1\n");
    setup.wait_for_lines(1).await;
    testkit::eventually("ready", || async { (agent.get("/ready").await.0 == StatusCode::OK).then_some(()) })
        .await;
    let (_, targets) = agent.get("/targets").await;
    let targets: serde_json::Value = serde_json::from_str(&targets).expect("JSON");
    assert_eq!(targets["activeTargets"][0]["labels"]["job"], "test");
    let file = setup.path("a.log").display().to_string();
    assert_eq!(targets["activeTargets"][0]["files"][&file], 2);
    let (_, discovery) = agent.get("/service-discovery").await;
    assert!(discovery.contains("__path__"), "{discovery}");
    let (_, config) = agent.get("/config").await;
    assert!(config.contains("job_name: files") && !config.contains("s3cret"), "{config}");
    let (_, metrics) = agent.get("/metrics").await;
    for series in [
        "promtail_custom_lines{",
        "promtail_read_lines_total{",
        "promtail_files_active_total 1",
        "process_open_fds",
    ] {
        assert!(metrics.contains(series), "{series} in {metrics}");
    }
    assert_eq!(agent.get("/-/healthy").await.0, StatusCode::OK);
    assert_eq!(agent.get("/metrics/node").await.0, StatusCode::NOT_FOUND);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_metrics_are_served() {
    let mut setup = Setup::new().await;
    setup.rest = "integrations:\n  node:\n    enabled: true\n    listen_address: 127.0.0.1:0\n    flags: {no-collector.netclass: true}\n".into();
    let app = agentd::App::new(agentd::Options::text(setup.config()), service::Frame::default())
        .await
        .expect("builds");
    let (http, node) = (app.http_address().expect("bound"), app.node_address().expect("bound"));
    let stopper = service::Stopper::new();
    let task = tokio::spawn(service::Daemon::run(app, stopper.token()));
    let (status, text) = request(Method::GET, http, "/metrics/node").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("node_load1 ") && text.contains("process_cpu_seconds_total "), "{text}");
    assert!(!text.contains("collector=\"netclass\""));
    let (_, text) = request(Method::GET, node, "/metrics?collect[]=loadavg&collect%5B%5D=time").await;
    assert!(
        text.contains("node_load1 ") && text.contains("node_time_seconds") && !text.contains("node_memory"),
        "{text}"
    );
    let (status, text) = request(Method::GET, node, "/metrics?collect[]=loadavg&exclude[]=time").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::BAD_REQUEST, "Combined collect and exclude queries are not allowed.\n")
    );
    stopper.stop();
    task.await.expect("no panic").expect("ends well");
}
