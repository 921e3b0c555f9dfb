//! Functions of vectors that look at one series after the other, or at none.

use std::sync::Arc;

use model::Labels;
use vector::Bitmap;

use super::{Column, Done, Executor, Series, Sink};
use crate::{
    engine::annotations::Note,
    functions::{math, natural},
    histogram::{Native, variance},
    plan::{HistogramStat, MathFunction, Scalar, SortOrder, Vector, VectorKind},
    syntax::Span,
};

impl Executor<'_> {
    /// Changes floats; histograms have no such values and go.
    pub(super) fn math(
        &self,
        function: MathFunction,
        args: &[Scalar],
        input: &Vector,
        sink: Sink<'_>,
    ) -> Done {
        let args = args.iter().map(|arg| self.scalar(arg)).collect::<Result<Vec<_>, _>>()?;
        let constant: Option<Vec<f64>> = args
            .iter()
            .map(|arg| match arg {
                Column::Constant(value) => Some(*value),
                Column::Values(_) => None,
            })
            .collect();
        let mut step_args = vec![0.0; args.len()];
        let mut names = self.name_removal();
        self.vector(input, &mut |mut series| {
            series.histograms.clear();
            match &constant {
                Some(args) => series.floats.filter_map(|_, value| math::evaluate(function, value, args)),
                None => series.floats.filter_map(|step, value| {
                    for (slot, column) in step_args.iter_mut().zip(&args) {
                        *slot = column.at(step);
                    }
                    math::evaluate(function, value, &step_args)
                }),
            }
            if series.is_empty() {
                return Ok(());
            }
            names.remove(&mut series)?;
            sink(series)
        })
    }

    pub(super) fn negate(&self, input: &Vector, sink: Sink<'_>) -> Done {
        let mut names = self.name_removal();
        self.vector(input, &mut |mut series| {
            for (_, histogram) in &mut series.histograms {
                let mut native = Native::from(&**histogram);
                native.multiply(-1.0);
                *histogram = Arc::new(native.into());
            }
            series.floats.map(|value| -value);
            names.remove(&mut series)?;
            sink(series)
        })
    }

    /// The samples' own times for a plain selector, the steps' times for everything else.
    pub(super) fn timestamp(&self, input: &Vector, sink: Sink<'_>) -> Done {
        let mut names = self.name_removal();
        let mut finish = |mut series: Series| {
            names.remove(&mut series)?;
            sink(series)
        };
        match &input.kind {
            VectorKind::Selector(selector) => self.sample_times(selector, &mut finish),
            VectorKind::Invariant(inner) if matches!(inner.kind, VectorKind::Selector(_)) => {
                match &inner.kind {
                    VectorKind::Selector(selector) => self.sample_times(selector, &mut finish),
                    _ => Ok(()),
                }
            }
            _ => self.vector(input, &mut |mut series| {
                let present = series.present();
                series.histograms.clear();
                for step in present.iter() {
                    series.floats.set(step, self.steps.at(step) as f64 / 1000.0);
                }
                finish(series)
            }),
        }
    }

    /// When the counting of a plain selector's samples began. Other vectors have no such moment, and neither does anything where starts
    /// are not looked at.
    pub(super) fn start_timestamp(&self, input: &Vector, sink: Sink<'_>) -> Done {
        let mut names = self.name_removal();
        let plain = match &input.kind {
            VectorKind::Invariant(inner) => inner,
            _ => input,
        };
        match &plain.kind {
            VectorKind::Selector(selector) if self.context.use_start_timestamps => {
                self.sample_starts(selector, &mut |mut series: Series| {
                    names.remove(&mut series)?;
                    sink(series)
                })
            }
            _ => self.vector(input, &mut |_| Ok(())),
        }
    }

    /// One where the vector is empty.
    pub(super) fn absent(&self, labels: &Labels, input: &Vector, sink: Sink<'_>) -> Done {
        let mut found = Bitmap::empty(self.steps.count());
        self.vector(input, &mut |series| {
            found.union(&series.present());
            Ok(())
        })?;
        self.missing(labels.clone(), &found, sink)
    }

    /// Sorts in instant queries; ranges are sorted by labels in the end, whatever is done here.
    pub(super) fn sort(&self, order: &SortOrder, input: &Vector, span: Span, sink: Sink<'_>) -> Done {
        if !self.is_instant() {
            self.context.annotations.lock().add(Note::SortInRangeQuery, span);
            let by_value = matches!(order, SortOrder::Value { .. });
            return self.vector(input, &mut |mut series| {
                if by_value {
                    series.histograms.clear();
                }
                if series.is_empty() { Ok(()) } else { sink(series) }
            });
        }
        let mut all = self.collect(input)?;
        self.release(&all);
        match order {
            SortOrder::Value { descending } => {
                all.retain(|series| !series.floats.is_empty());
                let value = |series: &Series| series.floats.get(0).unwrap_or(f64::NAN);
                all.sort_by(|a, b| by_value(value(a), value(b), *descending));
            }
            SortOrder::Labels { names, descending } => {
                all.sort_by(|a, b| {
                    let order = names
                        .iter()
                        .map(|name| natural::compare(a.labels.value(name), b.labels.value(name)))
                        .find(|order| order.is_ne())
                        .unwrap_or_else(|| a.labels.cmp(&b.labels));
                    if *descending { order.reverse() } else { order }
                });
            }
        }
        all.into_iter().try_for_each(sink)
    }

    /// Numbers that native histograms say about themselves; floats have none and go.
    pub(super) fn histogram_stat(&self, stat: HistogramStat, input: &Vector, sink: Sink<'_>) -> Done {
        let mut names = self.name_removal();
        self.vector(input, &mut |series| {
            let mut output = Series::empty(series.labels, self.steps.count());
            for (step, histogram) in &series.histograms {
                let value = match stat {
                    HistogramStat::Count => histogram.count,
                    HistogramStat::Sum => histogram.sum,
                    HistogramStat::Avg => histogram.sum / histogram.count,
                    HistogramStat::Stddev => variance(&Native::from(&**histogram)).sqrt(),
                    HistogramStat::Stdvar => variance(&Native::from(&**histogram)),
                };
                output.floats.set(*step, value);
            }
            if output.is_empty() {
                return Ok(());
            }
            names.remove(&mut output)?;
            sink(output)
        })
    }
}

/// NaN comes last in either direction.
fn by_value(a: f64, b: f64, descending: bool) -> std::cmp::Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}
