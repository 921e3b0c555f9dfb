//! Logging in and out.

use reqwest::StatusCode;
use serde_json::json;
use service::Frame;

use crate::server::{PASSWORD, Server};

#[tokio::test]
async fn a_session_from_login_to_logout() {
    let server = Server::start(&[], &[]).await;
    let client = server.anonymous();
    let refused = client.get("/api/user").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.json()["message"], "Unauthorized");

    let login = client.login(PASSWORD).await;
    assert_eq!(login.status, StatusCode::OK);
    assert_eq!(login.json(), json!({"message": "Logged in", "redirectUrl": "/"}));
    let cookie = login.header("set-cookie").to_owned();
    assert!(cookie.starts_with("grafana_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"), "{cookie}");

    let session = client.with_session(&login);
    let user = session.get("/api/user").await.json();
    assert_eq!((&user["login"], &user["isGrafanaAdmin"]), (&json!("admin"), &json!(true)));
    assert_eq!(session.get("/api/login/ping").await.status, StatusCode::OK);

    let logout = session.get("/logout").await;
    assert_eq!((logout.status, logout.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert!(logout.header("set-cookie").starts_with("grafana_session=; Path=/; Max-Age=0"));
    assert_eq!(
        session.get("/api/user").await.status,
        StatusCode::UNAUTHORIZED,
        "the token is worth nothing now"
    );
}

#[tokio::test]
async fn wrong_passwords() {
    let server = Server::start(&[], &[]).await;
    let client = server.anonymous();
    for _ in 0..5 {
        let refused = client.login("wrong").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.json()["message"], "Invalid username or password");
        assert_eq!(refused.header("set-cookie"), "");
    }
    let blocked = client.login(PASSWORD).await;
    assert_eq!(blocked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(blocked.json()["messageId"], "login-attempt.blocked");
    server.advance(301);
    assert_eq!(client.login(PASSWORD).await.status, StatusCode::OK);
    assert_eq!(client.post("/login", &json!([1])).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn sessions_end() {
    let mut server = Server::start(&[], &[]).await;
    let login = server.anonymous().login(PASSWORD).await;
    let day = 86_400;
    for _ in 0..4 {
        server.advance(6 * day);
        assert_eq!(server.anonymous().with_session(&login).get("/api/user").await.status, StatusCode::OK);
    }
    // A session survives the daemon's restart, its use was noted.
    server.restart(&[]).await;
    assert_eq!(server.anonymous().with_session(&login).get("/api/user").await.status, StatusCode::OK);
    server.advance(6 * day + 1);
    let over = server.anonymous().with_session(&login).get("/api/user").await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "30 days are over");

    let login = server.anonymous().login(PASSWORD).await;
    server.advance(7 * day + 1);
    let over = server.anonymous().with_session(&login).get("/api/user").await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "7 days without use");
}

#[tokio::test]
async fn basic_authentication() {
    let server = Server::start(&[], &[]).await;
    assert_eq!(server.admin().get("/api/user").await.json()["login"], "admin");
    let wrong = server.anonymous().with("Authorization", "Basic YWRtaW46eA==").get("/api/user").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let token = server.anonymous().with("Authorization", "Bearer glsa_x").get("/api/user").await;
    assert!(token.json()["message"].as_str().unwrap().starts_with("not supported yet: "), "{token:?}");
    let server = Server::start(&[], &[("GF_AUTH_BASIC_ENABLED", "false")]).await;
    assert_eq!(server.admin().get("/api/user").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_first_password_is_made_up_or_given_and_kept() {
    let mut server = Server::start(&[], &[]).await;
    server.restart(&[("GF_SECURITY_ADMIN_PASSWORD", "another")]).await;
    assert_eq!(server.anonymous().login(PASSWORD).await.status, StatusCode::OK);

    let mut server = Server::start(&[], &[("GF_SECURITY_ADMIN_PASSWORD", "")]).await;
    let file = server.path("data/state/initial-admin-password");
    let password = std::fs::read_to_string(file).unwrap().trim().to_owned();
    assert_eq!(password.len(), 24);
    assert_eq!(server.anonymous().login(&password).await.status, StatusCode::OK);
    server.stop().await;
    let again = server.build(&Frame::default()).await.unwrap();
    assert!(again.initial_admin_password().is_none(), "told once");
}

#[tokio::test]
async fn changing_the_password_ends_other_sessions() {
    let server = Server::start(&[], &[]).await;
    let client = server.anonymous();
    let (here, there) = (client.login(PASSWORD).await, client.login(PASSWORD).await);
    let (here, there) = (client.with_session(&here), client.with_session(&there));
    let wrong =
        here.put("/api/user/password", &json!({"oldPassword": "x", "newPassword": "long enough"})).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let short = here.put("/api/user/password", &json!({"oldPassword": PASSWORD, "newPassword": "abc"})).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    let done =
        here.put("/api/user/password", &json!({"oldPassword": PASSWORD, "newPassword": "long enough"})).await;
    assert_eq!(done.status, StatusCode::OK);
    assert_eq!(here.get("/api/user").await.status, StatusCode::OK);
    assert_eq!(there.get("/api/user").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.login("long enough").await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_without_a_login_look_around_where_they_may() {
    let server = Server::start(
        &[],
        &[("GF_AUTH_ANONYMOUS_ENABLED", "true"), ("GF_AUTH_ANONYMOUS_HIDE_VERSION", "true")],
    )
    .await;
    let client = server.anonymous();
    assert_eq!(client.get("/api/user").await.status, StatusCode::UNAUTHORIZED);
    let settings = client.get("/api/frontend/settings").await.json();
    assert_eq!(
        (&settings["anonymousEnabled"], &settings["buildInfo"]["version"]),
        (&json!(true), &json!(""))
    );
    let refused = client.post("/api/dashboards/db", &json!({"dashboard": {"title": "x"}})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["title"], "Access denied");
    assert_eq!(client.get("/api/datasources").await.status, StatusCode::FORBIDDEN);
    assert_eq!(client.get("/api/search").await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_cannot_use_a_session() {
    let server = Server::start(&[], &[("GF_SERVER_ROOT_URL", "https://stats.example.org/")]).await;
    let client = server.anonymous();
    let login = client.login(PASSWORD).await;
    assert!(login.header("set-cookie").ends_with("; Secure"));
    let session = client.with_session(&login);
    let folder = |title: &str| json!({"title": title});
    let evil = session.with("Origin", "https://evil.example").post("/api/folders", &folder("a")).await;
    assert_eq!(evil.status, StatusCode::FORBIDDEN);
    for (title, origin) in [("b", "https://stats.example.org"), ("c", "http://127.0.0.1:1")] {
        let ours = session.with("Origin", origin).post("/api/folders", &folder(title)).await;
        assert_eq!(ours.status, StatusCode::OK, "{origin} {}", ours.text);
    }
    let login = client.with("Origin", "null").login(PASSWORD).await;
    assert_eq!(login.status, StatusCode::FORBIDDEN);
}
