//! Bringing the series of a script into the storage.

use model::{CounterResetHint, FloatHistogram, Labels, Millis};
use rustc_hash::FxHashMap;

use super::{Load, Point};
use crate::{
    histogram::{Native, is_reset},
    memory::MemoryStorage,
};

pub(super) fn load_into(storage: &mut MemoryStorage, load: &Load) {
    for series in &load.series {
        let mut previous = None;
        for (at, point) in series.points.iter().enumerate() {
            let time = load.step * at as Millis;
            match point {
                Point::Gap => continue,
                Point::Float(value) => {
                    storage.push(&series.labels, time, *value);
                    previous = None;
                }
                Point::Histogram(point) => {
                    let histogram = as_stored(&point.histogram, previous.as_ref());
                    storage.push_histogram(&series.labels, time, histogram.clone());
                    previous = Some(histogram);
                }
            }
            if let Some(Some(start)) = series.starts.get(at) {
                storage.set_start(&series.labels, time, time.saturating_add(*start));
            }
        }
    }
    if load.with_nhcb {
        load_custom_buckets(storage, load);
    }
}

/// The histogram as the time series database gives it back. It knows that there was no reset where a sample continues a chunk; what a
/// sample says of itself is lost unless it is a gauge, and so is what the first sample of a chunk was.
fn as_stored(histogram: &FloatHistogram, previous: Option<&FloatHistogram>) -> FloatHistogram {
    let mut stored = histogram.clone();
    if stored.counter_reset_hint == CounterResetHint::Gauge {
        return stored;
    }
    let said = stored.counter_reset_hint;
    stored.counter_reset_hint = CounterResetHint::Unknown;
    let continues = |previous: &FloatHistogram| {
        previous.counter_reset_hint != CounterResetHint::Gauge
            && said != CounterResetHint::Reset
            && previous.schema == stored.schema
            && previous.zero_threshold == stored.zero_threshold
            && previous.custom_values == stored.custom_values
            && !is_reset(&Native::from(&stored), &Native::from(previous))
    };
    if previous.is_some_and(continues) {
        stored.counter_reset_hint = CounterResetHint::NotReset;
    }
    stored
}

/// Classic histograms as native ones with custom buckets, under the name without `_bucket`, `_count` or `_sum`.
fn load_custom_buckets(storage: &mut MemoryStorage, load: &Load) {
    let mut histograms: FxHashMap<Labels, FxHashMap<usize, Parts>> = FxHashMap::default();
    for series in &load.series {
        let name = series.labels.metric_name();
        let ending =
            ["_bucket", "_sum", "_count"].into_iter().find_map(|part| Some((name.strip_suffix(part)?, part)));
        let Some((base, part)) = ending else { continue };
        let bound = model::parse_float(series.labels.value(model::BUCKET));
        if part == "_bucket" && bound.is_none_or(f64::is_nan) {
            continue;
        }
        let mut builder = series.labels.to_builder();
        builder.set(model::METRIC_NAME, base);
        builder.remove(model::BUCKET);
        let times = histograms.entry(builder.build()).or_default();
        for (at, point) in series.points.iter().enumerate() {
            let Point::Float(value) = point else { continue };
            let parts = times.entry(at).or_default();
            match (part, bound) {
                ("_bucket", Some(bound)) => parts.buckets.push((bound, *value)),
                ("_sum", _) => parts.sum = *value,
                _ => parts.count = Some(*value),
            }
        }
    }
    for (labels, times) in histograms {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_by_key(|(at, _)| *at);
        let mut previous = None;
        for (at, parts) in times {
            let histogram = as_stored(&parts.into_histogram(), previous.as_ref());
            storage.push_histogram(&labels, load.step * at as Millis, histogram.clone());
            previous = Some(histogram);
        }
    }
}

/// What the series of a classic histogram say at one time.
#[derive(Default)]
struct Parts {
    buckets: Vec<(f64, f64)>,
    sum: f64,
    count: Option<f64>,
}

impl Parts {
    fn into_histogram(self) -> FloatHistogram {
        let Self { buckets: mut counts, sum, count } = self;
        counts.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        counts.dedup_by_key(|(bound, _)| *bound);
        let count = count.or(counts.last().map(|(_, count)| *count)).unwrap_or(0.0);
        let mut buckets = Vec::new();
        let mut previous = 0.0;
        for (_, cumulative) in counts.iter().filter(|(bound, _)| *bound < f64::INFINITY) {
            buckets.push(cumulative - previous);
            previous = *cumulative;
        }
        buckets.push(count - previous);
        let length = u32::try_from(buckets.len()).unwrap_or(u32::MAX);
        FloatHistogram {
            schema: model::CUSTOM_BUCKETS_SCHEMA,
            count,
            sum,
            positive_spans: vec![model::Span { offset: 0, length }],
            positive_buckets: buckets,
            custom_values: counts
                .iter()
                .map(|(bound, _)| *bound)
                .filter(|bound| *bound < f64::INFINITY)
                .collect(),
            ..FloatHistogram::default()
        }
    }
}
