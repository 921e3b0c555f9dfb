//! A running stack's own files, unchanged but for paths and ports: each daemon by itself takes them.

use std::{fs, path::Path};

use reqwest::Client;
use serde_json::Value;
use testkit::{HttpRecorder, eventually, free_port, seed_dir};

use crate::process::{Process, client};

/// Copies a file with texts replaced: paths of the container's file system become paths here.
fn mapped(from: &Path, to: &Path, replace: &[(&str, &str)]) {
    let mut text = fs::read_to_string(from).expect("seed file");
    for (old, new) in replace {
        assert!(text.contains(old), "{} has no {old:?}", from.display());
        text = text.replace(old, new);
    }
    fs::write(to, text).expect("write");
}

async fn wait_for(client: &Client, process: &mut Process, url: &str) {
    eventually(url, || {
        assert!(!process.has_ended(), "ended: {}", process.output());
        let (client, url) = (client.clone(), url.to_owned());
        async move { client.get(url).send().await.ok().filter(|answer| answer.status().is_success()) }
    })
    .await;
}

async fn json(client: &Client, url: &str) -> Value {
    client.get(url).send().await.expect("answer").json().await.expect("json")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metricsd_takes_the_configuration_and_five_rule_files() {
    let Some(seed) = seed_dir("stack") else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let rules = seed.join("prometheus/rules");
    let pattern = format!("{}/*.yml", rules.canonicalize().expect("rules").display());
    let file = dir.path().join("prometheus.yml");
    mapped(&seed.join("prometheus/prometheus.yml"), &file, &[("/etc/prometheus/rules/*.yml", &pattern)]);
    let port = free_port();
    // The flags of the stack's compose file.
    let arguments = [
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", dir.path().join("prometheus").display()),
        "--storage.tsdb.retention.time=15d".into(),
        "--web.console.libraries=/usr/share/prometheus/console_libraries".into(),
        "--web.console.templates=/usr/share/prometheus/consoles".into(),
        "--web.enable-lifecycle".into(),
        "--web.external-url=https://monitoring.plugged.in/prometheus".into(),
        "--web.route-prefix=/".into(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let mut process = Process::start("metricsd", &arguments, &[], dir.path());
    let (client, url) = (client(), format!("http://127.0.0.1:{port}"));
    wait_for(&client, &mut process, &format!("{url}/-/ready")).await;
    let groups = json(&client, &format!("{url}/api/v1/rules")).await;
    let files: std::collections::BTreeSet<&str> = groups["data"]["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|group| group["file"].as_str())
        .collect();
    assert_eq!(files.len(), 5, "{files:?}");
    let pools = json(&client, &format!("{url}/api/v1/scrape_pools")).await;
    assert_eq!(pools["data"]["scrapePools"].as_array().expect("pools").len(), 12);
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logd_takes_the_configuration() {
    let Some(seed) = seed_dir("stack") else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("loki-config.yml");
    let (http, grpc) = (free_port(), free_port());
    let store = dir.path().join("loki");
    let replace = [
        ("http_listen_port: 3100", format!("http_listen_port: {http}\n  http_listen_address: 127.0.0.1")),
        ("grpc_listen_port: 9096", format!("grpc_listen_port: {grpc}\n  grpc_listen_address: 127.0.0.1")),
        (" /loki", format!(" {}", store.display())),
    ];
    let replace: Vec<_> = replace.iter().map(|(old, new)| (*old, new.as_str())).collect();
    mapped(&seed.join("loki/loki-config.yml"), &file, &replace);
    let mut process = Process::start("logd", &[format!("-config.file={}", file.display())], &[], dir.path());
    let (client, url) = (client(), format!("http://127.0.0.1:{http}"));
    wait_for(&client, &mut process, &format!("{url}/ready")).await;
    let output = process.output();
    for retired in ["boltdb", "table_manager", "chunk_store_config"] {
        assert!(output.contains(retired), "a warning about {retired}: {output}");
    }
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agentd_takes_the_configuration() {
    let Some(seed) = seed_dir("stack") else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let loki = HttpRecorder::start().await;
    fs::create_dir_all(dir.path().join("log/traefik")).expect("folder");
    fs::write(
        dir.path().join("log/traefik/access.log"),
        "{\"status\":\"200\",\"method\":\"GET\",\"path\":\"/\"}\n",
    )
    .expect("write");
    let file = dir.path().join("promtail-config.yml");
    let port = free_port();
    let replace = [
        ("http_listen_port: 9080", format!("http_listen_port: {port}\n  http_listen_address: 127.0.0.1")),
        ("http://loki:3100", loki.url("")),
        ("/tmp/positions.yaml", dir.path().join("positions.yaml").display().to_string()),
        ("/var/log/", format!("{}/log/", dir.path().display())),
    ];
    let replace: Vec<_> = replace.iter().map(|(old, new)| (*old, new.as_str())).collect();
    mapped(&seed.join("promtail/promtail-config.yml"), &file, &replace);
    let mut process =
        Process::start("agentd", &[format!("-config.file={}", file.display())], &[], dir.path());
    let (client, url) = (client(), format!("http://127.0.0.1:{port}"));
    wait_for(&client, &mut process, &format!("{url}/ready")).await;
    let pushed = loki.wait_for(1).await;
    assert_eq!(pushed[0].uri.path(), "/loki/api/v1/push");
    let body = wire::snappy_decompress(&pushed[0].body, 1 << 20).expect("snappy");
    let streams = wire::loki_push::decode(&body.into()).expect("protobuf");
    assert!(
        streams[0].labels.contains("job=\"traefik\"") && streams[0].labels.contains("status=\"200\""),
        "{streams:?}"
    );
    assert!(
        process.output().contains("docker_sd_configs"),
        "a warning about docker_sd_configs: {}",
        process.output()
    );
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxyd_takes_the_configuration_and_guards_prometheus() {
    let Some(seed) = seed_dir("stack") else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let prometheus = HttpRecorder::start().await;
    let dynamic = dir.path().join("dynamic");
    fs::create_dir(&dynamic).expect("folder");
    fs::copy(seed.join("traefik/dynamic/monitoring.yml"), dynamic.join("monitoring.yml")).expect("copy");
    let file = dir.path().join("traefik.yml");
    let (web, websecure, own) = (free_port(), free_port(), free_port());
    let replace = [
        ("\":80\"", format!("\"127.0.0.1:{web}\"")),
        ("\":443\"", format!("\"127.0.0.1:{websecure}\"")),
        ("\":8080\"", format!("\"127.0.0.1:{own}\"")),
        ("/etc/traefik/dynamic", dynamic.display().to_string()),
        ("/letsencrypt/acme.json", dir.path().join("acme.json").display().to_string()),
    ];
    let replace: Vec<_> = replace.iter().map(|(old, new)| (*old, new.as_str())).collect();
    mapped(&seed.join("traefik/traefik.yml"), &file, &replace);
    let arguments =
        [format!("--configFile={}", file.display()), format!("--hosts.prometheus={}", prometheus.address())];
    let mut process = Process::start("proxyd", &arguments, &[], dir.path());
    let resolved = Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .resolve("monitoring.plugged.in", ([127, 0, 0, 1], websecure).into())
        .build()
        .expect("client");
    let url = format!("https://monitoring.plugged.in:{websecure}/prometheus/api/v1/query?query=up");
    let status = eventually("an answer", || {
        assert!(!process.has_ended(), "ended: {}", process.output());
        let (client, url) = (resolved.clone(), url.clone());
        async move {
            client.get(url).send().await.ok().map(|answer| answer.status()).filter(|status| *status != 404)
        }
    })
    .await;
    assert_eq!(status, 401);
    let allowed = resolved.get(&url).basic_auth("admin", Some("secret")).send().await.expect("answer");
    assert_eq!(allowed.status(), 200, "{}", process.output());
    assert_eq!(allowed.headers()["x-frame-options"], "DENY");
    let forwarded = prometheus
        .requests()
        .into_iter()
        .find(|request| request.uri.path() == "/api/v1/query")
        .expect("forwarded");
    assert_eq!(forwarded.headers["x-forwarded-prefix"], "/prometheus");
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uid_takes_the_provisioning_and_seven_dashboards() {
    let Some(seed) = seed_dir("stack") else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let provisioning = dir.path().join("provisioning");
    for folder in ["datasources", "dashboards"] {
        fs::create_dir_all(provisioning.join(folder)).expect("folder");
    }
    fs::copy(
        seed.join("grafana/provisioning/datasources/datasources.yml"),
        provisioning.join("datasources/datasources.yml"),
    )
    .expect("copy");
    let dashboards = seed.join("grafana/dashboards").canonicalize().expect("dashboards");
    mapped(
        &seed.join("grafana/provisioning/dashboards/dashboards.yml"),
        &provisioning.join("dashboards/dashboards.yml"),
        &[("/var/lib/grafana/dashboards", &dashboards.display().to_string())],
    );
    let port = free_port().to_string();
    let (provisioning, data) =
        (provisioning.display().to_string(), dir.path().join("data").display().to_string());
    // The environment of the stack's compose file.
    let environment = [
        ("GF_PATHS_PROVISIONING", provisioning.as_str()),
        ("GF_PATHS_DATA", &data),
        ("GF_SERVER_HTTP_ADDR", "127.0.0.1"),
        ("GF_SERVER_HTTP_PORT", &port),
        ("GF_SERVER_ROOT_URL", "https://monitoring.plugged.in"),
        ("GF_SERVER_DOMAIN", "monitoring.plugged.in"),
        ("GF_SECURITY_ADMIN_USER", "admin"),
        ("GF_SECURITY_ADMIN_PASSWORD", "secret"),
        ("GF_USERS_ALLOW_SIGN_UP", "false"),
        ("GF_INSTALL_PLUGINS", "grafana-clock-panel,grafana-simple-json-datasource"),
        ("GF_AUTH_ANONYMOUS_ENABLED", "false"),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
    ];
    let mut process = Process::start("uid", &[], &environment, dir.path());
    let (client, url) = (client(), format!("http://127.0.0.1:{port}"));
    wait_for(&client, &mut process, &format!("{url}/api/health")).await;
    let found = eventually("seven dashboards", || async {
        let answer = client
            .get(format!("{url}/api/search?type=dash-db"))
            .basic_auth("admin", Some("secret"))
            .send()
            .await
            .ok()?;
        let found: Value = answer.json().await.ok()?;
        (found.as_array()?.len() == 7).then_some(found)
    })
    .await;
    assert!(
        found.as_array().expect("list").iter().all(|entry| entry["folderTitle"] == "Plugged.in"),
        "{found}"
    );
    let sources = client
        .get(format!("{url}/api/datasources"))
        .basic_auth("admin", Some("secret"))
        .send()
        .await
        .expect("answer");
    let sources: Value = sources.json().await.expect("json");
    assert_eq!(sources.as_array().expect("list").len(), 2, "{sources}");
    assert!(
        process.output().contains("GF_INSTALL_PLUGINS"),
        "a warning about GF_INSTALL_PLUGINS: {}",
        process.output()
    );
    process.terminate().await;
}
