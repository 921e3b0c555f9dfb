use std::fs;

use super::*;

fn load(text: &str) -> Result<Config, String> {
    Config::of(&SourceFile { path: "p.yml".into(), text: text.into() })
        .map_err(|error| service::report(&error))
}

#[test]
fn mistakes_name_their_place() {
    let error = |text: &str| load(text).expect_err(text);
    assert_eq!(
        error("global:\n  scrape_interval: 15x\n"),
        "p.yml:2:20: global.scrape_interval: not a valid duration string: \"15x\""
    );
    assert!(
        error("scrape_configs:\n- job_name: a\n  scrape_intervall: 1s\n")
            .starts_with("p.yml:3:3: scrape_configs[0]: unknown field `scrape_intervall`")
    );
    assert_eq!(
        error("scrape_configs: [{job_name: a}, {job_name: a}]"),
        "p.yml: found multiple scrape configs with job name \"a\""
    );
    assert_eq!(error("scrape_configs: [null]"), "p.yml: empty or null scrape config section");
    assert_eq!(
        error("global: {scrape_interval: 1s, scrape_timeout: 2s}"),
        "p.yml: global scrape timeout greater than scrape interval"
    );
}

#[test]
fn defaults_are_inherited_and_shown() {
    let config = load(
        "global: {scrape_interval: 15s, sample_limit: 5, external_labels: {a: 'x$$y'}}\n\
         scrape_configs: [{job_name: a, basic_auth: {username: u, password: hidden}}, {job_name: b, scrape_interval: 5s}]\n\
         remote_write: [{url: 'http://x'}]",
    )
    .expect("valid");
    assert_eq!(config.jobs[0].interval, Duration::from_secs(15));
    assert_eq!(
        (config.jobs[1].interval, config.jobs[1].timeout),
        (Duration::from_secs(5), Duration::from_secs(5))
    );
    assert_eq!(config.jobs[1].limits.samples, 5);
    assert_eq!(config.external_labels.value("a"), "x$y");
    assert_eq!(
        config.warnings.iter().map(|warning| warning.key.as_str()).collect::<Vec<_>>(),
        ["remote_write"]
    );
    assert!(
        config.shown.contains("scrape_interval: 15s") && config.shown.contains("<secret>"),
        "{}",
        config.shown
    );
    assert!(!config.shown.contains("hidden"));
}

#[test]
fn retention_may_be_a_share_of_the_disk() {
    let config = |share: &str| load(&format!("storage: {{tsdb: {{retention: {{percentage: {share}}}}}}}"));
    for (text, share) in [("0", 0.0), ("12.5", 12.5), ("100", 100.0)] {
        let config = config(text).expect(text);
        assert_eq!(config.retention_percentage, Some(share));
        assert_eq!(config.warnings.iter().count(), 0);
    }
    assert_eq!(
        config("100.5").err().as_deref(),
        Some("p.yml: 'storage.tsdb.retention.percentage' must be in the range [0, 100], got 100.5")
    );
}

#[test]
fn the_running_stacks_own_file_loads() {
    let Some(dir) = testkit::seed_dir("stack/prometheus") else { return };
    let config = Config::load(&dir.join("prometheus.yml")).expect("loads");
    assert_eq!(config.jobs.len(), 12);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

/// Prometheus' own good and bad configurations: what is good loads or is refused by name as not there yet; what is bad is refused.
#[test]
fn conformance_files() {
    let Some(dir) = testkit::conformance_dir("prometheus-config") else { return };
    let mut taken_though_bad = Vec::new();
    let mut refused_though_good = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(dir).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if !name.ends_with(".yml") {
            continue;
        }
        files += 1;
        match Config::load(&path) {
            Ok(config) if name.contains(".bad.") && !names_a_part_not_there_yet(&config) => {
                taken_though_bad.push(name)
            }
            Err(error) if name.contains(".good.") => {
                let text = service::report(&error);
                if !text.contains("not supported yet") && !text.contains("cannot read the file") {
                    refused_though_good.push(format!("{name}: {text}"));
                }
            }
            _ => {}
        }
    }
    assert!(files > 100, "{files}");
    assert!(refused_though_good.is_empty(), "{refused_though_good:#?}");
    taken_though_bad.sort();
    assert_eq!(taken_though_bad, TAKEN_THOUGH_BAD, "{taken_though_bad:#?}");
}

/// Whether a warning says that a section is not looked into yet, so that mistakes in it cannot be seen.
fn names_a_part_not_there_yet(config: &Config) -> bool {
    config.warnings.iter().any(|warning| warning.text.starts_with("not supported yet"))
}

/// Bad only by what is not looked at: bytes that are no UTF-8 behind a `!!binary` tag, a lint of promtool's, and a file that includes one
/// which does not lie beside it.
const TAKEN_THOUGH_BAD: &[&str] = &[
    "labelmap.bad.yml",
    "labelname.bad.yml",
    "promtool-url_in_scrape_targetgroup_with_relabel_config.bad.yml",
    "scrape_config_files_global_duplicate.bad.yml",
];
