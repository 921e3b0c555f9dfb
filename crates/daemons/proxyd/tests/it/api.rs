//! What the proxy tells of itself: API, dashboard, ping, metrics, access log.

use testkit::HttpRecorder;

use crate::harness::{Proxy, STATIC, client, fetch};

async fn start(extra: &str) -> (Proxy, HttpRecorder) {
    let server = HttpRecorder::start().await;
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: Host(`a.org`), service: s, middlewares: [auth]}}\n    \
         open: {{rule: 'Host(`b.org`)', service: s, entryPoints: [web]}}\n  \
         middlewares:\n    auth: {{basicAuth: {{users: ['u:$apr1$testsalt$j7AAmGAhN8liB8qiU.irj1']}}}}\n  services:\n    s: {{loadBalancer: \
         {{servers: [{{url: '{}'}}]}}}}\ntcp:\n  routers:\n    pg: {{rule: HostSNI(`*`), service: pg}}\n",
        server.url("")
    );
    let proxy = Proxy::start(&format!("{STATIC}\n{extra}"), &[("a.yml", &dynamic)]).await;
    (proxy, server)
}

#[tokio::test]
async fn elements_and_pages() {
    let (proxy, server) = start("").await;
    let router = proxy.api("/api/http/routers/r@file").await;
    assert_eq!(router["rule"], "Host(`a.org`)");
    assert_eq!(router["status"], "enabled");
    assert_eq!(router["priority"], 13);
    assert_eq!(router["using"], serde_json::json!(["web"]));
    assert_eq!(router["provider"], "file");
    let service = proxy.api("/api/http/services/s@file").await;
    assert_eq!(service["type"], "loadbalancer");
    assert_eq!(service["usedBy"], serde_json::json!(["open@file", "r@file"]));
    assert_eq!(service["serverStatus"][server.url("")], "UP");
    assert_eq!(service["loadBalancer"]["passHostHeader"], true);
    let middleware = proxy.api("/api/http/middlewares/auth@file").await;
    assert_eq!(middleware["type"], "basicauth");
    assert!(!middleware.to_string().contains("apr1"), "{middleware}");
    let raw = proxy.api("/api/rawdata").await;
    assert!(raw["routers"]["r@file"].is_object() && !raw.to_string().contains("apr1"));
    let tcp = proxy.api("/api/tcp/routers").await;
    assert_eq!(tcp[0]["error"][0], "not supported yet: TCP");
    assert_eq!(proxy.api("/api/overview").await["providers"], serde_json::json!(["File"]));
    assert_eq!(proxy.api("/api/entrypoints/web").await["address"], "127.0.0.1:0");
    assert!(proxy.api("/api/version").await["Version"].is_string());

    let url =
        proxy.url("traefik", "/api/http/routers?search=file&per_page=1&page=2&sortBy=name&direction=desc");
    let response = client().get(url).send().await.expect("answers");
    assert_eq!(response.headers()["x-next-page"], "1");
    let page: serde_json::Value = serde_json::from_str(&response.text().await.expect("text")).expect("JSON");
    assert_eq!(page[0]["name"], "open@file");
    for (path, want) in [
        ("/api/http/routers?page=0", 400),
        ("/api/http/routers?page=50", 400),
        ("/api/http/routers/nope", 404),
        ("/api/nope", 404),
        ("/", 302),
        ("/dashboard/", 200),
        ("/ping", 200),
        ("/-/ready", 200),
        ("/-/healthy", 200),
    ] {
        assert_eq!(fetch(&proxy.url("traefik", path), "x").await.0, want, "{path}");
    }
}

#[tokio::test]
async fn metrics_and_access_log() {
    let log = tempfile::tempdir().expect("a folder");
    let path = log.path().join("access.log");
    let extra = format!(
        "accessLog:\n  filePath: '{}'\n  format: json\n  filters: {{statusCodes: ['400-599']}}\n  fields: {{names: {{ClientPort: drop}}, \
         headers: {{names: {{User-Agent: redact}}}}}}\n",
        path.display()
    );
    let (proxy, server) = start(&extra).await;
    assert_eq!(fetch(&proxy.url("web", "/ok"), "b.org").await.0, 200);
    assert_eq!(fetch(&proxy.url("web", "/denied?q=1"), "a.org").await.0, 401);
    assert_eq!(fetch(&proxy.url("web", "/lost"), "z.org").await.0, 404);
    // A request is counted once its answer has gone, which may be after it arrived here.
    let metrics = testkit::eventually("all three requests are counted", || async {
        let metrics = fetch(&proxy.url("traefik", "/metrics"), "x").await.1;
        let counted = metrics.lines().filter(|line| line.starts_with("traefik_entrypoint_requests_total{"));
        (counted.count() == 3).then_some(metrics)
    })
    .await;
    for line in [
        "traefik_entrypoint_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",entrypoint=\"web\"} 1",
        "traefik_entrypoint_requests_total{code=\"404\",method=\"GET\",protocol=\"http\",entrypoint=\"web\"} 1",
        "traefik_router_requests_total{code=\"401\",method=\"GET\",protocol=\"http\",router=\"r@file\",service=\"s@file\"} 1",
        "traefik_service_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",service=\"s@file\"} 1",
        "traefik_config_reloads_total 1",
        "# TYPE traefik_entrypoint_request_duration_seconds histogram",
        "traefik_entrypoint_responses_bytes_total{code=\"401\",method=\"GET\",protocol=\"http\",entrypoint=\"web\"} 17",
        "traefik_open_connections{entrypoint=\"traefik\",protocol=\"TCP\"} 1",
        "traefik_tls_certs_not_after{cn=\"TRAEFIK DEFAULT CERT\"",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    proxy.stop().await;
    drop(server);
    let text = std::fs::read_to_string(path).expect("a log");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let denied = &lines[0];
    assert_eq!(denied["DownstreamStatus"], 401);
    assert_eq!(denied["RequestPath"], "/denied?q=1");
    assert_eq!(denied["RequestHost"], "a.org");
    assert_eq!(denied["RouterName"], "r@file");
    assert_eq!(denied["entryPointName"], "web");
    assert_eq!(denied["ClientHost"], "127.0.0.1");
    assert!(denied["Duration"].is_u64());
    assert!(denied.get("ClientPort").is_none());
    assert!(lines[1].get("RouterName").is_none());
}

#[tokio::test]
async fn the_common_log_is_a_line_of_apache_s() {
    let log = tempfile::tempdir().expect("a folder");
    let path = log.path().join("logs/access.log");
    let (proxy, _server) = start(&format!("accessLog: {{filePath: '{}'}}\n", path.display())).await;
    let request =
        client().get(proxy.url("web", "/a\"b")).header("host", "b.org").header("user-agent", "x\"y");
    assert_eq!(request.send().await.expect("answers").status(), 200);
    proxy.stop().await;
    let text = std::fs::read_to_string(path).expect("a log");
    assert!(text.starts_with("127.0.0.1 - - ["), "{text}");
    assert!(
        text.contains("] \"GET /a%22b HTTP/1.1\" 200 0 \"-\" \"x\\\"y\" 1 \"open@file\" \"http://127.0.0.1:"),
        "{text}"
    );
    assert!(text.ends_with("ms\n"), "{text}");
}
