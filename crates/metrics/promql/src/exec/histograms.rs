//! `histogram_quantile` and its kin, over classic buckets and native histograms alike.

use std::sync::Arc;

use model::{BUCKET, FloatHistogram, Labels, parse_float};
use rustc_hash::FxHashMap;
use vector::Row;

use super::{Column, Done, Executor, Series, Sink};
use crate::{
    engine::{
        EngineError,
        annotations::{Monotonicity, Note},
        budget::Memory,
    },
    functions::buckets::{self, Bucket},
    histogram::{self, HistogramNote, Native},
    plan::{Quantiles, Scalar, Vector},
    syntax::Span,
};

/// One histogram: classic buckets, whose bounds are sorted once, or native samples.
struct Histogram {
    /// The labels without `le`.
    labels: Labels,
    /// Upper bound and counts of each bucket.
    buckets: Vec<(f64, Row)>,
    native: Vec<(usize, Arc<FloatHistogram>)>,
}

/// What is asked of each histogram at each step.
enum Question<'a> {
    Quantile(&'a Column),
    Fraction(&'a Column, &'a Column),
}

impl Executor<'_> {
    pub(super) fn quantiles(&self, quantiles: &Quantiles, sink: Sink<'_>) -> Done {
        let mut phis = Vec::new();
        for (phi, span) in &quantiles.phis {
            let column = self.scalar(phi)?;
            for value in column.distinct().iter().filter(|value| !(0.0..=1.0).contains(*value)) {
                self.context.annotations.lock().add(Note::InvalidQuantile(*value), *span);
            }
            phis.push(column);
        }
        let histograms = self.histograms(&quantiles.input)?;
        let mut names = self.name_removal();
        for phi in &phis {
            for histogram in &histograms {
                let mut output = self.answer(histogram, &Question::Quantile(phi), quantiles.input.span);
                if output.is_empty() {
                    continue;
                }
                if let Some(label) = &quantiles.label {
                    output.labels = with_quantile(&output.labels, label, phi.at(0));
                }
                names.remove(&mut output)?;
                sink(output)?;
            }
        }
        Ok(())
    }

    pub(super) fn fraction(&self, lower: &Scalar, upper: &Scalar, input: &Vector, sink: Sink<'_>) -> Done {
        let (lower, upper) = (self.scalar(lower)?, self.scalar(upper)?);
        let mut names = self.name_removal();
        for histogram in self.histograms(input)? {
            let mut output = self.answer(&histogram, &Question::Fraction(&lower, &upper), input.span);
            if !output.is_empty() {
                names.remove(&mut output)?;
                sink(output)?;
            }
        }
        Ok(())
    }

    fn answer(&self, histogram: &Histogram, question: &Question<'_>, span: Span) -> Series {
        let mut output = Series::empty(histogram.labels.clone(), self.steps.count());
        for (step, native) in &histogram.native {
            let native = Native::from(&**native);
            let (value, note) = match question {
                Question::Quantile(phi) => histogram::quantile(phi.at(*step), &native),
                Question::Fraction(lower, upper) => {
                    histogram::fraction(lower.at(*step), upper.at(*step), &native)
                }
            };
            output.floats.set(*step, value);
            if let Some(note) = note {
                self.note_nan(note, &histogram.labels, span);
            }
        }
        let mut scratch = Vec::new();
        for step in 0..self.steps.count() {
            if !histogram.buckets_at(step, &mut scratch) {
                continue;
            }
            if histogram.native.binary_search_by_key(&step, |(step, _)| *step).is_ok() {
                // Both at once: neither is believed.
                output.floats.unset(step);
                let metric = self.name_in_notes(&histogram.labels);
                self.context.annotations.lock().add(Note::MixedClassicNative { metric }, span);
                continue;
            }
            let value = match question {
                Question::Quantile(phi) => {
                    let (value, bent) = buckets::quantile(phi.at(step), &mut scratch);
                    if let Some(bent) = bent {
                        self.note_bent(bent, &histogram.labels, step, span);
                    }
                    value
                }
                Question::Fraction(lower, upper) => {
                    buckets::fraction(lower.at(step), upper.at(step), &mut scratch)
                }
            };
            output.floats.set(step, value);
        }
        output
    }

    /// The histograms of a vector, in order of first appearance.
    fn histograms(&self, input: &Vector) -> Result<Vec<Histogram>, EngineError> {
        let mut index: FxHashMap<Labels, usize> = FxHashMap::default();
        let mut histograms: Vec<Histogram> = Vec::new();
        let mut paid = Memory::default();
        self.vector(input, &mut |series| {
            let memory = series.memory();
            self.context.budget.charge(memory)?;
            paid = paid + memory;
            let mut entry = |labels: Labels| {
                *index.entry(labels).or_insert_with_key(|labels| {
                    histograms.push(Histogram {
                        labels: labels.clone(),
                        buckets: Vec::new(),
                        native: Vec::new(),
                    });
                    histograms.len() - 1
                })
            };
            let native = (!series.histograms.is_empty()).then(|| entry(series.labels.clone()));
            let bound = series.labels.value(BUCKET);
            let classic = match parse_float(bound) {
                Some(bound) => Some((bound, entry(series.labels.filter(|name| name != BUCKET)))),
                None if series.floats.is_empty() => None,
                None => {
                    let (metric, label) = (self.name_in_notes(&series.labels), bound.to_owned());
                    let note = Note::BadBucketLabel { metric, label };
                    self.context.annotations.lock().add(note, input.span);
                    None
                }
            };
            if let Some(at) = native {
                histograms[at].native.extend(series.histograms);
            }
            if let Some((bound, at)) = classic {
                histograms[at].buckets.push((bound, series.floats));
            }
            Ok(())
        })?;
        self.context.budget.release(paid);
        for histogram in &mut histograms {
            histogram.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
        Ok(histograms)
    }

    /// Names are known to functions only where their removal is put off.
    fn name_in_notes(&self, labels: &Labels) -> String {
        match self.context.delayed_name_removal {
            true => labels.metric_name().to_owned(),
            false => String::new(),
        }
    }

    fn note_nan(&self, note: HistogramNote, labels: &Labels, span: Span) {
        let metric = self.name_in_notes(labels);
        let note = match note {
            HistogramNote::ResultIsNan => Note::QuantileNanResult { metric },
            HistogramNote::SkewedUp => Note::QuantileNanSkew { metric },
            HistogramNote::NanExcluded => Note::FractionNan { metric },
        };
        self.context.annotations.lock().add(note, span);
    }

    fn note_bent(&self, bent: buckets::Bent, labels: &Labels, step: usize, span: Span) {
        let time = self.steps.at(step);
        let note = Note::ForcedMonotonicity(Monotonicity {
            metric: self.name_in_notes(labels),
            first: time,
            last: time,
            least_bucket: bent.least_bucket,
            greatest_bucket: bent.greatest_bucket,
            greatest_diff: bent.greatest_diff,
            samples: 1,
        });
        self.context.annotations.lock().add(note, span);
    }
}

impl Histogram {
    /// Writes the buckets that have a count at this step to `buckets`; false when there is none.
    fn buckets_at(&self, step: usize, buckets: &mut Vec<Bucket>) -> bool {
        buckets.clear();
        buckets.extend(
            self.buckets
                .iter()
                .filter_map(|(upper, counts)| counts.get(step).map(|count| Bucket { upper: *upper, count })),
        );
        !buckets.is_empty()
    }
}

/// The labels with φ as OpenMetrics writes it: always with a fraction.
fn with_quantile(labels: &Labels, label: &str, phi: f64) -> Labels {
    let mut text = model::format_value(phi);
    if phi.is_finite() && !text.contains('.') {
        text.push_str(".0");
    }
    labels.with(label, &text)
}
