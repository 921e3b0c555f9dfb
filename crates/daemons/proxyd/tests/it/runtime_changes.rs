//! What changes while the proxy runs: files, servers.

use http::StatusCode;
use testkit::{HttpRecorder, eventually};

use crate::harness::{Proxy, STATIC, client, fetch};

/// A router and a service of the same name.
fn dynamic(name: &str, path: &str, url: &str) -> String {
    format!(
        "http:\n  routers:\n    {name}:\n      rule: Path(`{path}`)\n      service: {name}\n  services:\n    \
         {name}: {{loadBalancer: {{servers: [{{url: '{url}'}}]}}}}\n"
    )
}

#[tokio::test]
async fn a_changed_file_applies_and_a_broken_one_keeps_what_was() {
    let server = HttpRecorder::start().await;
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic("r", "/old", &server.url("")))]).await;
    let status = async |path: &str| fetch(&proxy.url("web", path), "x").await.0;
    assert_eq!((status("/old").await, status("/new").await), (200, 404));

    proxy.write("a.yml", &dynamic("r", "/new", &server.url("")));
    eventually("the new path is served", || async { (status("/new").await == 200).then_some(()) }).await;
    assert_eq!(status("/old").await, 404);

    // A second file is added together with a mistake in the first: the second applies, the first stays as it was.
    proxy.write("a.yml", "http:\n  routers:\n    r:\n      ruel: x\n");
    proxy.write("b.yml", &dynamic("r2", "/other", &server.url("")));
    eventually("the other file is served", || async { (status("/other").await == 200).then_some(()) }).await;
    assert_eq!(status("/new").await, 200);
    let router = proxy.api("/api/http/routers/r@file").await;
    assert_eq!(router["status"], "warning");
    let error = router["error"][0].as_str().expect("a text");
    assert!(error.contains("a.yml:4:7: http.routers.r: unknown field `ruel`"), "{error}");
    assert!(error.contains("the last version without a mistake is in force"), "{error}");

    // Broken YAML, and a reload by hand that says so.
    proxy.write("a.yml", "http: [\n");
    let response = client().post(proxy.url("traefik", "/-/reload")).send().await.expect("answers");
    assert_eq!(response.status(), 500);
    assert!(response.text().await.expect("text").contains("a.yml:2:1:"));
    assert_eq!(status("/new").await, 200);

    std::fs::remove_file(proxy.dir.path().join("dynamic/a.yml")).expect("removes");
    eventually("the removed file is gone", || async { (status("/new").await == 404).then_some(()) }).await;
    let metrics = client().get(proxy.url("traefik", "/metrics")).send().await.expect("answers");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("traefik_config_reloads_failure_total "), "{metrics}");
    proxy.stop().await;
}

#[tokio::test]
async fn a_bad_element_does_not_take_its_file_with_it() {
    let server = HttpRecorder::start().await;
    let text = format!(
        "http:\n  routers:\n    good: {{rule: Path(`/good`), service: s}}\n    badrule: {{rule: Pth(`/`), service: s}}\n    \
         nosvc: {{rule: Path(`/x`), service: nope}}\n    auth: {{rule: Path(`/auth`), service: s, middlewares: [fwd]}}\n    unknown: \
         {{ruel: x}}\n  middlewares:\n    fwd: {{forwardAuth: {{address: 'http://x'}}}}\n  services:\n    \
         s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n    circle: {{weighted: {{services: [{{name: circle}}]}}}}\n",
        server.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &text)]).await;
    assert_eq!(fetch(&proxy.url("web", "/good"), "x").await.0, 200);
    assert_eq!(fetch(&proxy.url("web", "/auth"), "x").await.0, 404);
    let check = async |path: &str, want: &str| {
        let element = proxy.api(&format!("/api/http/{path}@file")).await;
        assert_eq!(element["status"], "disabled", "{element}");
        let error = element["error"][0].as_str().expect("a text");
        assert!(error.contains(want), "{path}: {error}");
    };
    check("routers/badrule", "invalid rule, column 1: unknown matcher \"Pth\"").await;
    check("routers/nosvc", "the service \"nope@file\" does not exist").await;
    check("routers/auth", "not supported yet: middleware type forwardAuth").await;
    check("middlewares/fwd", "not supported yet: middleware type forwardAuth").await;
    check("routers/unknown", "a.yml:7:15: http.routers.unknown: unknown field `ruel`").await;
    check("services/circle", "contains itself").await;
    let overview = proxy.api("/api/overview").await;
    assert_eq!(overview["http"]["middlewares"]["errors"], 1);
}

#[tokio::test]
async fn a_server_that_fails_its_check_gets_no_requests() {
    let (good, bad) = (HttpRecorder::start().await, HttpRecorder::start().await);
    bad.answer(|_| (StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    let text = format!(
        "http:\n  routers:\n    r: {{rule: Path(`/`), service: s}}\n  services:\n    s:\n      loadBalancer:\n        \
         servers: [{{url: '{}'}}, {{url: '{}'}}]\n        healthCheck: {{path: /health, interval: 20ms, timeout: 1s}}\n",
        good.url(""),
        bad.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &text)]).await;
    eventually("the API says that it is down", || async {
        let service = proxy.api("/api/http/services/s@file").await;
        (service["serverStatus"][bad.url("")] == "DOWN").then_some(())
    })
    .await;
    for _ in 0..4 {
        assert_eq!(fetch(&proxy.url("web", "/"), "x").await.0, 200);
    }
    let metrics = client().get(proxy.url("traefik", "/metrics")).send().await.expect("answers");
    let metrics = metrics.text().await.expect("text");
    for (url, up) in [(good.url(""), 1), (bad.url(""), 0)] {
        let line = format!("traefik_service_server_up{{service=\"s@file\",url=\"{url}\"}} {up}");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn services_of_services_and_their_middlewares() {
    let server = HttpRecorder::answering(|request| (StatusCode::OK, request.uri.to_string())).await;
    let text = format!(
        "http:\n  routers:\n    r: {{rule: PathPrefix(`/`), service: all}}\n  middlewares:\n    pre: {{addPrefix: {{prefix: /pre}}}}\n  \
         services:\n    all: {{failover: {{service: nobody, fallback: some}}}}\n    nobody: {{loadBalancer: {{servers: []}}}}\n    \
         some: {{weighted: {{services: [{{name: one, weight: 3}}]}}}}\n    \
         one: {{middlewares: [pre], loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        server.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &text)]).await;
    assert_eq!(fetch(&proxy.url("web", "/x"), "x").await, (200, "/pre/x".to_owned()));
}
