//! A range query gives what instant queries give at its steps, for any data.

#[path = "common/answers.rs"]
mod answers;

use answers::{Times, instants, range};
use model::STALE_NAN;
use prometheus_client::registry::Registry;
use promql::{
    Engine, EngineOptions,
    memory::{MemoryStorage, series_labels},
    syntax::ParserOptions,
};
use proptest::prelude::*;

const SECOND: i64 = 1000;
/// From, to, step: neither of them a multiple of the distance between samples.
const TIMES: Times = (7 * SECOND, 900 * SECOND, 37 * SECOND);

/// Queries of each kind of operator, over `m_total` and `g` with the labels `i` and `job`.
const QUERIES: [&str; 49] = [
    "m_total",
    "m_total offset 1m",
    "m_total @ 300",
    "-m_total",
    "abs(g - 50)",
    "round(g, 7)",
    "clamp(g, 10, time() / 10)",
    "timestamp(m_total)",
    "minute(m_total)",
    "rate(m_total[2m])",
    "increase(m_total[90s] offset 30s)",
    "delta(g[5m])",
    "irate(m_total[3m])",
    "idelta(g[1m])",
    "resets(m_total[5m])",
    "changes(g[5m])",
    "deriv(g[4m])",
    "predict_linear(g[4m], 60)",
    "avg_over_time(g[2m])",
    "sum_over_time(g[2m])",
    "min_over_time(g[2m])",
    "max_over_time(g[2m])",
    "count_over_time(m_total[2m])",
    "stddev_over_time(g[2m])",
    "quantile_over_time(0.7, g[3m])",
    "last_over_time(g[20s])",
    "present_over_time(g[20s])",
    "absent_over_time(g{i=\"1\"}[20s])",
    "absent(g{i=\"1\"})",
    "max_over_time(rate(m_total[1m])[5m:30s])",
    "sum_over_time(g[3m:] offset 1m)",
    "sum by (job) (m_total)",
    "avg without (i) (g)",
    "quantile(0.3, g)",
    "stdvar(g)",
    "count(g > 30)",
    "topk by (job) (1, g)",
    "bottomk(2, m_total)",
    "count_values(\"v\", round(g, 25))",
    "g / on (i, job) m_total",
    "g > bool ignoring (x) m_total",
    "g * on (job) group_left sum by (job) (m_total)",
    "g and m_total",
    "m_total or g offset 5m",
    "g unless on (i) (m_total > 100)",
    "scalar(sum(g)) + m_total",
    // The same labels, of which one has a name, or none, at different times.
    "g or -(g offset 3m)",
    "last_over_time((g or -(g offset 3m))[2m:30s])",
    "rate((m_total or -(m_total offset 3m))[4m:30s])",
];

/// Values of one series, one each 10 s; what is not there is a gap.
fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        6 => (0..100u8).prop_map(|value| Some(f64::from(value))),
        1 => Just(None),
        1 => Just(Some(STALE_NAN)),
        1 => Just(Some(f64::NAN)),
    ];
    prop::collection::vec(value, 0..90)
}

fn storage(series: &[Vec<Option<f64>>]) -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    for (at, values) in series.iter().enumerate() {
        let name = if at % 2 == 0 { "m_total" } else { "g" };
        let (i, job) = ((at / 2).to_string(), if at % 4 < 2 { "a" } else { "b" });
        let labels = series_labels(name, [("i", i.as_str()), ("job", job)]);
        for (step, value) in values.iter().enumerate() {
            if let Some(value) = value {
                storage.push(&labels, step as i64 * 10 * SECOND, *value);
            }
        }
    }
    storage
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn range_queries_are_instant_queries(series in prop::collection::vec(values(), 8), delayed_name_removal in any::<bool>()) {
        let options = EngineOptions { syntax: ParserOptions::all(), delayed_name_removal, ..EngineOptions::default() };
        let engine = Engine::new(options, &mut Registry::default());
        let storage = storage(&series);
        for query in QUERIES {
            let (range, instants) = (range(&engine, &storage, query, TIMES), instants(&engine, &storage, query, TIMES));
            match (range, instants) {
                (Ok(range), Ok(instants)) => {
                    prop_assert_eq!(range.len(), instants.len(), "{}", query);
                    for (place, value) in &range {
                        prop_assert_eq!(instants.get(place), Some(value), "{} {:?}", query, place);
                    }
                }
                (range, instants) => prop_assert_eq!(range.is_err(), instants.is_err(), "{}", query),
            }
        }
    }
}
