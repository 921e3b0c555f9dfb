use std::{fs, time::Duration};

use axum::{Router, routing::get};
use http::StatusCode;

use super::*;
use crate::{Frame, Stopper, Tasks};

struct Running {
    url: String,
    tasks: Tasks,
}

async fn start(frame: &Frame, options: HttpOptions, access: Access) -> Running {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = HttpServer::bind(options).await.expect("bind");
    let url = format!("127.0.0.1:{}", server.local_address().port());
    let routes =
        Router::new().route("/hello", get(async || "hello".repeat(1000))).merge(frame_routes(frame, access));
    let metrics = RequestMetrics::register(&mut frame.metrics.registry(), "prometheus");
    let app = common_layers(routes, metrics);
    let tasks = Tasks::new(&Stopper::new().token());
    tasks.spawn("server", server.serve(app, tasks.stop()));
    Running { url, tasks }
}

fn access(lifecycle: bool) -> Access {
    Access { title: "Test Server", lifecycle, quit: Stopper::new() }
}

async fn status(url: &str) -> (StatusCode, String) {
    let response = reqwest::get(url).await.expect("request");
    (response.status(), response.text().await.expect("body"))
}

#[tokio::test]
async fn health_readiness_and_metrics() {
    let frame = Frame::default();
    let running = start(&frame, HttpOptions::new("127.0.0.1:0"), access(false)).await;
    let url = format!("http://{}", running.url);
    assert_eq!(
        status(&format!("{url}/-/healthy")).await,
        (StatusCode::OK, "Test Server is Healthy.\n".into())
    );
    let latch = frame.readiness.wait_for("wal replay");
    let (code, text) = status(&format!("{url}/-/ready")).await;
    assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("wal replay"), "{text}");
    drop(latch);
    assert_eq!(status(&format!("{url}/-/ready")).await.0, StatusCode::OK);
    assert_eq!(status(&format!("{url}/nothing")).await.0, StatusCode::NOT_FOUND);
    let (_, metrics) = status(&format!("{url}/metrics")).await;
    assert!(
        metrics.contains("prometheus_http_requests_total{handler=\"/-/healthy\",code=\"200\"} 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("handler=\"unknown\",code=\"404\"} 1\n"), "{metrics}");
    running.tasks.finish(Duration::from_secs(5)).await.expect("stops");
}

#[tokio::test]
async fn lifecycle_needs_its_switch() {
    let frame = Frame::default();
    let off = start(&frame, HttpOptions::new("127.0.0.1:0"), access(false)).await;
    let client = reqwest::Client::new();
    let post = async |url: String| client.post(url).send().await.expect("request").status();
    assert_eq!(post(format!("http://{}/-/reload", off.url)).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&format!("http://{}/-/reload", off.url)).await.0, StatusCode::METHOD_NOT_ALLOWED);

    let frame = Frame::default();
    let on = start(&frame, HttpOptions::new("127.0.0.1:0"), access(true)).await;
    frame.reload.on_reload(async || Ok(())).await;
    assert_eq!(post(format!("http://{}/-/reload", on.url)).await, StatusCode::OK);
    frame.reload.on_reload(async || Err("a.yml:1:2: no".into())).await;
    let response = client.post(format!("http://{}/-/reload", on.url)).send().await.expect("request");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.text().await.expect("text"), "failed to reload config: a.yml:1:2: no\n");
}

#[tokio::test]
async fn web_config_gives_tls_users_and_headers() {
    let dir = tempfile::tempdir().expect("tempdir");
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()])
        .expect("certificate");
    fs::write(dir.path().join("cert.pem"), certificate.cert.pem()).expect("write");
    fs::write(dir.path().join("key.pem"), certificate.signing_key.serialize_pem()).expect("write");
    let web = dir.path().join("web.yml");
    let hash = bcrypt::hash("secret", 4).expect("hash");
    fs::write(
        &web,
        format!(
            "tls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\nhttp_server_config: {{headers: {{X-Frame-Options: deny}}}}\n\
             basic_auth_users: {{admin: '{hash}'}}\n"
        ),
    )
    .expect("write");
    let mut options = HttpOptions::new("127.0.0.1:0");
    options.web_config = Some(web.clone());
    let frame = Frame::default();
    let running = start(&frame, options, access(false)).await;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate.cert.pem().as_bytes()).expect("pem")])
        .build()
        .expect("client");
    let url = format!("https://{}/hello", running.url);
    let denied = client.get(&url).send().await.expect("request");
    assert_eq!(denied.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(denied.headers()["www-authenticate"], "Basic");
    let wrong = client.get(&url).basic_auth("admin", Some("x")).send().await.expect("request");
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let unknown = client.get(&url).basic_auth("nobody", Some("secret")).send().await.expect("request");
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    let allowed = client.get(&url).basic_auth("admin", Some("secret")).send().await.expect("request");
    assert_eq!(allowed.status(), StatusCode::OK);
    assert_eq!(allowed.headers()["x-frame-options"], "deny");

    // A change takes effect by itself; one that does not hold is ignored.
    let text = fs::read_to_string(&web).expect("read").replace("admin:", "other_name:");
    fs::write(&web, text).expect("write");
    assert_eq!(
        client.get(&url).basic_auth("other_name", Some("secret")).send().await.expect("request").status(),
        StatusCode::OK
    );
    fs::write(&web, "nonsense: true\n").expect("write");
    assert_eq!(
        client.get(&url).basic_auth("other_name", Some("secret")).send().await.expect("request").status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn mistakes_in_a_web_config_are_named() {
    let dir = tempfile::tempdir().expect("tempdir");
    let check = |text: &str, want: &str| {
        let path = dir.path().join("web.yml");
        fs::write(&path, text).expect("write");
        let error = crate::report(&WebConfig::load(path).expect_err("a mistake"));
        assert!(error.contains(want), "{error}");
    };
    check("basic_auth_users: {a: plain}\n", "make one with `htpasswd");
    check("tls_server_config: {cert_file: no.pem, key_file: no.pem}\n", "no.pem");
    check("http_server_config: {headers: {Server: x}}\n", "can not be configured");
    check("tls: {}\n", "web.yml:1:1: unknown field `tls`");
}

#[tokio::test]
async fn a_stop_lets_open_requests_finish() {
    let server = HttpServer::bind(HttpOptions::new("127.0.0.1:0")).await.expect("bind");
    let url = format!("http://127.0.0.1:{}/slow", server.local_address().port());
    let (entered, wait_entered) = tokio::sync::oneshot::channel::<()>();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let gate = std::sync::Arc::new(parking_lot::Mutex::new(Some((entered, released))));
    let app = Router::new().route(
        "/slow",
        get(move || async move {
            let (entered, released) = gate.lock().take().expect("one request");
            let _ = entered.send(());
            let _ = released.await;
            "done"
        }),
    );
    let tasks = Tasks::new(&Stopper::new().token());
    tasks.spawn("server", server.serve(app, tasks.stop()));
    let request =
        tokio::spawn(async move { reqwest::get(url).await.expect("request").text().await.expect("text") });
    wait_entered.await.expect("entered");
    tasks.request_stop();
    release.send(()).expect("handler waits");
    assert_eq!(request.await.expect("join"), "done");
    tasks.finish(Duration::from_secs(5)).await.expect("stops");
}
