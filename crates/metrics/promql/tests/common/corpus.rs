//! Expressions that people use: of dashboards, rule files and the compliance test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A query and the file it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expression {
    pub query: String,
    pub source: String,
}

/// What stands for a variable that is no duration.
const PLACEHOLDER: &str = "X";

/// Files whose expressions are not meant to be PromQL, or not meant to be read at all.
const OTHERS: [&str; 7] =
    ["logql-", "loki_basic", "loki_multiple", ".bad.", "bad-", "rules-bad", "invalid_rules"];

/// The expressions of all panels under `dir` that do not ask Loki, with Grafana's variables filled in; each once.
pub fn dashboards(dir: &Path) -> BTreeSet<Expression> {
    let mut found = BTreeSet::new();
    for (file, text) in files(dir, &["json"]) {
        let value: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        let mut queries = BTreeSet::new();
        panels(&value, false, &mut queries);
        found.extend(queries.into_iter().map(|query| Expression { query, source: file.clone() }));
    }
    found
}

/// The expressions of all rule files under `dir`.
pub fn rules(dir: &Path) -> BTreeSet<Expression> {
    let mut found = BTreeSet::new();
    for (file, text) in files(dir, &["yml", "yaml"]) {
        // A file may hold several documents, and some are wrong on purpose.
        let documents = text.split("\n---\n").filter_map(|text| serde_yaml::from_str(text).ok());
        let mut queries = BTreeSet::new();
        documents.for_each(|document: serde_yaml::Value| groups(&document, &mut queries));
        found.extend(queries.into_iter().map(|query| Expression { query, source: file.clone() }));
    }
    found
}

/// The expanded queries of the compliance test, and whether they have to fail.
pub fn compliance(dir: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(dir.join("compliance-queries.yml")).expect("a readable file");
    let value: serde_yaml::Value = serde_yaml::from_str(&text).expect("valid YAML");
    let cases = value.get("test_cases").and_then(serde_yaml::Value::as_sequence).expect("test cases");
    let mut queries = Vec::new();
    for case in cases {
        let query = case.get("query").and_then(serde_yaml::Value::as_str).expect("a query");
        let should_fail = case.get("should_fail").and_then(serde_yaml::Value::as_bool) == Some(true);
        let query = query.replace("{{ .", "{{.").replace(" }}", "}}");
        queries.extend(variants(query).into_iter().map(|query| (query, should_fail)));
    }
    queries
}

/// The files under `dir` with these endings, by their path in it.
fn files(dir: &Path, extensions: &[&str]) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&extension) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let name = |path: &Path| path.strip_prefix(dir).unwrap_or(path).display().to_string();
    let wanted = paths.iter().filter(|path| !OTHERS.iter().any(|other| name(path).contains(other)));
    wanted.map(|path| (name(path), fs::read_to_string(path).expect("a readable file"))).collect()
}

fn panels(value: &serde_json::Value, loki: bool, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            let source = map.get("datasource").map(ToString::to_string).unwrap_or_default().to_lowercase();
            let loki = if source.is_empty() || source == "null" { loki } else { source.contains("loki") };
            if let Some(serde_json::Value::String(expr)) = map.get("expr")
                && !(loki || expr.contains("|=") || expr.trim().is_empty())
            {
                found.insert(fill_variables(expr));
            }
            map.values().for_each(|value| panels(value, loki, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| panels(value, loki, found)),
        _ => {}
    }
}

fn groups(value: &serde_yaml::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_yaml::Value::Mapping(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    (Some("expr"), Some(expr)) if !expr.trim().is_empty() => {
                        found.insert(expr.to_owned());
                    }
                    _ => groups(value, found),
                }
            }
        }
        serde_yaml::Value::Sequence(list) => list.iter().for_each(|value| groups(value, found)),
        _ => {}
    }
}

/// Grafana's variables stand for durations in brackets and for texts elsewhere.
fn fill_variables(expr: &str) -> String {
    let mut out = String::new();
    let mut rest = expr;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = match rest.starts_with('{') {
            true => rest.find('}').map_or(rest.len(), |end| end + 1),
            false => rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len()),
        };
        let name = &rest[..end];
        let duration = name.contains("interval") || name.contains("range") || out.ends_with(['[', ':']);
        out.push_str(match () {
            () if end == 0 => "$",
            () if duration => "5m",
            () => PLACEHOLDER,
        });
        rest = &rest[end..];
    }
    out + rest
}

/// The values of the compliance test's variables.
const VARIANTS: [(&str, &[&str]); 16] = [
    ("range", &["1s", "15s", "1m", "5m", "15m", "1h"]),
    ("offset", &["1m", "5m", "10m"]),
    ("simpleAggrOp", &["sum", "avg", "max", "min", "count", "stddev", "stdvar"]),
    ("simpleTimeAggrOp", &["sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last"]),
    ("topBottomOp", &["topk", "bottomk"]),
    ("quantile", &["-0.5", "0.1", "0.5", "0.75", "0.95", "0.90", "0.99", "1", "1.5"]),
    ("arithBinOp", &["+", "-", "*", "/", "%", "^"]),
    ("compBinOp", &["==", "!=", "<", ">", "<=", ">="]),
    ("binOp", &["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">="]),
    ("simpleMathFunc", &["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round"]),
    ("extrapolatedRateFunc", &["delta", "rate", "increase"]),
    ("clampFunc", &["clamp_min", "clamp_max"]),
    ("instantRateFunc", &["idelta", "irate"]),
    ("dateFunc", &["day_of_month", "day_of_week", "days_in_month", "hour", "minute", "month", "year"]),
    ("smoothingFactor", &["0.1", "0.5", "0.8"]),
    ("trendFactor", &["0.1", "0.5", "0.8"]),
];

fn variants(query: String) -> Vec<String> {
    let mut queries = vec![query];
    for (name, values) in VARIANTS {
        let placeholder = format!("{{{{.{name}}}}}");
        queries = queries
            .into_iter()
            .flat_map(|query| match query.contains(&placeholder) {
                true => values.iter().map(|value| query.replace(&placeholder, value)).collect(),
                false => vec![query],
            })
            .collect();
    }
    queries
}
