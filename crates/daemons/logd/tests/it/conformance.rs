//! The recorded answers of Loki 3.7.6, asked by the scripts beside them.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use crate::support::Logd;

/// The scripts compress with a package that a test machine may not have; this stands in for it. Snappy's format allows blocks that
/// are not compressed at all, and what the script sends as Zstandard is refused by its name.
const COMPRESSION: &str = r#"
class snappy:
    @staticmethod
    def compress_raw(data):
        size, head = len(data), bytearray()
        while size > 127:
            head.append(size & 127 | 128)
            size >>= 7
        head.append(size)
        for at in range(0, len(data), 60):
            part = data[at:at + 60]
            head.append((len(part) - 1) << 2)
            head += part
        return bytes(head)


class zstd:
    @staticmethod
    def compress(data):
        return b"\x28\xb5\x2f\xfd" + data
"#;

/// Runs a script against the daemon and returns what failed, or `None` where there is no Python.
async fn failures(dir: &Path, logd: &Logd, arguments: &[&str]) -> Option<(Vec<String>, String)> {
    let modules = tempfile::tempdir().expect("a folder");
    std::fs::write(modules.path().join("cramjam.py"), COMPRESSION).expect("written");
    let output = Command::new("python3")
        .arg(dir.join("check.py"))
        .args(["--url", &format!("http://{}", logd.address)])
        .args(arguments)
        .current_dir(dir)
        .env("PYTHONPATH", modules.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .await;
    let Ok(output) = output else {
        eprintln!("skipped: no python3 to run the script");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(" passed, "), "{text}{errors}");
    let failed = text.lines().filter_map(|line| line.strip_prefix("FAIL "));
    let mut failed: Vec<String> =
        failed.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
    failed.sort();
    Some((failed, text))
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_are_taken_and_refused_as_in_loki() {
    let Some(dir) = testkit::conformance_dir("loki-push") else { return };
    let sections = "
limits_config: {reject_old_samples: false, max_line_size: 4KB, max_label_name_length: 64, max_label_value_length: 128, max_label_names_per_series: 8,
  max_structured_metadata_size: 2KB, max_structured_metadata_entries_count: 16, discover_log_levels: false, discover_service_name: [], max_query_length: 0}
ingester: {max_chunk_age: 100000h}
";
    let logd = Logd::start(sections).await;
    let Some((failed, text)) = failures(&dir, &logd, &["-v"]).await else { return };
    // OTLP is not there yet.
    let known = [
        "otlp-attrs",
        "otlp-broken",
        "otlp-empty",
        "otlp-map-body",
        "otlp-no-body",
        "otlp-observed-time",
        "otlp-resource",
        "otlp-string",
        "otlp-type-text",
    ];
    assert_eq!(failed, known, "{text}");
    logd.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_answered_as_in_loki() {
    let Some(dir) = testkit::conformance_dir("logql") else { return };
    let sections = "
limits_config: {reject_old_samples: false, discover_log_levels: false, discover_service_name: [], enable_multi_variant_queries: true, max_query_length: 0,
  ingestion_rate_mb: 100, ingestion_burst_size_mb: 100}
";
    let logd = Logd::start(sections).await;
    let Some((failed, text)) = failures(&dir, &logd, &["--push", "-v"]).await else { return };
    // What Loki gets wrong: see the same list, with reasons, in the query engine's tests.
    let known = ["instant-278", "instant-362", "log-097", "log-149", "range-277"];
    assert_eq!(failed, known, "{text}");
    logd.stop().await;
}
