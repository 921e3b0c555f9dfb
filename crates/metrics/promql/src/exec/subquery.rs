//! Subqueries: an expression evaluated at steps of its own, as samples for windows.

use std::ops::Add;

use model::{Columns, CounterResetHint, FloatHistogram, HistogramPoint, Millis};
use storage::StartTimestamps;
use vector::{Bitmap, Steps};

use super::{Done, Executor, Series, distinct::by_labels, range::RangeSeries};
use crate::{
    engine::{
        EngineError,
        budget::{Account, Memory},
        tally::Tally,
    },
    plan::{RangeSource, Vector},
};

impl Executor<'_> {
    /// Pushes the samples of each series that the expression has at its steps. Series with the same labels are one. What the expression
    /// uses is counted in `tally`.
    pub(super) fn subquery(
        &self,
        source: &RangeSource,
        expr: &Vector,
        step: Millis,
        tally: &Tally,
        each: &mut dyn FnMut(RangeSeries<'_>) -> Done,
    ) -> Done {
        let steps = self.subquery_steps(source, step);
        // The inner rows are as long as there are steps: this is paid for as long as one of them lives.
        let mut account = Account::new(&self.context.budget);
        account.hold(Memory::of_rows(steps.count()))?;
        let inner = Executor::new(self.context, steps, tally);
        let mut samples = Samples { steps, columns: Columns::default(), drops: Vec::new() };
        if !expr.may_repeat_labels() {
            return inner.vector(expr, &mut |series| each(samples.of(series)));
        }
        for (first, others) in by_labels(inner.collect(expr)?) {
            let paid = others.iter().map(Series::memory).fold(first.memory(), Memory::add);
            each(samples.of_several(first, others)?)?;
            self.context.budget.release(paid);
        }
        Ok(())
    }

    /// Multiples of the step since the epoch, from the first one after the start of the first window to the end of the last.
    fn subquery_steps(&self, source: &RangeSource, step: Millis) -> Steps {
        let before = source.shift.apply(self.steps.start()).saturating_sub(source.range);
        let mut start = (before / step).saturating_mul(step);
        if start <= before {
            start = start.saturating_add(step);
        }
        Steps::range(start, source.shift.apply(self.steps.end()), step)
    }

    /// A function's values for one series by what becomes of its name, with and without: at each step the first sample of the window decides,
    /// as in an instant query.
    pub(super) fn by_name(
        &self,
        source: &RangeSource,
        drops: &[(Millis, bool)],
        output: Series,
    ) -> [Series; 2] {
        let mut named = Bitmap::empty(self.steps.count());
        for step in output.present().iter() {
            let start = source.shift.apply(self.steps.at(step)).saturating_sub(source.range);
            let first = drops.partition_point(|(time, _)| *time <= start);
            if let Some((_, false)) = drops.get(first) {
                named.set(step);
            }
        }
        let mut unnamed = Series { drop_name: true, ..output.clone() };
        unnamed.retain(&output.present().and_not(&named));
        let mut output = Series { drop_name: false, ..output };
        output.retain(&named);
        [output, unnamed]
    }
}

/// The samples that rows become, one series at a time.
struct Samples {
    steps: Steps,
    columns: Columns,
    drops: Vec<(Millis, bool)>,
}

impl Samples {
    fn of(&mut self, series: Series) -> RangeSeries<'_> {
        static UNKNOWN: StartTimestamps = StartTimestamps { floats: Vec::new(), histograms: Vec::new() };
        self.columns.clear();
        fill(&mut self.columns, &series, self.steps);
        let Series { labels, drop_name, .. } = series;
        RangeSeries { labels, drop_name, drops: &self.drops, columns: &mut self.columns, starts: &UNKNOWN }
    }

    /// Series with the same labels, which must not meet.
    fn of_several(
        &mut self,
        mut series: Series,
        others: Vec<Series>,
    ) -> Result<RangeSeries<'_>, EngineError> {
        self.drops.clear();
        if others.iter().any(|other| other.drop_name != series.drop_name) {
            for part in std::iter::once(&series).chain(&others) {
                let steps = part.present();
                self.drops.extend(steps.iter().map(|step| (self.steps.at(step), part.drop_name)));
            }
            self.drops.sort_unstable();
            series.drop_name = self.drops.first().is_some_and(|(_, drops)| *drops);
        }
        others.into_iter().try_for_each(|other| series.absorb(other))?;
        Ok(self.of(series))
    }
}

/// Turns a row into samples at the times of its steps.
fn fill(columns: &mut Columns, series: &Series, steps: Steps) {
    for (step, value) in series.floats.iter() {
        columns.push(steps.at(step), value);
    }
    columns.histograms.extend(series.histograms.iter().map(|(step, histogram)| {
        let mut histogram = FloatHistogram::clone(histogram);
        // What a sample says about the one before it is not about the step before it.
        if histogram.counter_reset_hint != CounterResetHint::Gauge {
            histogram.counter_reset_hint = CounterResetHint::Unknown;
        }
        HistogramPoint { timestamp: steps.at(*step), histogram }
    }));
}
