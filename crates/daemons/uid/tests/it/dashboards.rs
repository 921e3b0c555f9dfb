//! Dashboards, folders, search, preferences.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test]
async fn saving_checks_the_version() {
    let server = Server::start(&[], &[]).await;
    let admin = server.admin();
    let save = async |dashboard: Value, overwrite: bool| {
        admin.post("/api/dashboards/db", &json!({"dashboard": dashboard, "overwrite": overwrite})).await
    };
    let first = save(json!({"uid": "a", "title": "First one", "id": null, "version": 7}), false).await;
    assert_eq!(
        first.json(),
        json!({"id": 1, "uid": "a", "url": "/d/a/first-one", "status": "success", "version": 1, "slug": "first-one", "folderUid": ""})
    );
    let second =
        save(json!({"uid": "a", "title": "First", "version": 1, "panels": [{"id": 1}]}), false).await;
    assert_eq!(second.json()["version"], 2);
    let late = save(json!({"uid": "a", "title": "Late", "version": 1}), false).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(late.json()["status"], "version-mismatch");
    assert_eq!(save(json!({"uid": "a", "title": "Forced", "version": 1}), true).await.json()["version"], 3);
    let twin = save(json!({"title": "Forced"}), false).await;
    assert_eq!(
        (twin.status, &twin.json()["status"]),
        (StatusCode::PRECONDITION_FAILED, &json!("name-exists"))
    );
    assert_eq!(save(json!({"id": 99, "title": "Gone"}), false).await.status, StatusCode::NOT_FOUND);
    assert_eq!(save(json!({"title": ""}), false).await.status, StatusCode::BAD_REQUEST);

    let read = admin.get("/api/dashboards/uid/a").await.json();
    assert_eq!(read["dashboard"], json!({"id": 1, "uid": "a", "title": "Forced", "version": 3}));
    assert_eq!((&read["meta"]["createdBy"], &read["meta"]["canSave"]), (&json!("admin"), &json!(true)));
    assert_eq!(admin.delete("/api/dashboards/uid/a").await.json()["title"], "Forced");
    let gone = admin.get("/api/dashboards/uid/a").await;
    assert_eq!(
        (gone.status, &gone.json()["message"]),
        (StatusCode::NOT_FOUND, &json!("Dashboard not found"))
    );
}

#[tokio::test]
async fn what_was_saved_survives_a_restart() {
    let mut server = Server::start(&[], &[]).await;
    let folder = server.admin().post("/api/folders", &json!({"title": "Team"})).await.json();
    let dashboard = json!({"dashboard": {"uid": "a", "title": "A"}, "folderUid": folder["uid"]});
    assert_eq!(server.admin().post("/api/dashboards/db", &dashboard).await.status, StatusCode::OK);
    server.restart(&[]).await;
    let read = server.admin().get("/api/dashboards/uid/a").await.json();
    assert_eq!(read["meta"]["folderTitle"], "Team");
}

#[tokio::test]
async fn folders() {
    let server = Server::start(&[], &[]).await;
    let admin = server.admin();
    let parent = admin.post("/api/folders", &json!({"uid": "p", "title": "Parent"})).await;
    assert_eq!((parent.status, &parent.json()["version"]), (StatusCode::OK, &json!(1)));
    assert_eq!(admin.post("/api/folders", &json!({"title": "Parent"})).await.status, StatusCode::CONFLICT);
    let child = admin.post("/api/folders", &json!({"uid": "c", "title": "Child", "parentUid": "p"})).await;
    assert_eq!(child.json()["parents"][0]["title"], "Parent");
    assert_eq!(
        admin.post("/api/folders", &json!({"title": "x", "parentUid": "none"})).await.status,
        StatusCode::NOT_FOUND
    );
    let listed = admin.get("/api/folders").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["uid"], "p");
    let stale = admin.put("/api/folders/p", &json!({"title": "New", "version": 5})).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let renamed = admin.put("/api/folders/p", &json!({"title": "New", "version": 1})).await;
    assert_eq!((&renamed.json()["title"], &renamed.json()["version"]), (&json!("New"), &json!(2)));
    admin
        .post("/api/dashboards/db", &json!({"dashboard": {"uid": "d", "title": "D"}, "folderUid": "c"}))
        .await;
    assert_eq!(admin.get("/api/folders/c/counts").await.json()["dashboard"], 1);
    assert_eq!(admin.delete("/api/folders/p").await.status, StatusCode::OK);
    assert_eq!(
        admin.get("/api/dashboards/uid/d").await.status,
        StatusCode::NOT_FOUND,
        "goes with its folder"
    );
}

#[tokio::test]
async fn search_and_tags() {
    let server = Server::start(&[], &[]).await;
    let admin = server.admin();
    admin.post("/api/folders", &json!({"uid": "f", "title": "Nodes"})).await;
    for (uid, title, tags, folder) in [
        ("a", "Node exporter", json!(["linux", "os"]), "f"),
        ("b", "Linux disks", json!(["linux"]), ""),
        ("c", "Alerts", json!([]), ""),
    ] {
        let body = json!({"dashboard": {"uid": uid, "title": title, "tags": tags}, "folderUid": folder});
        assert_eq!(admin.post("/api/dashboards/db", &body).await.status, StatusCode::OK);
    }
    let titles = async |query: &str| -> Vec<String> {
        let hits = admin.get(&format!("/api/search{query}")).await.json();
        hits.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("").await, ["Nodes", "Alerts", "Linux disks", "Node exporter"]);
    assert_eq!(titles("?query=NODE").await, ["Nodes", "Node exporter"]);
    assert_eq!(titles("?type=dash-db&query=exporter+node").await, ["Node exporter"]);
    assert_eq!(titles("?tag=linux").await, ["Linux disks", "Node exporter"]);
    assert_eq!(titles("?tag=linux&tag=os").await, ["Node exporter"]);
    assert_eq!(titles("?folderUIDs=f").await, ["Node exporter"]);
    assert_eq!(titles("?folderUIDs=general&type=dash-db").await, ["Alerts", "Linux disks"]);
    assert_eq!(titles("?dashboardUIDs=c,b").await, ["Alerts", "Linux disks"]);
    assert_eq!(titles("?type=dash-db&limit=1&page=2").await, ["Linux disks"]);
    assert_eq!(titles("?starred=true").await, Vec::<String>::new());
    assert_eq!(admin.get("/api/search?limit=5001").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let hit = admin.get("/api/search?query=exporter").await.json()[0].clone();
    assert_eq!(
        (&hit["url"], &hit["type"], &hit["folderUid"], &hit["folderTitle"]),
        (&json!("/d/a/node-exporter"), &json!("dash-db"), &json!("f"), &json!("Nodes"))
    );
    assert_eq!(
        admin.get("/api/dashboards/tags").await.json(),
        json!([{"term": "linux", "count": 2}, {"term": "os", "count": 1}])
    );
}

#[tokio::test]
async fn preferences_choose_the_home() {
    let server = Server::start(&[], &[]).await;
    let admin = server.admin();
    assert_eq!(admin.get("/api/dashboards/home").await.json()["meta"]["isHome"], true);
    admin.post("/api/dashboards/db", &json!({"dashboard": {"uid": "a", "title": "A"}})).await;
    let set = admin.put("/api/user/preferences", &json!({"homeDashboardUID": "a", "theme": "light"})).await;
    assert_eq!(set.json()["message"], "Preferences updated");
    assert_eq!(admin.get("/api/dashboards/home").await.json(), json!({"redirectUri": "/d/a/a"}));
    assert_eq!(admin.get("/api/user").await.json()["theme"], "light");
    admin.send(Method::PATCH, "/api/user/preferences", Some(r#"{"timezone":"utc"}"#.into())).await;
    assert_eq!(
        admin.get("/api/user/preferences").await.json(),
        json!({"theme": "light", "homeDashboardUID": "a", "timezone": "utc"})
    );
    assert_eq!(
        admin.put("/api/user/preferences", &json!({"theme": "pink"})).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn unknown_paths_are_json() {
    let server = Server::start(&[], &[]).await;
    for path in ["/api", "/api/nothing", "/api/dashboards/uid/a/b/c"] {
        let answer = server.anonymous().get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (StatusCode::NOT_FOUND, json!({"message": "Not found"})),
            "{path}"
        );
    }
    assert_eq!(server.admin().delete("/api/health").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let large = "x".repeat(17 << 20);
    let refused = server.admin().send(Method::POST, "/api/dashboards/db", Some(large)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.json()["message"].is_string());
}
