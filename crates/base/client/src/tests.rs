use std::time::Duration;

use http::{Method, StatusCode};
use testkit::HttpRecorder;

use super::*;

fn config(yaml: &str) -> HttpClientConfig {
    serde_yaml::from_str(yaml).expect("yaml")
}

fn client(yaml: &str, base_dir: &std::path::Path) -> HttpClient {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options = ClientOptions {
        timeout: Duration::from_secs(10),
        user_agent: "test/1".into(),
        base_dir: base_dir.to_owned(),
    };
    HttpClient::new(&config(yaml), &options).expect("a client")
}

#[tokio::test]
async fn credentials_and_headers_are_sent() {
    let dir = tempfile::tempdir().expect("tempdir");
    std::fs::write(dir.path().join("token"), "from-file\n").expect("write");
    let server = HttpRecorder::start().await;
    let sent = async |yaml: &str, header: &str| {
        let url = server.url("/x").parse().expect("url");
        let request = client(yaml, dir.path()).request(Method::GET, url).expect("request");
        request.send().await.expect("answer");
        let request = server.take().pop().expect("a request");
        request.headers.get(header).map(|value| value.to_str().expect("text").to_owned())
    };
    let check = async |yaml: &str, header: &str, want: Option<&str>| {
        assert_eq!(sent(yaml, header).await.as_deref(), want, "{yaml}");
    };
    check("{}", "authorization", None).await;
    check("{}", "user-agent", Some("test/1")).await;
    check("{basic_auth: {username: a, password: b}}", "authorization", Some("Basic YTpi")).await;
    check("{bearer_token: t}", "authorization", Some("Bearer t")).await;
    check(
        "{authorization: {type: Token, credentials_file: token}}",
        "authorization",
        Some("Token from-file"),
    )
    .await;
    check("{http_headers: {X-Scope-OrgID: {values: [one]}}}", "x-scope-orgid", Some("one")).await;
}

#[test]
fn contradictions_are_refused() {
    let check = |yaml: &str, want: &str| assert_eq!(config(yaml).check().expect_err(yaml).to_string(), want);
    check(
        "{bearer_token: a, bearer_token_file: b}",
        "at most one of bearer_token & bearer_token_file must be configured",
    );
    check(
        "{authorization: {credentials: a}, basic_auth: {username: b}}",
        "at most one of basic_auth, oauth2 & authorization must be configured",
    );
    check("{oauth2: {client_id: x}}", "not supported yet: oauth2");
    check(
        "{tls_config: {cert_file: a}}",
        "exactly one of key or key_file must be configured when a client certificate is configured",
    );
    check("{tls_config: {min_version: SSL3}}", "unknown TLS version in min_version: SSL3");
}

#[test]
fn secrets_are_not_shown() {
    let config = config("{basic_auth: {username: a, password: hidden}, tls_config: {cert: x, key: hidden}}");
    let shown = format!("{config:?} {}", serde_yaml::to_string(&config).expect("yaml"));
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn large_answers_are_cut_off() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "x".repeat(1000))).await;
    let dir = std::path::Path::new(".");
    let get = async || {
        let url = server.url("/").parse().expect("url");
        client("{}", dir).request(Method::GET, url).expect("request").send().await.expect("answer")
    };
    assert_eq!(read_body(get().await, 1000).await.expect("fits").len(), 1000);
    assert!(matches!(read_body(get().await, 999).await, Err(BodyError::TooLarge { limit: 999 })));
}
