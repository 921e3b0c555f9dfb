//! `stackctl tsdb` as a user runs it, and `promtool tsdb` beside it where that is installed.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use model::Labels;
use prometheus_client::registry::Registry;
use storage::{Appendable, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const MINUTE: i64 = 60_000;

/// Seven hours of six series: two blocks, and the rest in the log.
fn database(dir: &Path) {
    let db = Db::open(DbOptions::new(dir), &mut Registry::default()).unwrap();
    for minute in 0..7 * 60 {
        let mut appender = db.appender();
        for series in 0..6 {
            let (name, host) = (format!("metric_{}", series % 2), format!("host-{series}"));
            let labels = Labels::from_pairs([("__name__", &name), ("host", &host)]);
            appender.append(SeriesRef::UNKNOWN, &labels, minute * MINUTE, minute as f64 / 8.0).unwrap();
        }
        appender.commit().unwrap();
    }
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 2);
}

fn blocks(dir: &Path) -> Vec<PathBuf> {
    let mut blocks: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("meta.json").is_file() && path.extension().is_none())
        .collect();
    blocks.sort();
    blocks
}

fn stackctl(arguments: &[&OsStr]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stackctl")).args(arguments).output().unwrap()
}

fn tsdb(what: &[&str], dir: &Path) -> (bool, String) {
    let mut arguments: Vec<&OsStr> = vec!["tsdb".as_ref()];
    arguments.extend(what.iter().map(OsStr::new));
    arguments.push(dir.as_ref());
    let output = stackctl(&arguments);
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

/// What promtool prints; none where it is not installed.
fn promtool(what: &[&str], dir: &Path) -> Option<String> {
    let Ok(output) = Command::new("promtool").arg("tsdb").args(what).arg(dir).output() else {
        eprintln!("skipped: promtool is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Lines in an order that does not depend on how equal figures are sorted.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn prints_what_promtool_prints() {
    let dir = TempDir::new().unwrap();
    database(dir.path());
    for what in [&["list"][..], &["list", "--human-readable"], &["dump"], &["dump", "--min-time=3600000"]] {
        let (good, ours) = tsdb(what, dir.path());
        assert!(good, "{ours}");
        if let Some(theirs) = promtool(what, dir.path()) {
            assert_eq!(sorted(&ours), sorted(&theirs), "{what:?}");
        }
    }
    let (good, ours) = tsdb(&["analyze"], dir.path());
    assert!(good && ours.contains("Total Series: 6\n"), "{ours}");
    if let Some(theirs) = promtool(&["analyze"], dir.path()) {
        // Since version 2.43 the line has this name.
        let theirs = theirs.replace("\nSeries: ", "\nTotal Series: ");
        assert_eq!(sorted(&ours), sorted(&theirs));
    }
    assert!(
        !fs::read_dir(dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("sandbox") })
    );
}

#[test]
fn selectors_and_block_ids_narrow_an_analysis() {
    let dir = TempDir::new().unwrap();
    database(dir.path());
    let (good, text) = tsdb(&["analyze", "--match={__name__=\"metric_1\"}", "--limit=1"], dir.path());
    assert!(good && text.contains("Matched series: 3\n"), "{text}");
    assert!(text.contains("Highest cardinality metric names:\n3 metric_1\n"), "{text}");
    let output = stackctl(&[
        "tsdb".as_ref(),
        "analyze".as_ref(),
        dir.path().as_ref(),
        "01ARZ3NDEKTSV4RRFFQ69G5FAV".as_ref(),
    ]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no block 01ARZ3NDEKTSV4RRFFQ69G5FAV in"));
}

#[test]
fn answers_to_the_name_promtool() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    database(&data);
    let link = dir.path().join("promtool");
    symlink(env!("CARGO_BIN_EXE_stackctl"), &link).unwrap();
    let output = Command::new(&link).args(["tsdb", "list"]).arg(&data).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("BLOCK ULID ") && text.lines().count() == 3, "{text}");
    let output = Command::new(&link).args(["tsdb", "repair"]).arg(&data).output().unwrap();
    assert!(!output.status.success(), "promtool has no such command");
}

#[test]
fn repair_says_what_it_would_do_and_does_it_when_asked() {
    let dir = TempDir::new().unwrap();
    database(dir.path());
    let (good, text) = tsdb(&["repair"], dir.path());
    assert!(good && text.ends_with("nothing to repair\n"), "{text}");

    let (_, before) = tsdb(&["dump"], dir.path());
    let [first, second] = &blocks(dir.path())[..] else { panic!("two blocks") };
    // All of one block's index, and the table of contents of the other's.
    fs::write(first.join("index"), b"nothing").unwrap();
    let index = fs::read(second.join("index")).unwrap();
    fs::write(second.join("index"), &index[..index.len() - 10]).unwrap();
    let (good, text) = tsdb(&["list"], dir.path());
    assert!(!good && text.matches("cannot open block").count() == 2, "{text}");

    let (good, text) = tsdb(&["repair"], dir.path());
    assert!(!good && text.contains("Nothing was changed"), "{text}");
    assert!(text.contains("would be written anew with 6 series"), "{text}");
    assert!(text.contains("nothing of it can be read: would be set aside"), "{text}");
    assert_eq!(blocks(dir.path()).len(), 2, "nothing was changed");

    let (good, text) = tsdb(&["repair", "--write"], dir.path());
    assert!(good && text.matches(".damaged\n").count() == 2, "{text}");
    let (good, text) = tsdb(&["repair"], dir.path());
    assert!(good, "{text}");
    let (good, text) = tsdb(&["list"], dir.path());
    assert!(good && text.lines().count() == 2, "{text}");
    // Two of seven hours are lost.
    let (_, after) = tsdb(&["dump"], dir.path());
    assert_eq!(after.lines().count() + 6 * 120, before.lines().count());
}

#[test]
fn a_folder_in_use_is_not_changed() {
    let dir = TempDir::new().unwrap();
    database(dir.path());
    let db = Db::open(DbOptions::new(dir.path()), &mut Registry::default()).unwrap();
    let (good, text) = tsdb(&["repair", "--write"], dir.path());
    assert!(!good && text.contains("stop the process that uses the folder first"), "{text}");
    let (good, _) = tsdb(&["list"], dir.path());
    assert!(good, "looking is allowed");
    drop(db);
}
