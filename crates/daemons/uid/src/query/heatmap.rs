//! Histogram series as rows of a heatmap: one column a bucket, each with its own count.

use std::collections::BTreeMap;

use super::{
    frame::{Column, Field, Frame},
    series::Series,
};

/// A bucket of a histogram: its upper bound, that bound as it is written, and its cumulative counts.
type Bucket = (f64, String, Series);

/// Sorts by the number in `le` and takes the count of the bucket below out of each, histogram by histogram. Series without `le` are
/// columns as they are.
pub(super) fn frame(ref_id: &str, series: Vec<Series>, name: impl Fn(&Series) -> String) -> Frame {
    let mut times: Vec<i64> = series.iter().flat_map(|series| series.times.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let mut histograms: BTreeMap<BTreeMap<String, String>, Vec<Bucket>> = BTreeMap::new();
    for mut series in series {
        let title = series.labels.get("le").cloned().unwrap_or_else(|| name(&series));
        let bound = series.labels.remove("le").and_then(|le| le.parse().ok()).unwrap_or(f64::INFINITY);
        histograms.entry(series.labels.clone()).or_default().push((bound, title, series));
    }
    let mut fields = vec![Field::new("Time", Column::Time(times.clone()))];
    for (labels, mut buckets) in histograms {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = vec![0.0; times.len()];
        for (_, title, series) in buckets {
            let cumulative = spread(&series, &times);
            let counts = cumulative.iter().zip(&below).map(|(upper, lower)| {
                // A scrape between two buckets may leave the upper one behind.
                if upper.is_nan() { f64::NAN } else { (upper - lower).max(0.0) }
            });
            let mut field = Field::new(title, Column::Number(counts.collect()));
            field.labels.clone_from(&labels);
            fields.push(field);
            for (lower, upper) in below.iter_mut().zip(cumulative) {
                if !upper.is_nan() {
                    *lower = upper;
                }
            }
        }
    }
    let mut frame = Frame { ref_id: ref_id.to_owned(), fields, ..Frame::default() };
    frame.meta.insert("type".into(), "heatmap-rows".into());
    frame
}

/// The series' values at these times, which are sorted; NaN where it has none.
fn spread(series: &Series, times: &[i64]) -> Vec<f64> {
    let mut values = vec![f64::NAN; times.len()];
    for (time, value) in series.times.iter().zip(&series.values) {
        if let Ok(at) = times.binary_search(time)
            && let Some(slot) = values.get_mut(at)
        {
            *slot = *value;
        }
    }
    values
}
