//! Data sources over the API and through the proxy.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::HttpRecorder;

use crate::server::{PASSWORD, Server};

fn wanted(url: &str) -> Value {
    json!({
        "name": "Metrics", "uid": "m", "type": "prometheus", "url": url, "access": "proxy",
        "basicAuth": true, "basicAuthUser": "scraper", "jsonData": {"httpHeaderName1": "X-Scope-OrgID"},
        "secureJsonData": {"basicAuthPassword": "hunter2", "httpHeaderValue1": "tenant-7"},
    })
}

#[tokio::test]
async fn from_creation_to_removal() {
    let server = Server::start(&[], &[]).await;
    let admin = server.admin();
    let added = admin.post("/api/datasources", &wanted("http://localhost:1")).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.text);
    let added = added.json();
    assert_eq!(
        (&added["message"], &added["id"], &added["name"]),
        (&json!("Datasource added"), &json!(1), &json!("Metrics"))
    );
    assert_eq!(
        added["datasource"]["secureJsonFields"],
        json!({"basicAuthPassword": true, "httpHeaderValue1": true})
    );
    assert_eq!(added["datasource"]["isDefault"], true, "the first is the default");
    assert_eq!(
        admin.post("/api/datasources", &wanted("http://localhost:1")).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        admin.post("/api/datasources", &json!({"name": "x", "type": "loki", "url": "nonsense"})).await.status,
        StatusCode::BAD_REQUEST
    );

    for path in ["/api/datasources/uid/m", "/api/datasources/name/Metrics", "/api/datasources/1"] {
        let read = admin.get(path).await;
        assert_eq!(read.json()["basicAuthUser"], "scraper", "{path}");
        assert!(!read.text.contains("hunter2") && !read.text.contains("tenant-7"), "{}", read.text);
    }
    assert_eq!(admin.get("/api/datasources/id/Metrics").await.json(), json!({"id": 1}));
    assert_eq!(admin.get("/api/datasources").await.json().as_array().unwrap().len(), 1);

    let change = json!({"name": "Metrics", "type": "prometheus", "url": "http://localhost:2", "version": 1});
    let changed = admin.put("/api/datasources/uid/m", &change).await.json();
    assert_eq!((&changed["datasource"]["version"], &changed["datasource"]["uid"]), (&json!(2), &json!("m")));
    assert_eq!(
        changed["datasource"]["secureJsonFields"]["basicAuthPassword"], true,
        "secrets stay unless sent"
    );
    assert_eq!(admin.put("/api/datasources/uid/m", &change).await.status, StatusCode::CONFLICT);
    assert_eq!(admin.delete("/api/datasources/uid/m").await.json()["message"], "Data source deleted");
    let gone = admin.get("/api/datasources/uid/m").await;
    assert_eq!(
        (gone.status, &gone.json()["message"]),
        (StatusCode::NOT_FOUND, &json!("Data source not found"))
    );
}

#[tokio::test]
async fn files_are_changed_in_files() {
    let file = "datasources: [{name: A, uid: a, type: loki, url: 'http://localhost:1'}]";
    let server = Server::start(&[("datasources/a.yml", file)], &[]).await;
    let admin = server.admin();
    let body = json!({"name": "A", "type": "loki"});
    assert_eq!(admin.put("/api/datasources/uid/a", &body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.delete("/api/datasources/uid/a").await.status, StatusCode::FORBIDDEN);
    let file = server.path("provisioning/datasources/a.yml");
    std::fs::write(&file, "datasources: [{name: A, uid: a, type: loki, url: 'http://localhost:2'}]").unwrap();
    let reloaded = admin.post("/api/admin/provisioning/datasources/reload", &json!({})).await;
    assert_eq!(reloaded.json(), json!({"message": "Datasources config reloaded"}));
    assert_eq!(admin.get("/api/datasources/uid/a").await.json()["url"], "http://localhost:2");
    std::fs::write(&file, "datasources: [{nme: A}]").unwrap();
    let broken = admin.post("/api/admin/provisioning/datasources/reload", &json!({})).await;
    assert!(
        broken.json()["message"]
            .as_str()
            .unwrap()
            .contains("a.yml:1:16: datasources[0]: unknown field `nme`"),
        "{broken:?}"
    );
    assert!(server.frame.reload.trigger().await.is_err());
    assert_eq!(admin.get("/api/datasources/uid/a").await.json()["url"], "http://localhost:2");
}

#[tokio::test]
async fn the_proxy_adds_the_data_sources_credentials_and_keeps_the_persons() {
    let upstream = HttpRecorder::answering(|request| (StatusCode::OK, format!("{}", request.uri))).await;
    let server = Server::start(&[], &[]).await;
    server.admin().post("/api/datasources", &wanted(&upstream.url("/base/"))).await;
    let login = server.anonymous().login(PASSWORD).await;
    let client = server
        .anonymous()
        .with_session(&login)
        .with("X-Scope-OrgID", "mine")
        .with("X-Custom", "kept")
        .with("Connection", "X-Hop, close")
        .with("X-Hop", "gone");
    let answer = client.get("/api/datasources/proxy/uid/m/api/v1/label/a%2Fb/values?match[]=up&x=%20").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, "/base/api/v1/label/a%2Fb/values?match[]=up&x=%20");
    assert_eq!(answer.header("content-security-policy"), "sandbox");
    let seen = upstream.take().remove(0);
    let header = |name: &str| {
        seen.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(header("authorization"), ["Basic c2NyYXBlcjpodW50ZXIy"]);
    assert_eq!(header("x-scope-orgid"), ["tenant-7"]);
    assert_eq!(header("x-custom"), ["kept"]);
    assert!(header("cookie").is_empty() && header("x-hop").is_empty());

    let answer = server.admin().get("/api/datasources/proxy/1/api/v1/rules").await;
    assert_eq!(answer.text, "/base/api/v1/rules");
    let seen = upstream.take().remove(0);
    assert_eq!(seen.headers["authorization"], "Basic c2NyYXBlcjpodW50ZXIy", "not the person's");

    let form = server
        .admin()
        .send(Method::POST, "/api/datasources/proxy/uid/m/api/v1/query", Some("query=up".into()))
        .await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(upstream.take()[0].body, "query=up");
}

#[tokio::test]
async fn the_proxy_lets_nothing_out_of_bounds() {
    let upstream = HttpRecorder::start().await;
    let server = Server::start(&[], &[]).await;
    server.admin().post("/api/datasources", &wanted(&upstream.url("/base"))).await;
    let admin = server.admin();
    let proxied = |path: &str| format!("/api/datasources/proxy/uid/m/{path}");
    for path in ["../secret", "a/%2e%2e/secret", "a/%2E./../secret", "a\\..\\secret", "./x"] {
        let line = server.raw("GET", &proxied(path)).await;
        assert_eq!(line, "HTTP/1.1 400 Bad Request", "{path}");
    }
    for (method, path) in [
        ("POST", "api/v1/admin/tsdb/delete_series"),
        ("POST", "-/quit"),
        ("POST", "api/v1/query/../../../-/quit"),
        ("POST", "api/v1/query%2f..%2fx"),
        ("PUT", "-/reload"),
        ("DELETE", "api/v1/series"),
    ] {
        assert_eq!(server.raw(method, &proxied(path)).await, "HTTP/1.1 403 Forbidden", "{method} {path}");
    }
    assert_eq!(server.anonymous().get(&proxied("api/v1/labels")).await.status, StatusCode::UNAUTHORIZED);
    assert!(upstream.requests().is_empty());
    assert_eq!(admin.get("/api/datasources/proxy/uid/none/x").await.status, StatusCode::NOT_FOUND);
    upstream.answer(|_| (StatusCode::UNAUTHORIZED, "no".into()));
    assert_eq!(admin.get(&proxied("api/v1/labels")).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn health_of_a_data_source() {
    let upstream = HttpRecorder::answering(|_| (StatusCode::OK, r#"{"status":"success"}"#.into())).await;
    let server = Server::start(&[], &[]).await;
    server.admin().post("/api/datasources", &wanted(&upstream.url(""))).await;
    let check = async || server.admin().get("/api/datasources/uid/m/health").await;
    assert_eq!(
        check().await.json(),
        json!({"status": "OK", "message": "Successfully queried the Prometheus API."})
    );
    upstream.answer(|_| (StatusCode::SERVICE_UNAVAILABLE, "starting".into()));
    let down = check().await;
    assert_eq!(down.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        down.json(),
        json!({"status": "ERROR", "message": "Prometheus answered 503 Service Unavailable: starting"})
    );
}
