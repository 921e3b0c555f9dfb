//! Prometheus' own test scripts and a few of ours for what those leave out: every case passes.

use std::{collections::BTreeMap, fs, path::PathBuf};

use promql::{
    EngineOptions,
    testscript::{CaseReport, Outcome, Runner, default_options, parse},
};

/// Cases that depend on names being dropped at the end of a query, which is not the default.
const NEEDS_DELAYED_NAMES: [(&str, usize); 20] = [
    // Annotations name the metric only where its name is still there.
    ("histograms.test", 1158),
    ("histograms.test", 1163),
    ("histograms.test", 1168),
    ("histograms.test", 1179),
    ("histograms.test", 1184),
    ("histograms.test", 1189),
    ("histograms.test", 1200),
    ("histograms.test", 1205),
    ("histograms.test", 1210),
    ("histograms.test", 1223),
    ("histograms.test", 1228),
    ("histograms.test", 1233),
    ("name_label_dropping.test", 59),
    ("name_label_dropping.test", 64),
    ("name_label_dropping.test", 69),
    ("name_label_dropping.test", 74),
    ("name_label_dropping.test", 89),
    ("name_label_dropping.test", 115),
    ("name_label_dropping.test", 119),
    ("name_label_dropping.test", 123),
];

fn scripts() -> Vec<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut files = files(own);
    if let Some(dir) = testkit::conformance_dir("promql") {
        files.extend(self::files(dir));
    }
    files
}

fn files(dir: PathBuf) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a readable folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scripts found");
    files
}

/// Runs all scripts; the reports by file.
fn run_all(options: &EngineOptions) -> BTreeMap<String, Vec<CaseReport>> {
    let mut reports = BTreeMap::new();
    for file in scripts() {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("a readable script");
        let script = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut runner = Runner::new(options.clone());
        reports.insert(name, script.commands.iter().filter_map(|command| runner.run(command)).collect());
    }
    reports
}

#[test]
fn scripts_pass() {
    let mut problems = Vec::new();
    let mut total = 0;
    for (name, reports) in run_all(&default_options()) {
        let before = problems.len();
        for CaseReport { line, query, outcome } in &reports {
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(text) => problems.push(format!("{name}:{line} {query}: {text}")),
                Outcome::NotSupported(what) => {
                    problems.push(format!("{name}:{line} {query}: not supported: {what}"));
                }
            }
        }
        total += reports.len();
        let failed = problems.len() - before;
        println!("{name}: {} passed, {failed} failed", reports.len() - failed);
    }
    println!("{} passed, {} failed", total - problems.len(), problems.len());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// With names dropped by each function, which is the default, all cases pass that do not ask for the other way.
#[test]
fn scripts_pass_with_default_name_removal() {
    let options = EngineOptions { delayed_name_removal: false, ..default_options() };
    let mut problems = Vec::new();
    for (name, reports) in run_all(&options) {
        for CaseReport { line, query, outcome } in &reports {
            let excepted = NEEDS_DELAYED_NAMES.contains(&(name.as_str(), *line));
            match outcome {
                Outcome::Passed if excepted => {
                    problems.push(format!("{name}:{line} {query}: passes, take it off the list"))
                }
                Outcome::Failed(text) if !excepted => problems.push(format!("{name}:{line} {query}: {text}")),
                _ => {}
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
