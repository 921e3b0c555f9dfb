//! What is asked: what dashboards, alerts and their editors ask for, from a selector of one series to histograms over all of them.

use bytes::Bytes;
use http::Request;

use crate::load::{Plan, STEP};

/// A question to the HTTP API.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// What it is called in tables.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// An expression at the end of the span.
    Instant(&'static str),
    /// An expression all along the span, with so many seconds between its points.
    Range(&'static str, u32),
    /// A path of the API, with a selector.
    Metadata(&'static str, Option<&'static str>),
}

/// The time that is asked about, seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: i64,
    end: i64,
}

/// The question that is asked for the memory that it takes.
pub const HEAVIEST: Question = range(
    "range: histogram quantile by path (heavy)",
    60,
    "histogram_quantile(0.99, sum by (path, le) (rate(http_request_duration_seconds_bucket[5m])))",
);

/// All questions, in the order of the table.
///
/// The points of a subquery are on whole minutes, which are times of samples, whenever it is asked: an offset takes its windows off them.
pub const QUESTIONS: [Question; 32] = [
    instant("instant: one series", r#"up{instance="10.1.0.1:9100"}"#),
    instant("instant: sum of up by job", "sum by (job) (up)"),
    instant("instant: count of all names", r#"count by (__name__) ({job=~".+"})"#),
    instant(
        "instant: selector with regular expressions",
        r#"http_requests_total{path=~"/api/v1/.*",status!~"2..",env="staging"}"#,
    ),
    instant("instant: rate by status", "sum by (status) (rate(http_requests_total[5m]))"),
    instant("instant: topk of rates", "topk(10, sum by (instance) (rate(http_requests_total[5m])))"),
    instant(
        "instant: share of errors",
        r#"sum by (job) (rate(http_requests_total{status="500"}[5m])) / sum by (job) (rate(http_requests_total[5m]))"#,
    ),
    instant("instant: group_left", "process_resident_memory_bytes * on (instance, job) group_left () up"),
    instant(
        "instant: histogram quantile by job",
        "histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))",
    ),
    instant(
        "instant: max_over_time of 50 minutes",
        "max by (job) (max_over_time(process_resident_memory_bytes[50m]))",
    ),
    instant(
        "instant: subquery",
        r#"max_over_time(sum(rate(http_requests_total{job="cart"}[5m] offset 7s))[30m:1m])"#,
    ),
    instant("instant: absent", r#"absent(up{job="nope"})"#),
    instant("instant: predict_linear", "topk(5, predict_linear(app_queue_depth[30m], 3600))"),
    instant(
        "instant: label_replace",
        r#"sum by (host) (label_replace(up, "host", "$1", "instance", "([^:]+):.*"))"#,
    ),
    range("range: one series", 15, r#"go_goroutines{instance="10.1.0.1:9100"}"#),
    range("range: a series of each target", 60, "go_goroutines"),
    range("range: sum of a gauge by job", 15, "sum by (job) (process_resident_memory_bytes)"),
    range("range: rate of all", 30, "sum(rate(http_requests_total[5m]))"),
    range("range: rate by job and status", 30, "sum by (job, status) (rate(http_requests_total[5m]))"),
    range(
        "range: rate of one job by path",
        15,
        r#"sum by (path) (rate(http_requests_total{job="cart"}[5m]))"#,
    ),
    range(
        "range: histogram quantile of one job",
        15,
        r#"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="cart"}[5m])))"#,
    ),
    HEAVIEST,
    range(
        "range: busy CPUs by instance",
        60,
        r#"1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))"#,
    ),
    range(
        "range: share of cache hits",
        30,
        "sum by (job) (rate(app_cache_hits_total[5m])) / (sum by (job) (rate(app_cache_hits_total[5m])) + sum by (job) (rate(app_cache_misses_total[5m])))",
    ),
    range("range: topk of avg_over_time", 60, "topk(5, avg_over_time(go_memstats_heap_inuse_bytes[10m]))"),
    range("range: quantile by job", 30, "quantile by (job) (0.9, go_goroutines)"),
    range(
        "range: subquery of deriv",
        60,
        r#"max_over_time(deriv(app_queue_depth{job="cart"}[5m] offset 7s)[15m:1m])"#,
    ),
    range(
        "range: increase of paths by regular expression",
        60,
        r#"sum by (path) (increase(http_requests_total{path=~"/api/v1/(items|orders).*",status=~"5.."}[5m]))"#,
    ),
    metadata("API: values of instance", "label/instance/values", None),
    metadata("API: values of path, one job", "label/path/values", Some(r#"http_requests_total{job="cart"}"#)),
    metadata("API: names of labels", "labels", None),
    metadata("API: series of one job", "series", Some(r#"http_requests_total{job="cart"}"#)),
];

/// How far from the end of the data the first point of a range is at least, so that its windows are full.
const LEAD: i64 = 600;

const fn instant(name: &'static str, expression: &'static str) -> Question {
    Question { name, kind: Kind::Instant(expression) }
}

const fn range(name: &'static str, step: u32, expression: &'static str) -> Question {
    Question { name, kind: Kind::Range(expression, step) }
}

const fn metadata(name: &'static str, path: &'static str, selector: Option<&'static str>) -> Question {
    Question { name, kind: Kind::Metadata(path, selector) }
}

impl Span {
    /// All of a load but its first minutes; `shift` seconds after the times of samples, if it is not 0.
    pub fn of(plan: Plan, shift: i64) -> Self {
        let step = STEP / 1000;
        let (first, last) = (plan.start() / 1000, plan.end / 1000);
        // Of a short load some is left as well.
        let lead = LEAD.min((last - first) / 2) / step * step;
        let end = if shift == 0 { last } else { last - step + shift };
        Self { start: (first + lead + shift).min(end), end }
    }
}

impl Question {
    /// The request that asks it.
    pub fn request(&self, span: Span) -> anyhow::Result<Request<Bytes>> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let Span { start, end } = span;
        let path = match self.kind {
            Kind::Instant(expression) => {
                query.append_pair("query", expression).append_pair("time", &end.to_string());
                "query"
            }
            Kind::Range(expression, step) => {
                query.append_pair("query", expression).append_pair("step", &step.to_string());
                "query_range"
            }
            Kind::Metadata(path, selector) => {
                query.extend_pairs(selector.map(|selector| ("match[]", selector)));
                path
            }
        };
        if !matches!(self.kind, Kind::Instant(_)) {
            query.append_pair("start", &start.to_string()).append_pair("end", &end.to_string());
        }
        // For VictoriaMetrics, which otherwise moves times to its own grid.
        query.append_pair("nocache", "1");
        Ok(Request::get(format!("/api/v1/{path}?{}", query.finish())).body(Bytes::new())?)
    }

    /// What is asked, for people.
    pub fn text(&self) -> String {
        match self.kind {
            Kind::Instant(expression) => format!("`{expression}`"),
            Kind::Range(expression, step) => format!("`{expression}`, every {step} s"),
            Kind::Metadata(path, None) => format!("`/api/v1/{path}`"),
            Kind::Metadata(path, Some(selector)) => format!("`/api/v1/{path}` of `{selector}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::load::names;

    const PLAN: Plan = Plan { series: 250, steps: 240, end: 1_750_000_005_000, seed: 1 };

    #[test]
    fn names_are_different_and_the_heaviest_is_among_them() {
        let seen: HashSet<_> = QUESTIONS.iter().map(|question| question.name).collect();
        assert_eq!(seen.len(), QUESTIONS.len());
        assert!(seen.contains(HEAVIEST.name));
    }

    #[test]
    fn metrics_that_are_asked_for_are_loaded() {
        let known = names();
        let metric = |word: &str| word.contains('_') && word.ends_with(|last: char| last.is_alphabetic());
        let functions = [
            "group_left",
            "histogram_quantile",
            "label_replace",
            "avg_over_time",
            "max_over_time",
            "predict_linear",
            "__name__",
        ];
        for question in QUESTIONS {
            let (Kind::Instant(text) | Kind::Range(text, _) | Kind::Metadata(_, Some(text))) = question.kind
            else {
                continue;
            };
            let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            for word in words.filter(|word| metric(word) && !functions.contains(word)) {
                assert!(known.iter().any(|name| name == word), "{word} of `{text}`");
            }
        }
    }

    #[test]
    fn spans_are_on_the_grid_or_off_it() {
        let first = PLAN.end / 1000 - 239 * 15;
        assert_eq!(Span::of(PLAN, 0), Span { start: first + 600, end: PLAN.end / 1000 });
        assert_eq!(Span::of(PLAN, 7), Span { start: first + 607, end: PLAN.end / 1000 - 8 });
        for steps in 1..50 {
            for shift in [0, 7] {
                let Span { start, end } = Span::of(Plan { steps, ..PLAN }, shift);
                assert!(start <= end, "{steps} steps");
                assert_eq!(end.rem_euclid(15), (PLAN.end / 1000 + shift).rem_euclid(15));
            }
        }
    }

    #[test]
    fn requests_have_their_parameters() {
        let span = Span { start: 100, end: 200 };
        let of = |question: Question| question.request(span).unwrap().uri().to_string();
        assert_eq!(
            of(instant("", "a{b=\"c\"}")),
            "/api/v1/query?query=a%7Bb%3D%22c%22%7D&time=200&nocache=1"
        );
        let want = "/api/v1/query_range?query=a&step=30&start=100&end=200&nocache=1";
        assert_eq!(of(range("", 30, "a")), want);
        assert_eq!(of(metadata("", "labels", None)), "/api/v1/labels?start=100&end=200&nocache=1");
        let want = "/api/v1/series?match%5B%5D=a&start=100&end=200&nocache=1";
        assert_eq!(of(metadata("", "series", Some("a"))), want);
    }
}
