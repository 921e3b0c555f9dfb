//! Samples that queries find something in: made from the queries themselves, the same in each run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use model::{Labels, METRIC_NAME, MatchOp, Matcher, Millis};
use promql::{
    memory::MemoryStorage,
    syntax::{Expr, ExprKind, VectorSelector},
};

/// The first sample is not before this moment.
pub const BEGIN: Millis = 1_700_000_000_000;
/// About how far samples lie apart.
const INTERVAL: Millis = 30_000;
/// How many there are.
const SAMPLES: usize = 140;
/// Series a selector finds at least, where its conditions let it.
const WITNESSES: usize = 2;

const BOUNDS: [&str; 6] = ["0.05", "0.1", "0.5", "1", "2.5", "+Inf"];

/// Values that matchers of common labels are satisfied by.
const CANDIDATES: [&str; 24] = [
    "200", "500", "404", "2xx", "5xx", "GET", "POST", "eth0", "sda", "ext4", "/", "true", "false", "1",
    "0.5", "0.9", "0.99", "user", "idle", "running", "node1", "default", "a", "",
];

/// What is known of a metric from the queries.
#[derive(Default)]
struct Metric {
    /// Labels that its series have beside those of a selector.
    labels: BTreeSet<String>,
    /// The conditions of each selector.
    selectors: BTreeSet<Vec<(String, String)>>,
    is_counter: bool,
}

/// Samples, and the same as text.
pub struct Data {
    pub storage: MemoryStorage,
    pub text: String,
    pub series: usize,
}

/// Makes data in which all these queries find something.
pub fn generate(queries: &[Expr]) -> Data {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for query in queries {
        let grouping = grouping(query);
        visit(query, "", &mut |selector, function| {
            let names = samples_of(selector.matchers.iter().filter(|matcher| matcher.name() == METRIC_NAME));
            // Prometheus 2 knows no others.
            for name in names.into_iter().filter(|name| model::is_legacy_metric_name(name)) {
                let metric = metrics.entry(name).or_default();
                let counters = ["rate", "irate", "increase", "resets"];
                metric.is_counter |= counters.contains(&function);
                let usable = grouping
                    .iter()
                    .filter(|label| model::is_legacy_label_name(label) && *label != METRIC_NAME);
                metric.labels.extend(usable.cloned());
                for witness in 0..WITNESSES {
                    metric.selectors.insert(conditions(selector, witness));
                }
            }
        });
    }
    let mut all = BTreeMap::new();
    for (name, metric) in &metrics {
        for labels in series_of(name, metric) {
            let is_counter = metric.is_counter
                || ["_total", "_sum", "_count", "_bucket"].iter().any(|ending| name.ends_with(ending));
            all.insert(labels, is_counter);
        }
    }
    fill(all)
}

/// Calls `each` for all selectors, with the function around them.
fn visit<'e>(expr: &'e Expr, function: &'e str, each: &mut impl FnMut(&'e VectorSelector, &'e str)) {
    match &expr.kind {
        ExprKind::Selector(selector) => each(selector, function),
        ExprKind::Matrix(matrix) => each(&matrix.selector, function),
        ExprKind::Call(call) => call.args.iter().for_each(|arg| visit(arg, call.function.name, each)),
        _ => expr.children().into_iter().for_each(|child| visit(child, "", each)),
    }
}

/// All labels that a query groups or matches by.
fn grouping(expr: &Expr) -> BTreeSet<String> {
    let mut labels = BTreeSet::from(["instance".to_owned(), "job".to_owned()]);
    expr.walk(&mut |expr| match &expr.kind {
        ExprKind::Aggregate(aggregate) => labels.extend(aggregate.grouping.iter().cloned()),
        ExprKind::Binary(binary) => {
            if let Some(matching) = &binary.matching {
                labels.extend(matching.labels.iter().chain(&matching.include).cloned());
            }
        }
        ExprKind::Call(call) if call.function.name.starts_with("histogram_") => {
            labels.insert("le".to_owned());
        }
        _ => {}
    });
    labels
}

/// Values that satisfy all these matchers: all alternatives where a pattern lists some.
fn samples_of<'m>(matchers: impl Iterator<Item = &'m Matcher>) -> Vec<String> {
    let matchers: Vec<&Matcher> = matchers.collect();
    let mut found = Vec::new();
    for matcher in &matchers {
        match matcher.op() {
            MatchOp::Equal => found.push(matcher.value().to_owned()),
            MatchOp::Regex => found.extend(alternatives(matcher.value())),
            MatchOp::NotEqual | MatchOp::NotRegex => {}
        }
    }
    if found.is_empty() {
        found.extend(CANDIDATES.map(str::to_owned));
    }
    found.retain(|value| !value.is_empty() && matchers.iter().all(|matcher| matcher.matches(value)));
    found
}

/// Texts that a pattern may match: its alternatives with repetitions made short. They are tried before they are used.
fn alternatives(pattern: &str) -> Vec<String> {
    let pattern = pattern.trim_start_matches("(?i)").trim_start_matches('^').trim_end_matches('$');
    let inner = match pattern.strip_prefix('(').and_then(|pattern| pattern.strip_suffix(')')) {
        Some(inner) if !inner.contains(['(', ')']) => inner,
        _ => pattern,
    };
    let short = |text: &str| {
        let text = text.replace(".*", "").replace(".+", "x").replace("[0-9]+", "1").replace("\\d+", "1");
        let text = text.replace("[a-z]+", "a").replace("[^/]+", "x").replace("\\.", ".").replace("..", "00");
        text.replace(['(', ')', '\\', '?', '^', '$', '+'], "")
    };
    inner.split('|').chain([pattern]).map(short).collect()
}

/// Labels of a series that the selector finds. Witnesses differ where they may.
fn conditions(selector: &VectorSelector, witness: usize) -> Vec<(String, String)> {
    let names: BTreeSet<&str> = selector.matchers.iter().map(Matcher::name).collect();
    let mut pairs = Vec::new();
    for name in names.into_iter().filter(|name| *name != METRIC_NAME) {
        let matchers: Vec<&Matcher> =
            selector.matchers.iter().filter(|matcher| matcher.name() == name).collect();
        let usual = usual(name, witness);
        let values = match matchers.iter().all(|matcher| matcher.matches(&usual)) {
            true => vec![usual],
            false => samples_of(matchers.into_iter()),
        };
        if let Some(value) = values.get(witness % values.len().max(1))
            && model::is_legacy_label_name(name)
        {
            pairs.push((name.to_owned(), value.clone()));
        }
    }
    pairs
}

/// The value of a label that nobody cares about: the same in all metrics, so that series pair up.
fn usual(name: &str, witness: usize) -> String {
    match (name, witness) {
        ("mode", 0) => "user".to_owned(),
        ("mode", _) => "idle".to_owned(),
        ("quantile", 0) => "0.5".to_owned(),
        ("quantile", _) => "0.99".to_owned(),
        ("job", _) => "job-0".to_owned(),
        _ => format!("{name}-{witness}"),
    }
}

fn series_of(name: &str, metric: &Metric) -> BTreeSet<Labels> {
    let mut all = BTreeSet::new();
    for (at, selector) in metric.selectors.iter().enumerate() {
        let mut labels = BTreeMap::from([(METRIC_NAME.to_owned(), name.to_owned())]);
        for label in &metric.labels {
            labels.insert(label.clone(), usual(label, at % WITNESSES));
        }
        labels.extend(selector.iter().cloned());
        let buckets = name.ends_with("_bucket");
        if labels.remove("le").is_some() && !buckets {
            labels.insert("le".to_owned(), "1".to_owned());
        }
        let bounds = if buckets { &BOUNDS[..] } else { &[""] };
        for bound in bounds {
            let mut labels = labels.clone();
            if buckets {
                labels.insert("le".to_owned(), (*bound).to_owned());
            }
            all.insert(Labels::from_pairs(
                labels.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            ));
        }
    }
    all
}

/// Gives each series its samples. Times lie on no grid.
fn fill(all: BTreeMap<Labels, bool>) -> Data {
    let series = all.len();
    let (mut storage, mut text) = (MemoryStorage::new(), String::new());
    for (labels, is_counter) in all {
        let mut random = Random::new(&labels);
        let bucket = BOUNDS.iter().position(|bound| *bound == labels.value("le"));
        // The buckets of a histogram grow together: what they share is drawn from the labels without `le`.
        let mut shared = Random::new(&labels.filter(|name| name != "le"));
        let shift = (shared.next() % 19_000) as Millis;
        let intermittent = labels.metric_name().contains("intermittent");
        let mut value = shared.next() as f64 % 1000.0;
        let labels_text = text_of(&labels);
        for at in 0..SAMPLES {
            let step = shared.next();
            let gap = shared.next().is_multiple_of(40) || intermittent && (at / 10) % 2 == 1;
            value = match (is_counter, bucket) {
                (_, Some(bucket)) => value + (step % 30) as f64 * (bucket + 1) as f64,
                // Now and then a counter begins anew.
                (true, None) if step.is_multiple_of(60) => (step % 7) as f64,
                (true, None) => value + (step % 1000) as f64 / 8.0,
                (false, None) => (step % 2000) as f64 / 16.0 - 5.0,
            };
            // Milliseconds that are no multiple of 100: never where a range begins or ends.
            let jitter = (random.next() % 97 + 1) as Millis;
            let time = BEGIN + at as Millis * INTERVAL + shift / 100 * 100 + jitter;
            if !gap {
                storage.push(&labels, time, value);
                writeln!(text, "{labels_text} {value} {}.{:03}", time / 1000, time % 1000).unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    Data { storage, text, series }
}

fn text_of(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != METRIC_NAME)
        .map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{name}=\"{value}\"")
        })
        .collect();
    format!("{}{{{}}}", labels.metric_name(), pairs.join(","))
}

/// Numbers that look random and depend on a series only.
struct Random(u64);

impl Random {
    fn new(labels: &Labels) -> Self {
        // FNV-1a: no seed but the text.
        let seed = labels.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}
