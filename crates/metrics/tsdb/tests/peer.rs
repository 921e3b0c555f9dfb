//! The peer's own tool reads what we write, and we read what it writes. Skipped where `promtool` is not installed.

mod common;

use std::{ffi::OsStr, fmt::Write as _, fs, path::Path, process::Command};

use common::*;
use model::Matcher;
use tempfile::TempDir;

/// What promtool prints; none where it is not installed.
fn promtool(args: &[&OsStr]) -> Option<String> {
    let Ok(output) = Command::new("promtool").args(args).output() else {
        eprintln!("skipped: promtool is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {args:?}: {text}{error}");
    Some(text)
}

fn tsdb(command: &str, dir: &Path) -> Option<String> {
    promtool(&["tsdb".as_ref(), command.as_ref(), dir.as_ref()])
}

#[test]
fn promtool_reads_our_folder() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 10, 0, 12 * 60, 60_000);
    db.maintain().unwrap();
    let deleted = [vec![Matcher::equal("instance", "host-9")]];
    db.delete_series(&deleted, 7 * HOUR, 7 * HOUR + 59 * 60_000).unwrap();
    let blocks = db.blocks();
    assert_eq!(blocks.iter().map(|block| block.compaction.level).collect::<Vec<_>>(), [2, 1, 1]);
    let want = query_all(&db);
    drop(db);
    let Some(list) = tsdb("list", dir.path()) else {
        return;
    };
    for block in &blocks {
        let line =
            list.lines().find(|line| line.starts_with(&block.ulid)).unwrap_or_else(|| panic!("{list}"));
        let fields: Vec<_> = line.split_whitespace().collect();
        // ULID, times, duration, samples, chunks, series.
        let samples = block.stats.num_samples.to_string();
        assert!(fields.contains(&samples.as_str()) && fields.contains(&"10"), "{line}");
    }
    if let Some(analysis) = tsdb("analyze", dir.path()) {
        assert!(analysis.contains("Series: 10"), "{analysis}");
    }
    // The dump has blocks and log: every sample of ours, one a line.
    if let Some(dump) = tsdb("dump", dir.path()) {
        let samples: usize = want.iter().map(|(_, columns)| columns.len()).sum();
        assert_eq!(dump.lines().count(), samples);
        let (labels, columns) = &want[3];
        let line = format!("{labels} {} {}", columns.values[400], columns.timestamps[400]);
        assert!(
            dump.lines().any(|dumped| dumped == line),
            "no line {line} in\n{}",
            dump.lines().next().unwrap_or_default()
        );
    }
}

#[test]
fn we_read_promtools_blocks() {
    let dir = TempDir::new().unwrap();
    let (source, blocks) = (dir.path().join("in.om"), dir.path().join("data"));
    let mut text = String::from("# TYPE load gauge\n");
    for host in 0..40 {
        for minute in 0..300 {
            let value = f64::from(host) / 7.0 + f64::from(minute % 13);
            writeln!(text, "load{{host=\"h{host:02}\",job=\"x\"}} {value} {}", minute * 60).unwrap();
        }
    }
    text.push_str("# EOF\n");
    fs::write(&source, text).unwrap();
    let args: [&OsStr; 5] = [
        "tsdb".as_ref(),
        "create-blocks-from".as_ref(),
        "openmetrics".as_ref(),
        source.as_ref(),
        blocks.as_ref(),
    ];
    if promtool(&args).is_none() {
        return;
    }
    let db = open(&blocks);
    assert_eq!(db.blocks().len(), 3);
    let all = query_all(&db);
    assert_eq!(all.len(), 40);
    for (host, (labels, columns)) in all.iter().enumerate() {
        assert_eq!(labels.value("host"), format!("h{host:02}"));
        assert_eq!(columns.timestamps, (0..300).map(|minute| minute * 60_000).collect::<Vec<_>>());
        let want: Vec<_> = (0..300).map(|minute| host as f64 / 7.0 + f64::from(minute % 13)).collect();
        assert_eq!(columns.values, want);
    }
}
