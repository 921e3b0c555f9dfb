//! A running stack's own provisioning, unchanged.

use std::{collections::BTreeMap, fs};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test]
async fn provisioning_and_dashboards_of_a_running_stack() {
    let Some(seed) = testkit::seed_dir("stack/grafana") else { return };
    let read = |path: &str| fs::read_to_string(seed.join(path)).expect("the seed");
    let dashboards = seed.join("dashboards");
    // The only difference: where the folder is mounted.
    let providers = read("provisioning/dashboards/dashboards.yml")
        .replace("/var/lib/grafana/dashboards", &dashboards.display().to_string());
    let server = Server::start(
        &[
            ("dashboards/dashboards.yml", &providers),
            ("datasources/datasources.yml", &read("provisioning/datasources/datasources.yml")),
        ],
        &[
            ("GF_SERVER_ROOT_URL", "https://stats.example.org"),
            ("GF_SERVER_DOMAIN", "stats.example.org"),
            ("GF_SECURITY_ADMIN_USER", "admin"),
            ("GF_USERS_ALLOW_SIGN_UP", "false"),
            ("GF_INSTALL_PLUGINS", "grafana-clock-panel,grafana-simple-json-datasource"),
            ("GF_AUTH_ANONYMOUS_ENABLED", "false"),
            ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
            ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
        ],
    )
    .await;
    let admin = server.admin();

    let sources = admin.get("/api/datasources").await.json();
    let brief: Vec<_> = sources
        .as_array()
        .unwrap()
        .iter()
        .map(|source| {
            (
                source["name"].clone(),
                source["uid"].clone(),
                source["isDefault"].clone(),
                source["readOnly"].clone(),
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            (json!("Loki"), json!("P8E80F9AEF21F6940"), json!(false), json!(true)),
            (json!("Prometheus"), json!("PBFA97CFB590B2093"), json!(true), json!(true)),
        ]
    );
    assert_eq!(sources[0]["jsonData"]["derivedFields"][0]["url"], "${__value.raw}");

    let hits = admin.get("/api/search?type=dash-db").await.json();
    let hits = hits.as_array().unwrap();
    assert_eq!(hits.len(), 7);
    assert!(hits.iter().all(|hit| hit["folderTitle"] == "Plugged.in"), "{hits:?}");

    let mut files = BTreeMap::new();
    for file in fs::read_dir(&dashboards).unwrap() {
        let json: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        files.insert(json["uid"].as_str().unwrap().to_owned(), json);
    }
    for (uid, mut file) in files {
        let read = admin.get(&format!("/api/dashboards/uid/{uid}")).await.json();
        let mut dashboard = read["dashboard"].clone();
        for key in ["id", "version"] {
            dashboard[key] = Value::Null;
            file[key] = Value::Null;
        }
        assert_eq!(dashboard, file, "{uid}");
        assert_eq!(read["meta"]["canSave"], true, "allowUiUpdates");
        assert_eq!(admin.delete(&format!("/api/dashboards/uid/{uid}")).await.status, StatusCode::BAD_REQUEST);
    }
}
