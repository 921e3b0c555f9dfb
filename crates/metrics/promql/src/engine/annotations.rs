//! Warnings and infos that go with an answer, in Prometheus' words.

use model::{Millis, quote};
use rustc_hash::FxHashMap;

use crate::syntax::Span;

/// The most different annotations kept for a query; one a metric name is possible.
const MAX_ANNOTATIONS: usize = 1000;

/// What a reader of the answer should know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Note {
    InvalidQuantile(f64),
    InvalidRatio { got: f64, capped: f64 },
    BadBucketLabel { metric: String, label: String },
    MixedFloatsHistograms { metric: String },
    MixedFloatsHistogramsInAggregation,
    MixedClassicNative { metric: String },
    SortInRangeQuery,
    PossibleNonCounter { metric: String },
    ForcedMonotonicity(Monotonicity),
    IncompatibleTypes { left: &'static str, op: &'static str, right: &'static str },
    HistogramIgnoredInAggregation { aggregation: &'static str },
    HistogramIgnoredInRange { metric: String },
    NativeNotCounter { metric: String },
    NativeNotGauge { metric: String },
    MixedExponentialCustom { metric: String },
    IncompatibleBuckets { op: &'static str },
    ConflictingResets { operation: &'static str },
    MismatchedBounds { operation: &'static str },
    QuantileNanResult { metric: String },
    QuantileNanSkew { metric: String },
    FractionNan { metric: String },
    StartTimeOverlap { metric: String, occurrences: usize },
}

/// How bucket counts were bent to rise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Monotonicity {
    pub(crate) metric: String,
    pub(crate) first: Millis,
    pub(crate) last: Millis,
    pub(crate) least_bucket: f64,
    pub(crate) greatest_bucket: f64,
    pub(crate) greatest_diff: f64,
    pub(crate) samples: usize,
}

/// A note and where in the query it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Annotation {
    note: Note,
    span: Span,
}

/// All notes of a query, each text once.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    notes: Vec<Annotation>,
    by_text: FxHashMap<String, usize>,
}

impl Annotations {
    pub(crate) fn add(&mut self, note: Note, span: Span) {
        let text = note.text();
        if let Some(at) = self.by_text.get(&text) {
            match (&mut self.notes[*at].note, note) {
                (Note::ForcedMonotonicity(have), Note::ForcedMonotonicity(new)) => have.merge(&new),
                (
                    Note::StartTimeOverlap { occurrences, .. },
                    Note::StartTimeOverlap { occurrences: more, .. },
                ) => *occurrences += more,
                _ => {}
            }
            return;
        }
        if self.notes.len() < MAX_ANNOTATIONS {
            self.by_text.insert(text, self.notes.len());
            self.notes.push(Annotation { note, span });
        }
    }

    pub(crate) fn into_notes(self) -> Vec<Annotation> {
        self.notes
    }
}

impl Annotation {
    pub(crate) fn is_warning(&self) -> bool {
        self.note.is_warning()
    }

    /// The text with its position in `query`.
    pub(crate) fn text(&self, query: &str) -> String {
        let details = match &self.note {
            Note::ForcedMonotonicity(monotonicity) => monotonicity.details(),
            Note::StartTimeOverlap { occurrences: more @ 2.., .. } => format!(" ({more} occurrences)"),
            _ => String::new(),
        };
        format!("{}{details} ({})", self.note.text(), self.span.position(query))
    }
}

impl Note {
    fn is_warning(&self) -> bool {
        match self {
            Self::InvalidQuantile(_)
            | Self::InvalidRatio { .. }
            | Self::BadBucketLabel { .. }
            | Self::MixedFloatsHistograms { .. }
            | Self::MixedFloatsHistogramsInAggregation
            | Self::MixedClassicNative { .. }
            | Self::NativeNotCounter { .. }
            | Self::NativeNotGauge { .. }
            | Self::MixedExponentialCustom { .. }
            | Self::IncompatibleBuckets { .. }
            | Self::ConflictingResets { .. }
            | Self::StartTimeOverlap { .. }
            | Self::SortInRangeQuery => true,
            Self::PossibleNonCounter { .. }
            | Self::ForcedMonotonicity(_)
            | Self::IncompatibleTypes { .. }
            | Self::HistogramIgnoredInAggregation { .. }
            | Self::MismatchedBounds { .. }
            | Self::QuantileNanResult { .. }
            | Self::QuantileNanSkew { .. }
            | Self::FractionNan { .. }
            | Self::HistogramIgnoredInRange { .. } => false,
        }
    }

    /// The text without position; what makes two notes the same.
    fn text(&self) -> String {
        let kind = if self.is_warning() { "PromQL warning" } else { "PromQL info" };
        format!("{kind}: {}", self.message())
    }

    fn message(&self) -> String {
        match self {
            Self::InvalidQuantile(phi) => {
                format!("quantile value should be between 0 and 1, got {}", general(*phi))
            }
            Self::InvalidRatio { got, capped } => {
                let (got, capped) = (general(*got), general(*capped));
                format!("ratio value should be between -1 and 1, got {got}, capping to {capped}")
            }
            Self::BadBucketLabel { metric, label } => {
                let label = quote(label);
                with_metric(
                    format!("bucket label \"le\" is missing or has a malformed value of {label}"),
                    metric,
                )
            }
            Self::MixedFloatsHistograms { metric } => {
                format!("encountered a mix of histograms and floats for metric name {}", quote(metric))
            }
            Self::MixedFloatsHistogramsInAggregation => {
                "encountered a mix of histograms and floats for aggregation".to_owned()
            }
            Self::MixedClassicNative { metric } => {
                with_metric("vector contains a mix of classic and native histograms".to_owned(), metric)
            }
            Self::SortInRangeQuery => {
                "sort is ineffective for range queries since results are always ordered by labels".to_owned()
            }
            Self::PossibleNonCounter { metric } => format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                quote(metric)
            ),
            Self::ForcedMonotonicity(monotonicity) => with_metric(
                "input to histogram_quantile needed to be fixed for monotonicity (see \
                 https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
                    .to_owned(),
                &monotonicity.metric,
            ),
            Self::IncompatibleTypes { left, op, right } => format!(
                "incompatible sample types encountered for binary operator {}: {left} {op} {right}",
                quote(op)
            ),
            Self::HistogramIgnoredInAggregation { aggregation } => {
                format!("ignored histogram in {aggregation} aggregation")
            }
            Self::NativeNotCounter { metric } => {
                format!("this native histogram metric is not a counter: {}", quote(metric))
            }
            Self::NativeNotGauge { metric } => {
                format!("this native histogram metric is not a gauge: {}", quote(metric))
            }
            Self::MixedExponentialCustom { metric } => format!(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {}",
                quote(metric)
            ),
            Self::IncompatibleBuckets { op } => {
                format!("incompatible bucket layout encountered for binary operator {op}")
            }
            Self::ConflictingResets { operation } => {
                format!("conflicting counter resets during histogram {operation}")
            }
            Self::MismatchedBounds { operation } => {
                format!("mismatched custom buckets were reconciled during {operation}")
            }
            Self::QuantileNanResult { metric } => with_metric(
                "input to histogram_quantile has NaN observations, result is NaN".to_owned(),
                metric,
            ),
            Self::QuantileNanSkew { metric } => with_metric(
                "input to histogram_quantile has NaN observations, result is skewed higher".to_owned(),
                metric,
            ),
            Self::FractionNan { metric } => with_metric(
                "input to histogram_fraction has NaN observations, which are excluded from all fractions"
                    .to_owned(),
                metric,
            ),
            Self::StartTimeOverlap { metric, .. } => format!(
                "sample has start time that overlaps with previous sample timestamp for metric {}",
                quote(metric)
            ),
            Self::HistogramIgnoredInRange { metric } => format!(
                "ignored histograms in a range containing both floats and histograms for metric name {}",
                quote(metric)
            ),
        }
    }
}

impl Monotonicity {
    fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.least_bucket = self.least_bucket.min(other.least_bucket);
        self.greatest_bucket = self.greatest_bucket.max(other.greatest_bucket);
        self.greatest_diff = self.greatest_diff.max(other.greatest_diff);
        self.samples += other.samples;
    }

    fn details(&self) -> String {
        let time = |millis: Millis| {
            jiff::Timestamp::from_second(millis.div_euclid(1000))
                .map_or_else(|_| millis.to_string(), |t| t.to_string())
        };
        format!(
            ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
            general(self.least_bucket),
            general(self.greatest_bucket),
            two_digits(self.greatest_diff),
            self.samples,
            time(self.first),
            time(self.last),
        )
    }
}

fn with_metric(text: String, metric: &str) -> String {
    if metric.is_empty() { text } else { format!("{text} for metric name {}", quote(metric)) }
}

/// Go's `%g`: as many digits as tell the number from its neighbours, an exponent below 1e-4 and from 1e6 on.
fn general(value: f64) -> String {
    with_digits(value, &format!("{value:e}"), 6)
}

/// Go's `%.2g`: two significant digits, an exponent below 1e-4 and from 100 on.
fn two_digits(value: f64) -> String {
    with_digits(value, &format!("{value:.1e}"), 2)
}

/// The digits of `scientific`, with an exponent where it is below -4 or at least `from`.
fn with_digits(value: f64, scientific: &str, from: i32) -> String {
    if !value.is_finite() {
        return model::format_value(value);
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if (-4..from).contains(&exponent) {
        let behind = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
        return without_zeros(format!("{value:.*}", usize::try_from(behind).unwrap_or(0)));
    }
    let mantissa = without_zeros(mantissa.to_owned());
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn without_zeros(decimal: String) -> String {
    match decimal.contains('.') {
        true => decimal.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => decimal,
    }
}

#[cfg(test)]
mod tests {
    use super::{Annotations, Note, general, two_digits};
    use crate::syntax::Span;

    #[test]
    fn each_text_once_with_its_first_position() {
        let mut annotations = Annotations::default();
        for start in [2, 4] {
            annotations.add(Note::InvalidQuantile(f64::NAN), Span::new(start, 9));
        }
        let notes = annotations.into_notes();
        assert_eq!(notes.len(), 1);
        assert_eq!(
            notes[0].text("x\nyz"),
            "PromQL warning: quantile value should be between 0 and 1, got NaN (2:1)"
        );
    }

    #[test]
    fn numbers_as_go_prints_them() {
        let check = |value: f64, want: &str| assert_eq!(general(value), want);
        check(0.0, "0");
        check(-0.0, "-0");
        check(-1.5, "-1.5");
        check(0.1 + 0.2, "0.30000000000000004");
        check(0.0001, "0.0001");
        check(0.00012345, "0.00012345");
        check(0.00001, "1e-05");
        check(123_456.0, "123456");
        check(999_999.5, "999999.5");
        check(1_000_000.0, "1e+06");
        check(1_234_567.8, "1.2345678e+06");
        check(-1e100, "-1e+100");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn two_significant_digits() {
        let check = |value: f64, want: &str| assert_eq!(two_digits(value), want);
        check(5.0, "5");
        check(0.123, "0.12");
        check(12.4, "12");
        check(123.0, "1.2e+02");
        check(0.00001, "1e-05");
    }
}
