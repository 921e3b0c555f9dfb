//! Static pages, sub-paths, metrics.

use reqwest::StatusCode;
use serde_json::json;

use crate::server::{PASSWORD, Server};

#[tokio::test]
async fn below_a_sub_path_both_addresses_work() {
    let server = Server::start(&[], &[("GF_SERVER_ROOT_URL", "http://localhost/graphs")]).await;
    let client = server.anonymous();
    let login = client.post("/graphs/login", &json!({"user": "admin", "password": PASSWORD})).await;
    assert_eq!(login.json()["redirectUrl"], "/graphs/");
    assert!(login.header("set-cookie").contains("; Path=/graphs;"), "{}", login.header("set-cookie"));
    let session = client.with_session(&login);
    for path in ["/graphs/api/user", "/api/user"] {
        assert_eq!(session.get(path).await.json()["login"], "admin", "{path}");
    }
    let settings = session.get("/graphs/api/frontend/settings").await.json();
    assert_eq!(
        (&settings["appSubUrl"], &settings["appUrl"]),
        (&json!("/graphs"), &json!("http://localhost/graphs/"))
    );
    session.post("/graphs/api/dashboards/db", &json!({"dashboard": {"uid": "a", "title": "A"}})).await;
    assert_eq!(session.get("/graphs/api/search").await.json()[0]["url"], "/graphs/d/a/a");
    assert_eq!(session.get("/graphs/logout").await.header("location"), "/graphs/login");
    assert_eq!(session.get("/graphs/api/nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(session.get("/graphs/api/health").await.json()["database"], "ok");
    let page = session.get("/graphs/d/a/a").await;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    // Built with its app or without: the page either has the sub-path as its base or says how to build it.
    let expected = if page.status == StatusCode::OK { "<base href=\"/graphs/\" />" } else { "npm run build" };
    assert!(page.text.contains(expected), "{}", page.text);
}

#[tokio::test]
async fn pages_and_probes() {
    let server = Server::start(&[], &[]).await;
    let client = server.anonymous();
    for path in ["/", "/login", "/d/uid/slug", "/explore?left=x"] {
        assert!(client.get(path).await.header("content-type").starts_with("text/html"), "{path}");
    }
    assert_eq!(client.get("/assets/none-0.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/healthz").await.text, "Ok");
    assert_eq!(client.get("/-/ready").await.status, StatusCode::OK);
    assert_eq!(
        client.get("/api/health").await.json(),
        json!({"commit": "", "database": "ok", "version": service::Version::NUMBER})
    );
    let metrics = client.get("/metrics").await.text;
    for line in [
        "grafana_build_info{branch=\"\",edition=\"oss\",revision=\"\",version=",
        "grafana_stat_totals_dashboard 0",
        "grafana_stat_total_users 1",
        "grafana_http_request_duration_seconds_bucket{",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    let server = Server::start(&[], &[("GF_METRICS_ENABLED", "false")]).await;
    assert_eq!(server.anonymous().get("/metrics").await.status, StatusCode::NOT_FOUND);
}
