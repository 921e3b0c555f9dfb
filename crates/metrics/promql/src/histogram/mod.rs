//! Computing with native histograms.
//!
//! [`model::FloatHistogram`] keeps buckets as runs without gaps, which is how they are stored. Computing needs them by index: [`Native`] is
//! that form. Converting drops empty buckets, so that equal histograms are equal however they were laid out.

mod arithmetic;
mod buckets;
mod quantile;
mod reset;
mod size;
mod stats;
mod text;
mod trim;

#[cfg(test)]
mod tests;

use model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Span};

pub(crate) use arithmetic::{AddNotes, HistogramSum};
pub use buckets::{HistogramBucket, histogram_buckets};
pub(crate) use quantile::{HistogramNote, fraction, quantile, variance};
pub(crate) use reset::is_reset;
pub(crate) use size::{samples, samples_in, samples_of};
pub(crate) use stats::keep_stats;
pub(crate) use text::histogram_text;
pub(crate) use trim::Trim;

/// A native histogram with its buckets by index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Native {
    pub(crate) hint: CounterResetHint,
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: f64,
    pub(crate) count: f64,
    pub(crate) sum: f64,
    /// Index and count, indices ascending.
    pub(crate) positive: Vec<(i32, f64)>,
    pub(crate) negative: Vec<(i32, f64)>,
    pub(crate) custom_values: Vec<f64>,
}

/// A bucket by its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: f64,
}

impl Native {
    pub(crate) fn uses_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// The upper bound of a positive bucket.
    pub(crate) fn bound(&self, index: i32) -> f64 {
        if !self.uses_custom_buckets() {
            return exponential_bound(index, self.schema);
        }
        match usize::try_from(index) {
            Err(_) => f64::NEG_INFINITY,
            Ok(index) => self.custom_values.get(index).copied().unwrap_or(f64::INFINITY),
        }
    }

    /// The positive buckets, ascending.
    pub(crate) fn positive_bounds(&self) -> impl DoubleEndedIterator<Item = Bounds> + '_ {
        self.positive.iter().map(|(index, count)| Bounds {
            lower: self.bound(index.saturating_sub(1)),
            upper: self.bound(*index),
            count: *count,
        })
    }

    /// The negative buckets, from zero down.
    pub(crate) fn negative_bounds(&self) -> impl DoubleEndedIterator<Item = Bounds> + '_ {
        self.negative.iter().map(|(index, count)| Bounds {
            lower: -self.bound(*index),
            upper: -self.bound(index.saturating_sub(1)),
            count: *count,
        })
    }

    /// All buckets in ascending order, cut where the zero bucket reaches into them.
    pub(crate) fn all_bounds(&self) -> Vec<Bounds> {
        let threshold = self.zero_threshold;
        let cut = |mut bounds: Bounds| {
            if bounds.upper < 0.0 && bounds.upper > -threshold {
                bounds.upper = -threshold;
            } else if bounds.lower > 0.0 && bounds.lower < threshold {
                bounds.lower = threshold;
            }
            bounds
        };
        let zero = (self.zero_count > 0.0).then_some(Bounds {
            lower: -threshold,
            upper: threshold,
            count: self.zero_count,
        });
        self.negative_bounds().rev().map(cut).chain(zero).chain(self.positive_bounds().map(cut)).collect()
    }

    /// Lowers the resolution; finer schemas than the present one change nothing.
    pub(crate) fn reduce(&mut self, schema: i32) {
        if self.uses_custom_buckets() || schema >= self.schema {
            return;
        }
        let shift = (self.schema - schema).clamp(0, 31);
        for side in [&mut self.positive, &mut self.negative] {
            for (index, _) in side.iter_mut() {
                *index = ((*index - 1) >> shift) + 1;
            }
            side.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
        }
        self.schema = schema;
    }
}

impl From<&FloatHistogram> for Native {
    fn from(histogram: &FloatHistogram) -> Self {
        Self {
            hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            positive: indexed(&histogram.positive_spans, &histogram.positive_buckets),
            negative: indexed(&histogram.negative_spans, &histogram.negative_buckets),
            custom_values: histogram.custom_values.clone(),
        }
    }
}

impl From<Native> for FloatHistogram {
    fn from(native: Native) -> Self {
        let (positive_spans, positive_buckets) = spans(&native.positive);
        let (negative_spans, negative_buckets) = spans(&native.negative);
        Self {
            counter_reset_hint: native.hint,
            schema: native.schema,
            zero_threshold: native.zero_threshold,
            zero_count: native.zero_count,
            count: native.count,
            sum: native.sum,
            positive_spans,
            positive_buckets,
            negative_spans,
            negative_buckets,
            custom_values: native.custom_values,
        }
    }
}

fn indexed(spans: &[Span], buckets: &[f64]) -> Vec<(i32, f64)> {
    let mut counts = buckets.iter();
    let mut indexed = Vec::with_capacity(buckets.len());
    let mut next: i32 = 0;
    'spans: for span in spans {
        next = next.saturating_add(span.offset);
        for _ in 0..span.length {
            let Some(count) = counts.next() else { break 'spans };
            if *count != 0.0 {
                indexed.push((next, *count));
            }
            next = next.saturating_add(1);
        }
    }
    indexed
}

fn spans(indexed: &[(i32, f64)]) -> (Vec<Span>, Vec<f64>) {
    let mut spans: Vec<Span> = Vec::new();
    let mut buckets = Vec::new();
    let mut end = 0;
    for (index, count) in indexed.iter().filter(|(_, count)| *count != 0.0) {
        match spans.last_mut() {
            Some(span) if *index == end => span.length += 1,
            _ => spans.push(Span { offset: index.saturating_sub(end), length: 1 }),
        }
        end = index.saturating_add(1);
        buckets.push(*count);
    }
    (spans, buckets)
}

/// 2^(index / 2^schema); the bound of the last finite bucket is the greatest number there is.
fn exponential_bound(index: i32, schema: i32) -> f64 {
    let exponent =
        if schema < 0 { f64::from(index) * 2f64.powi(-schema) } else { f64::from(index) / 2f64.powi(schema) };
    if exponent == 1024.0 { f64::MAX } else { exponent.exp2() }
}
