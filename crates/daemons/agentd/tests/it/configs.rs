//! Other people's configuration files.

use std::{fs, path::Path};

use agentd::{App, Options, Overrides, load};
use service::{Frame, report};

/// Builds an agent with a file; returns what it warns of.
async fn build(path: &Path) -> Result<Vec<String>, String> {
    let overrides = Overrides { disable_server: true, ..Overrides::default() };
    let settings = load(path, false, &overrides).map_err(|error| report(&error))?;
    let source = agentd::Source::File { path: path.to_owned(), expand_env: false };
    App::new(Options { source, overrides }, Frame::default()).await.map_err(|error| report(&*error))?;
    Ok(settings.warnings().iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn our_users_own_file_loads_unchanged() {
    let Some(dir) = testkit::seed_dir("stack/promtail") else { return };
    let warnings = build(&dir.join("promtail-config.yml")).await.expect("loads");
    assert_eq!(
        warnings,
        [
            "scrape_configs[0].docker_sd_configs: not supported yet: docker_sd_configs in scrape config \"docker\""
        ]
    );
}

/// Files that are refused, and why.
const REFUSED: &[(&str, &str)] = &[];

#[tokio::test]
async fn promtails_example_files_load() {
    let Some(dir) = testkit::conformance_dir("promtail-config") else { return };
    let index = fs::read_to_string(dir.join("index.tsv")).expect("readable");
    let folder = tempfile::tempdir().expect("a folder");
    let (mut failures, mut count) = (Vec::new(), 0);
    for line in index.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(name), Some(expect), note) =
            (fields.next(), fields.next(), fields.next().unwrap_or_default())
        else {
            continue;
        };
        count += 1;
        let text = fs::read_to_string(dir.join(name)).expect(name);
        let path = folder.path().join("config.yaml");
        fs::write(&path, whole_file(&text, note)).expect("written");
        let outcome = build(&path).await;
        let listed = REFUSED.iter().find(|(file, _)| *file == name);
        match (outcome, listed) {
            (Ok(_), None) => assert_eq!(expect, "ok", "{name}"),
            (Ok(_), Some(_)) => failures.push(format!("{name}: loads now, take it off the list")),
            (Err(error), Some((_, why))) if error.contains(why) => {}
            (Err(error), _) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(count > 60, "only {count} files");
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

/// Fragments of documentation pages as files.
fn whole_file(text: &str, note: &str) -> String {
    let clients = "clients: [{url: 'http://localhost:3100/loki/api/v1/push'}]\n";
    let indented = |by: &str| text.lines().map(|line| format!("{by}{line}\n")).collect::<String>();
    let is_pipeline = text.trim_start().starts_with("pipeline_stages:");
    let key =
        |key: &str| format!("{clients}scrape_configs:\n  - job_name: x\n    {key}:\n{}", indented("      "));
    match note {
        "pipeline" if text.starts_with("- action:") => key("relabel_configs"),
        "pipeline" if text.starts_with("kubernetes_sd_configs:") => {
            format!("{clients}scrape_configs:\n  - job_name: x\n{}", indented("    "))
        }
        "pipeline" if !is_pipeline => {
            format!("{clients}scrape_configs:\n  - job_name: x\n    pipeline_stages:\n{}", indented("      "))
        }
        "pipeline" | "" if is_pipeline => {
            format!("{clients}scrape_configs:\n  - job_name: x\n{}", indented("    "))
        }
        "scrape_job" if text.trim_start().starts_with('-') => {
            format!("{clients}scrape_configs:\n{}", indented("  "))
        }
        "scrape_job" => format!("{clients}scrape_configs:\n  -\n{}", indented("    ")),
        "scrape_configs" if text.trim_start().starts_with('-') => {
            format!("{clients}scrape_configs:\n{}", indented("  "))
        }
        "scrape_configs" if !text.contains("clients:") => format!("{clients}{text}"),
        _ => text.to_owned(),
    }
}

#[tokio::test]
async fn mistakes_name_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    let clients = "clients: [{url: 'http://x/push'}]\n";
    for (text, want) in [
        ("server: {http_port: 1}\n".to_owned(), "a.yaml:1:10: server: unknown field `http_port`"),
        ("scrape_configs: [{job_name: a}]\n".into(), "clients: at least one client config must be provided"),
        (
            format!(
                "{clients}scrape_configs: [{{job_name: a, relabel_configs: [{{action: keep, regex: '('}}]}}]\n"
            ),
            "scrape_configs[0].relabel_configs[0]: invalid regex",
        ),
        (
            format!("{clients}scrape_configs: [{{job_name: a, pipeline_stages: [{{geoip: {{}}}}]}}]\n"),
            "not supported yet: stage geoip",
        ),
        (
            format!("{clients}scrape_configs: [{{job_name: a, pipeline_stages: [{{nonsense: {{}}}}]}}]\n"),
            "scrape_configs[0] (a): pipeline_stages[0]: invalid nonsense stage config: unknown stage type",
        ),
        (
            "clients: [{url: 'ftp://x'}]\n".into(),
            "clients[0]: url scheme \"ftp\" is none of http, https and grpc",
        ),
        ("clients: [{url: 'http://x', oauth2: {client_id: a}}]\n".into(), "not supported yet: oauth2"),
        (
            "integrations: {node: {enabled: true, flags: {collector.zfs: true}}}\n".into(),
            "not supported yet: node_exporter's collector `zfs`",
        ),
    ] {
        fs::write(&path, &text).expect("written");
        let error = build(&path).await.expect_err(&text);
        assert!(error.contains(want), "{error}\n  should say: {want}");
    }
}
