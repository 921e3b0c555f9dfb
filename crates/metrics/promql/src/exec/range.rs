//! Functions over windows: each series is read once, then windows slide over its samples.

use model::{Columns, Labels, Millis, is_stale};
use storage::{SeriesSet, StartTimestamps};
use vector::{Bitmap, Row};

use super::{
    Column, Done, Executor, Series, Sink,
    names::{NameRemoval, without_metadata},
    scan::Worker,
};
use crate::{
    engine::{
        EngineError, RangeSeries as RangeResult,
        annotations::Note,
        budget::{Memory, Pace},
        tally::Tally,
    },
    functions::{
        extended,
        floats::{self, Floats},
        layout::Windows,
        range::{Scratch, evaluate},
        starts::{Counted, Starts},
        window::{Notes, Window},
    },
    histogram,
    plan::{Extension, RangeCall, RangeFunction, RangeKind, RangeSource, Selector},
};

/// Endings of names that counters are expected to have.
const COUNTER_ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

impl<'q> Executor<'q> {
    pub(super) fn range_call(&self, call: &RangeCall, sink: Sink<'_>) -> Done {
        if call.function == RangeFunction::AbsentOverTime {
            return self.absent_over_time(call, sink);
        }
        let names = match call.name_may_stay && !self.context.delayed_name_removal {
            true => NameRemoval::may_stay(),
            false => self.strict_name_removal(),
        };
        self.range_rows(call, names, sink)
    }

    /// One where no series has a sample.
    fn absent_over_time(&self, call: &RangeCall, sink: Sink<'_>) -> Done {
        let mut found = Bitmap::empty(self.steps.count());
        self.range_rows(call, NameRemoval::unchecked(), &mut |series| {
            found.union(series.floats.present());
            Ok(())
        })?;
        self.missing(call.absent_labels.clone(), &found, sink)
    }

    /// A series with these labels that is one at the steps that are not in `found`.
    pub(super) fn missing(&self, labels: Labels, found: &Bitmap, sink: Sink<'_>) -> Done {
        let count = self.steps.count();
        let mut row = Row::constant(1.0, count);
        row.retain(&Bitmap::full(count).and_not(found));
        if row.is_empty() {
            return Ok(());
        }
        sink(Series::of_row(labels, row))
    }

    fn range_rows(&self, call: &RangeCall, mut names: NameRemoval, sink: Sink<'_>) -> Done {
        let args = call.args.iter().map(|arg| self.scalar(arg)).collect::<Result<Vec<_>, _>>()?;
        let mut finish = |mut output: Series| {
            if call.function.keeps_name() && !output.drop_name {
                names.check(&output)?;
            } else {
                names.remove(&mut output)?;
            }
            sink(output)
        };
        match &call.source.kind {
            RangeKind::Selector(selector) => {
                let with_starts = self.context.use_start_timestamps && call.function.looks_at_starts();
                let reads = RangeReads::new(self, selector, &call.source, with_starts);
                let make = |next: storage::Series, worker: &mut Worker<'_>| {
                    let labels = reads.read(next, worker)?;
                    let Worker { columns, starts, scratch, .. } = worker;
                    let series = RangeSeries::stored(labels, columns, starts);
                    self.range_row(call, &series, &args, scratch)
                };
                self.scan(reads.select()?, &make, &mut finish)
            }
            RangeKind::Subquery { expr, step } => {
                let mut scratch = Scratch::default();
                // The windows count what they see, not what that was made of.
                let unused = Tally::default();
                self.subquery(&call.source, expr, *step, &unused, &mut |series| {
                    let Some(output) = self.range_row(call, &series, &args, &mut scratch)? else {
                        return Ok(());
                    };
                    if series.drops.is_empty() || !call.function.keeps_name() {
                        return finish(output);
                    }
                    let parts = self.by_name(&call.source, series.drops, output);
                    parts.into_iter().filter(|part| !part.is_empty()).try_for_each(&mut finish)
                })
            }
        }
    }

    /// The function's values for one series, if there are any.
    fn range_row(
        &self,
        call: &RangeCall,
        series: &RangeSeries<'_>,
        args: &[Column],
        scratch: &mut Scratch,
    ) -> Result<Option<Series>, EngineError> {
        let columns = &*series.columns;
        let floats_alone = columns.histograms.is_empty() && series.starts.floats.is_empty();
        let mut output = if floats_alone && call.source.extension().is_none() && floats::knows(call.function)
        {
            let RangeSource { range, shift, .. } = call.source;
            let windows = Windows { steps: self.steps, shift, range };
            let floats = Floats { timestamps: &columns.timestamps, values: &columns.values };
            let budget = &self.context.budget;
            let row = floats::evaluate(call.function, floats, &windows, &mut scratch.floats, budget)?;
            let layout = &scratch.floats.layout;
            self.tally.add(layout.samples(), layout.found().iter().map(|found| (found.step, found.len())));
            Series::of_row(series.labels.clone(), row)
        } else {
            let mut output = Series::empty(series.labels.clone(), self.steps.count());
            self.slide(call, series, args, scratch, &mut output)?;
            let used = &scratch.used;
            self.tally.add(used.iter().map(|(_, samples)| samples).sum(), used.iter().copied());
            output
        };
        if output.is_empty() {
            return Ok(None);
        }
        output.drop_name = series.drop_name;
        self.note_non_counter(call, series, &output);
        Ok(Some(output))
    }

    /// Calls the function for the window of each step.
    fn slide(
        &self,
        call: &RangeCall,
        series: &RangeSeries<'_>,
        args: &[Column],
        scratch: &mut Scratch,
        output: &mut Series,
    ) -> Done {
        let columns = &*series.columns;
        let notes = Notes {
            annotations: &self.context.annotations,
            metric: series.labels.metric_name(),
            span: call.first_arg,
        };
        let counts_resets =
            matches!(call.function, RangeFunction::Rate | RangeFunction::Increase | RangeFunction::Resets);
        let resets: Vec<usize> = match counts_resets {
            true => resets(columns, &series.starts.floats),
            false => Vec::new(),
        };
        let source = &call.source;
        let mut windows = Sliding::new(columns, series.starts, &resets);
        let mut step_args = vec![0.0; args.len()];
        let mut pace = Pace::new(&self.context.budget);
        scratch.used.clear();
        let extension = source.extension();
        let (behind, ahead) = self.beyond(extension);
        for step in 0..self.steps.count() {
            let time = self.steps.at(step);
            let end = source.shift.apply(time);
            let range = source.range.saturating_add(behind).saturating_add(ahead);
            let Some(window) = windows.advance(time, end.saturating_add(ahead), range) else {
                continue;
            };
            let samples = window.values.len() + histogram::samples_of(window.histograms);
            scratch.used.push((step, samples));
            pace.add(samples)?;
            if let Some(extension) = extension {
                let borders = (end.saturating_sub(source.range), end);
                if let Some(point) = extended::evaluate(call.function, &window, borders, extension, notes) {
                    output.push(step, point);
                }
                continue;
            }
            for (slot, column) in step_args.iter_mut().zip(args) {
                *slot = column.at(step);
            }
            if let Some(point) = evaluate(call.function, &window, &step_args, scratch, notes)? {
                output.push(step, point);
            }
        }
        Ok(())
    }

    fn note_non_counter(&self, call: &RangeCall, series: &RangeSeries<'_>, output: &Series) {
        if !matches!(call.function, RangeFunction::Rate | RangeFunction::Increase) || output.floats.is_empty()
        {
            return;
        }
        let name = series.labels.metric_name();
        if name.is_empty() || COUNTER_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            return;
        }
        let note = Note::PossibleNonCounter { metric: name.to_owned() };
        self.context.annotations.lock().add(note, call.first_arg);
    }

    /// Pushes the samples of each series that any step's window can see, without staleness markers. What a subquery uses is counted in
    /// `tally`.
    fn ranges(
        &self,
        source: &RangeSource,
        tally: &Tally,
        each: &mut dyn FnMut(RangeSeries<'_>) -> Done,
    ) -> Done {
        match &source.kind {
            RangeKind::Selector(selector) => {
                let reads = RangeReads::new(self, selector, source, false);
                let mut set = reads.select()?;
                let mut worker = Worker::new(&self.context.budget);
                while let Some(next) = set.next() {
                    self.context.budget.check()?;
                    let labels = reads.read(next?, &mut worker)?;
                    let Worker { columns, starts, .. } = &mut worker;
                    if !columns.is_empty() {
                        each(RangeSeries::stored(labels, columns, starts))?;
                    }
                }
                Ok(())
            }
            RangeKind::Subquery { expr, step } => self.subquery(source, expr, *step, tally, each),
        }
    }

    /// The samples of a range expression that is the whole query.
    pub(crate) fn matrix(&self, source: &RangeSource) -> Result<Vec<RangeResult>, EngineError> {
        let mut all = Vec::new();
        let (mut samples, of_subquery) = (0, Tally::default());
        self.ranges(source, &of_subquery, &mut |series| {
            if let Some(extension) = source.extension() {
                self.extend(source, extension, series.columns)?;
                if series.columns.is_empty() {
                    return Ok(());
                }
            }
            let own = histogram::samples_in(series.columns);
            self.context.budget.charge(Memory::of_columns(own).with_labels(&series.labels))?;
            samples += own;
            let labels = if series.drop_name { without_metadata(&series.labels) } else { series.labels };
            all.push(RangeResult { labels, samples: std::mem::take(series.columns) });
            Ok(())
        })?;
        if let RangeKind::Subquery { .. } = source.kind {
            samples = usize::try_from(of_subquery.total()).unwrap_or(usize::MAX);
        }
        self.tally.add(samples, [(0, samples)]);
        Ok(all)
    }
}

impl RangeSource {
    fn extension(&self) -> Option<Extension> {
        match &self.kind {
            RangeKind::Selector(selector) => selector.extension,
            RangeKind::Subquery { .. } => None,
        }
    }
}

/// Reads what the windows of a selector can see.
struct RangeReads<'r> {
    executor: &'r Executor<'r>,
    selector: &'r Selector,
    source: &'r RangeSource,
    /// How far back the first window looks.
    reach: Millis,
    with_starts: bool,
}

impl<'r> RangeReads<'r> {
    fn new(
        executor: &'r Executor<'r>,
        selector: &'r Selector,
        source: &'r RangeSource,
        with_starts: bool,
    ) -> Self {
        let behind = if selector.extension.is_some() { executor.context.lookback } else { 0 };
        Self { executor, selector, source, reach: source.range.saturating_add(behind), with_starts }
    }

    fn select(&self) -> Result<Box<dyn SeriesSet + 'r>, EngineError> {
        self.executor.select(self.selector, self.source.shift, self.source.range, self.reach)
    }

    /// Reads a series' samples, without staleness markers, and what is known of their counting; returns its labels.
    fn read(&self, mut series: storage::Series, worker: &mut Worker<'_>) -> Result<Labels, EngineError> {
        let Self { executor, selector, source, reach, with_starts } = *self;
        let (first, last) = executor.window(selector, source.shift, reach);
        worker.read(&mut *series.samples, first, last)?;
        worker.starts.clear();
        if with_starts {
            series.samples.read_starts(first, last, &mut worker.starts)?;
        }
        if selector.only_stats {
            let windows = Windows { steps: executor.steps, shift: source.shift, range: reach };
            histogram::keep_stats(&mut worker.columns, windows.gaps());
        }
        remove_stale(&mut worker.columns, &mut worker.starts);
        Ok(series.labels)
    }
}

/// The samples of one series over all windows.
pub(super) struct RangeSeries<'a> {
    pub(super) labels: Labels,
    /// Whether the name is to go when the query is done.
    pub(super) drop_name: bool,
    /// The same of each sample by its time, ascending, where it is not the same of all.
    pub(super) drops: &'a [(Millis, bool)],
    pub(super) columns: &'a mut Columns,
    /// Empty where they do not matter.
    pub(super) starts: &'a StartTimestamps,
}

impl<'a> RangeSeries<'a> {
    fn stored(labels: Labels, columns: &'a mut Columns, starts: &'a StartTimestamps) -> Self {
        Self { labels, drop_name: false, drops: &[], columns, starts }
    }
}

/// Moves a window over columns. Moments must not go back.
pub(super) struct Sliding<'a> {
    columns: &'a Columns,
    starts: &'a StartTimestamps,
    resets: &'a [usize],
    floats: (usize, usize),
    histograms: (usize, usize),
    reset_bounds: (usize, usize),
}

impl<'a> Sliding<'a> {
    pub(super) fn new(columns: &'a Columns, starts: &'a StartTimestamps, resets: &'a [usize]) -> Self {
        Self { columns, starts, resets, floats: (0, 0), histograms: (0, 0), reset_bounds: (0, 0) }
    }

    /// The samples in `(end - range, end]`, if there are any.
    pub(super) fn advance(&mut self, time: Millis, end: Millis, range: Millis) -> Option<Window<'a>> {
        let start = end.saturating_sub(range);
        let Columns { timestamps, values, histograms } = self.columns;
        let (low, high) = &mut self.floats;
        while timestamps.get(*high).is_some_and(|time| *time <= end) {
            *high += 1;
        }
        while *low < *high && timestamps[*low] <= start {
            *low += 1;
        }
        let (first_histogram, end_histogram) = &mut self.histograms;
        while histograms.get(*end_histogram).is_some_and(|point| point.timestamp <= end) {
            *end_histogram += 1;
        }
        while *first_histogram < *end_histogram && histograms[*first_histogram].timestamp <= start {
            *first_histogram += 1;
        }
        if low == high && first_histogram == end_histogram {
            return None;
        }
        let (first_reset, end_reset) = &mut self.reset_bounds;
        while self.resets.get(*end_reset).is_some_and(|reset| *reset < *high) {
            *end_reset += 1;
        }
        while *first_reset < *end_reset && self.resets[*first_reset] <= *low {
            *first_reset += 1;
        }
        Some(Window {
            timestamps: &timestamps[*low..*high],
            values: &values[*low..*high],
            histograms: &histograms[*first_histogram..*end_histogram],
            first: *low,
            resets: &self.resets[*first_reset..*end_reset],
            starts: Starts {
                floats: self.starts.floats.get(*low..*high).unwrap_or_default(),
                histograms: self.starts.histograms.get(*first_histogram..*end_histogram).unwrap_or_default(),
            },
            start,
            end,
            time,
        })
    }
}

/// Takes out what marks a series as gone: ranges do not see it.
pub(super) fn remove_stale(columns: &mut Columns, starts: &mut StartTimestamps) {
    let Columns { timestamps, values, histograms } = columns;
    // Counted, not searched: without a branch, since nearly all series have none.
    if values.iter().map(|value| usize::from(is_stale(*value))).sum::<usize>() > 0 {
        let alive: Vec<bool> = values.iter().map(|value| !is_stale(*value)).collect();
        retain(timestamps, &alive);
        retain(values, &alive);
        retain(&mut starts.floats, &alive);
    }
    if histograms.iter().any(|point| is_stale(point.histogram.sum)) {
        let alive: Vec<bool> = histograms.iter().map(|point| !is_stale(point.histogram.sum)).collect();
        retain(histograms, &alive);
        retain(&mut starts.histograms, &alive);
    }
}

fn retain<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Where counters began anew: where they fell, and where their counting says so.
fn resets(columns: &Columns, starts: &[Millis]) -> Vec<usize> {
    let Columns { timestamps, values, .. } = columns;
    let counted = |at: usize| Counted::new(starts, at, timestamps[at]);
    let is_reset = |at: &usize| {
        values[*at] < values[at - 1] || !starts.is_empty() && counted(*at).is_reset_after(counted(at - 1))
    };
    (1..values.len()).filter(is_reset).collect()
}
