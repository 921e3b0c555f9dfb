//! What files mean, and which do not hold.

use std::{path::Path, time::Duration};

use clap::Parser;

use super::{Config, LoadError};
use crate::Flags;

fn flags(arguments: &[&str]) -> Flags {
    let arguments = ["logd"].iter().chain(arguments).map(std::ffi::OsString::from);
    Flags::parse_from(service::normalize_arguments(arguments))
}

fn load(text: &str) -> Result<Config, LoadError> {
    Config::from_text(text, &flags(&["-config.file=a.yml"]))
}

fn refusal(text: &str) -> String {
    service::report(&load(text).expect_err("a mistake"))
}

fn warnings(config: &Config) -> Vec<String> {
    config.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_is_lokis_defaults() {
    let config = load("").expect("valid");
    assert_eq!((config.http_address.as_str(), config.grpc_address.as_deref()), (":3100", Some(":9095")));
    assert!(config.auth_enabled && config.wal_enabled && config.align_steps);
    assert_eq!(config.stores_dir, Path::new("./logstore"));
    assert_eq!((config.retention, config.max_concurrent_queries), (None, 4));
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn keys_have_their_meaning() {
    let text = "
auth_enabled: false
server: {http_listen_address: '::1', http_listen_port: 1, grpc_listen_port: 0, http_path_prefix: /loki/}
common: {path_prefix: /data}
ingester: {max_chunk_age: 1h, wal: {dir: /wal, flush_on_shutdown: true, disk_full_threshold: 0.5}}
compactor: {retention_enabled: true}
limits_config: {retention_period: 360h, max_line_size: 4KB, discover_service_name: [], split_queries_by_interval: 0}
";
    let config = load(text).expect("valid");
    assert_eq!((config.http_address.as_str(), config.grpc_address.as_deref()), ("[::1]:1", None));
    assert_eq!((config.http_path_prefix.as_str(), config.align_steps), ("/loki", false));
    assert_eq!(config.stores_dir, Path::new("/data/logstore"));
    assert_eq!(config.wal_dir.as_deref(), Some(Path::new("/wal")));
    assert_eq!((config.disk_full_threshold, config.flush_on_shutdown), (0.5, true));
    assert_eq!(config.retention, Some(Duration::from_secs(15 * 86_400)));
    assert_eq!(config.max_chunk_age, Duration::from_secs(3600));
    assert_eq!(config.limits.max_line_size.0, 4096);
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn data_lies_by_the_chunks_where_there_is_no_prefix() {
    let at = |text: &str| load(text).expect("valid").stores_dir;
    assert_eq!(at("storage_config: {filesystem: {directory: /a}}"), Path::new("/a/logstore"));
    assert_eq!(at("common: {storage: {filesystem: {chunks_directory: /b}}}"), Path::new("/b/logstore"));
}

#[test]
fn flags_come_before_the_file() {
    let flags = flags(&["-server.http-listen-port=0", "-auth.enabled=false", "-log.level=debug"]);
    let config =
        Config::from_text("server: {http_listen_port: 3100, log_level: warn}", &flags).expect("valid");
    assert_eq!(config.http_address, ":0");
    assert!(!config.auth_enabled);
    assert!(config.shown.contains("log_level: debug"));
}

#[test]
fn the_log_level_is_the_files_where_no_flag_says_one() {
    let options = |arguments: &[&str], text| super::log_options(&flags(arguments), Some(text));
    assert_eq!(options(&[], "server: {log_level: warn, log_format: json}").level, "warn");
    assert_eq!(options(&[], "server: {log_format: json}").format, service::LogFormat::Json);
    assert_eq!(options(&["-log.level=debug"], "server: {log_level: warn}").level, "debug");
    assert_eq!(options(&[], "broken: [").level, "info");
}

#[test]
fn the_environment_is_expanded_on_demand() {
    let flags = flags(&["-config.expand-env=true"]);
    let text = "common: {path_prefix: '${LOGD_TEST_IS_NOT_SET:-/from/default}'}";
    assert_eq!(
        Config::from_text(text, &flags).expect("valid").stores_dir,
        Path::new("/from/default/logstore")
    );
    assert_eq!(
        load(text).expect("valid").stores_dir,
        Path::new("${LOGD_TEST_IS_NOT_SET:-/from/default}/logstore")
    );
}

#[test]
fn mistakes_name_their_place() {
    let check = |text: &str, want: &str| {
        let got = refusal(text);
        assert!(got.starts_with(want), "{text}\n got  {got}\n want {want}");
    };
    check("auth_enabeld: true\n", "a.yml:1:1: unknown field `auth_enabeld`");
    check("server:\n  http_port: 1\n", "a.yml:2:3: server: unknown field `http_port`");
    check("server:\n  http_listen_port: 70000\n", "a.yml:2:21: server.http_listen_port: invalid value");
    check(
        "limits_config:\n  retention_period: 1x\n",
        "a.yml:2:21: limits_config.retention_period: not a valid duration",
    );
    check(
        "limits_config:\n  max_line_size: big\n",
        "a.yml:2:18: limits_config.max_line_size: not a valid size",
    );
    check(
        "schema_config:\n  configs:\n    - form: 2024-01-01\n",
        "a.yml:3:7: schema_config.configs[0]: unknown field `form`",
    );
    check(
        "limits_config: {retention_period: 1h}",
        "a.yml: limits_config.retention_period: must be 0 or at least 24h",
    );
    check(
        "limits_config: {ingestion_rate_mb: -1}",
        "a.yml: limits_config.ingestion_rate_mb: -1 is not a rate",
    );
    check(
        "limits_config: {block_ingestion_until: soon}",
        "a.yml: limits_config.block_ingestion_until: not a time",
    );
    check(
        "ingester: {wal: {disk_full_threshold: 2}}",
        "a.yml: ingester.wal.disk_full_threshold: must be from 0 to 1",
    );
    check("server: {log_format: xml}", "a.yml: server.log_format: \"xml\" is neither logfmt nor json");
    check("no_auth_tenant: a/b", "a.yml: no_auth_tenant: \"a/b\" is not a tenant's name");
    check("server: {http_tls_config: {cert_file: x}}", "a.yml: not supported yet: server.http_tls_config");
}

#[test]
fn no_file_is_told_by_name() {
    let error = Config::load(&flags(&["-config.file=/nowhere/a.yml,/nowhere/b.yml"])).expect_err("no file");
    assert_eq!(
        error.to_string(),
        "/nowhere/a.yml,/nowhere/b.yml does not exist, set -config.file to the configuration file"
    );
}

#[test]
fn what_has_no_effect_is_warned_about() {
    let check = |text: &str, want: &[&str]| assert_eq!(warnings(&load(text).expect(text)), want, "{text}");
    check("target: read", &["target: not supported yet: \"read\": this process runs all parts"]);
    check(
        "storage_config: {aws: {s3: x}, tsdb_shipper: {shared_store: s3}}",
        &[
            "storage_config.aws: not supported yet: the key is accepted and has no effect",
            "storage_config.tsdb_shipper.shared_store: retired: streams are indexed by the log store itself, under common.path_prefix",
        ],
    );
    check(
        "limits_config: {retention_period: 24h}",
        &[
            "limits_config.retention_period: has no effect while compactor.retention_enabled is false: everything is kept",
        ],
    );
    check(
        "runtime_config: {file: x}",
        &["runtime_config: not supported yet: the key is accepted and has no effect"],
    );
    check("memberlist: {join_members: [a]}\nanalytics: {reporting_enabled: true}", &[]);
}

#[test]
fn the_seed_loads_unchanged() {
    let Some(seed) = testkit::seed_dir("stack/loki") else { return };
    let path = seed.join("loki-config.yml");
    let config = Config::load(&flags(&[&format!("-config.file={}", path.display())])).expect("valid");
    assert_eq!((config.http_address.as_str(), config.grpc_address.as_deref()), (":3100", Some(":9096")));
    assert!(!config.auth_enabled);
    assert_eq!(config.stores_dir, Path::new("/loki/logstore"));
    assert_eq!(config.retention, Some(Duration::from_secs(360 * 3600)));
    let limits = &config.limits;
    assert_eq!((limits.ingestion_rate_mb, limits.ingestion_burst_size_mb), (10.0, 20.0));
    assert_eq!((limits.max_entries_limit_per_query, limits.max_streams()), (10_000, 10_000));
    assert_eq!(limits.max_query_lookback.0, Duration::from_secs(720 * 3600));
    let indexed = "retired: streams are indexed by the log store itself, under common.path_prefix";
    assert_eq!(
        warnings(&config),
        [
            "schema_config.configs[0].store: retired: \"boltdb-shipper\": streams are indexed by the log store itself",
            &format!("storage_config.boltdb_shipper: {indexed}"),
            "chunk_store_config.max_look_back_period: retired: limits_config.max_query_lookback holds",
            &format!("compactor.shared_store: {indexed}"),
            "table_manager: retired: retention is compactor.retention_enabled with limits_config.retention_period",
            "ruler: not supported yet: rules on logs are not evaluated",
        ]
    );
}

#[test]
fn lokis_examples_load() {
    let Some(dir) = testkit::conformance_dir("loki-config") else { return };
    let index = std::fs::read_to_string(dir.join("index.tsv")).expect("the index");
    let mut count = 0;
    for line in index.lines().skip(1) {
        let mut columns = line.split('\t');
        let (Some(file), Some(expect)) = (columns.next(), columns.next()) else { continue };
        let outcome = Config::load(&flags(&[&format!("-config.file={}", dir.join(file).display())]));
        assert_eq!(
            outcome.is_ok(),
            expect == "ok",
            "{file}: {:?}",
            outcome.err().map(|error| service::report(&error))
        );
        count += 1;
    }
    assert!(count >= 20, "{count} files are too few");
}

#[test]
fn what_is_shown_loads_again() {
    let config = load("auth_enabled: false\nlimits_config: {max_line_size: 5KB}").expect("valid");
    let again = load(&config.shown).expect("valid");
    assert_eq!((again.auth_enabled, again.limits.max_line_size.0), (false, 5120));
    assert_eq!(again.shown, config.shown);
}
