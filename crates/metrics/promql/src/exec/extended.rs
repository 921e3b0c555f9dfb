//! Selectors whose borders have values of their own: `anchored` and `smoothed`.

use model::{Columns, Millis};
use storage::StartTimestamps;

use super::{
    Done, Executor, Series, Sink,
    range::{Sliding, remove_stale},
    scan::Worker,
};
use crate::{
    engine::EngineError,
    functions::{
        extended::{self, Extended},
        window::Notes,
    },
    plan::{Extension, RangeSource, Selector},
    syntax::Span,
};

impl Executor<'_> {
    /// At each step the value on the line between the neighbouring samples.
    pub(super) fn smoothed_selector(&self, selector: &Selector, span: Span, sink: Sink<'_>) -> Done {
        let lookback = self.context.lookback;
        let set = self.select(selector, selector.shift, 0, lookback)?;
        let (first, last) = self.window(selector, selector.shift, lookback);
        let make = |mut next: storage::Series, worker: &mut Worker<'_>| {
            worker.read(&mut *next.samples, first, last)?;
            let Worker { columns, starts, .. } = worker;
            remove_stale(columns, starts);
            let mut series = Series::empty(next.labels, self.steps.count());
            let labels = series.labels.clone();
            let metric = labels.metric_name();
            let notes = Notes { annotations: &self.context.annotations, metric, span };
            let mut windows = Sliding::new(columns, starts, &[]);
            for step in 0..self.steps.count() {
                let time = self.steps.at(step);
                let at = selector.shift.apply(time);
                let window = windows.advance(time, at.saturating_add(lookback), lookback.saturating_mul(2));
                if let Some(point) = window.and_then(|window| extended::smoothed(&window, at, notes)) {
                    series.push(step, point);
                }
            }
            Ok(self.used(series))
        };
        self.scan(set, &make, sink)
    }

    /// How far a range with borders of its own looks beyond them: back and forward.
    pub(super) fn beyond(&self, extension: Option<Extension>) -> (Millis, Millis) {
        let lookback = self.context.lookback;
        let behind = if extension.is_some() { lookback } else { 0 };
        (behind, Extension::ahead(extension, lookback))
    }

    /// Replaces the samples of a series by those of its range with one at each border.
    pub(super) fn extend(&self, source: &RangeSource, extension: Extension, columns: &mut Columns) -> Done {
        let time = self.steps.start();
        let end = source.shift.apply(time);
        let (behind, ahead) = self.beyond(Some(extension));
        let range = source.range.saturating_add(behind).saturating_add(ahead);
        let starts = StartTimestamps::default();
        let samples =
            match Sliding::new(columns, &starts, &[]).advance(time, end.saturating_add(ahead), range) {
                Some(window) if !window.histograms.is_empty() => {
                    let word = extension.as_str();
                    return Err(EngineError::execution(format!(
                        "{word} modifier is not supported with histograms"
                    )));
                }
                Some(window) => {
                    Extended::new(&window, end.saturating_sub(source.range), end, extension).samples()
                }
                None => Vec::new(),
            };
        columns.clear();
        samples.into_iter().for_each(|(time, value)| columns.push(time, value));
        Ok(())
    }
}
