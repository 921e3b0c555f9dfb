//! Range aggregations: from entries to one row a series.

use model::MatchOp;
use streams::{Direction, LineBatch, SelectLogs};
use template::Functions;
use vector::Row;

use super::EngineError;
use super::counts::{Counts, Wanted};
use super::functions::{Function, LabelSample, seconds};
use super::metric::{Evaluator, Sink};
use super::samples::Samples;
use super::series_keys::{KeyBy, SeriesKeys, all_labels};
use super::steps::Windows;
use crate::pipeline::{Entry, EntryLabels, Hints, PRESERVE_ERROR, Pipeline, Unwrapper};
use crate::syntax::{Grouping, RangeAggregation, RangeOp};

/// Rows between two looks at the cancel switch and the memory.
const ROWS_PER_CHECK: usize = 64;

/// Gives each series of a range aggregation to `sink`.
///
/// `outer` is the grouping of a sum around it, which may as well be done here: then there are fewer series, and fewer labels to extract.
pub(super) fn each(
    evaluator: &mut Evaluator<'_>,
    node: &RangeAggregation,
    outer: Option<&Grouping>,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let windows = Windows::new(evaluator.steps, node.range.interval, node.range.offset);
    let mut reader = Reader::new(node, outer, windows, evaluator.functions)?;
    reader.read(evaluator)?;
    let Reader { keys, state, .. } = reader;
    let labels = keys.into_labels();
    if node.op == RangeOp::Absent {
        return absent(node, &state, &windows, sink);
    }
    let function = Function {
        op: node.op,
        parameter: node.parameter.as_ref().map_or(0.0, |parameter| parameter.value),
        interval: windows.interval,
    };
    let mut scratch = Vec::new();
    match state {
        State::Counts { counts, bytes } => {
            let per = if matches!(node.op, RangeOp::Rate | RangeOp::BytesRate) {
                seconds(windows.interval)
            } else {
                1.0
            };
            let wanted = if bytes { Wanted::Bytes(per) } else { Wanted::Entries(per) };
            for (labels, counts) in labels.into_iter().zip(counts) {
                evaluator.cancel.check()?;
                sink(labels, counts.row(windows.count(), wanted))?;
            }
        }
        State::Samples(samples) => {
            for (labels, samples) in labels.into_iter().zip(samples) {
                evaluator.cancel.check()?;
                sink(labels, samples.row(&windows, &function, &mut scratch))?;
            }
        }
    }
    Ok(())
}

/// One at each step whose window is empty, under the labels that the selector fixes.
fn absent(
    node: &RangeAggregation,
    state: &State,
    windows: &Windows,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let mut row = Row::constant(1.0, windows.count());
    if let State::Counts { counts, .. } = state {
        for counts in counts {
            let found = counts.row(windows.count(), Wanted::Entries(1.0));
            for (step, _) in found.iter() {
                row.unset(step);
            }
        }
    }
    let mut labels = model::LabelsBuilder::new();
    let mut ambiguous = Vec::new();
    for matcher in &node.range.log.matchers {
        if matcher.op() == MatchOp::Equal && labels.get(matcher.name()).is_empty() {
            labels.set(matcher.name(), matcher.value());
        } else {
            ambiguous.push(matcher.name());
        }
    }
    for name in ambiguous {
        labels.remove(name);
    }
    sink(labels.build(), row)
}

/// What is known of each series, in the order of its number.
enum State {
    Counts { counts: Vec<Counts>, bytes: bool },
    Samples(Vec<Samples>),
}

/// Reads the entries of a range aggregation.
struct Reader<'a> {
    node: &'a RangeAggregation,
    windows: Windows,
    pipeline: Pipeline,
    unwrapper: Option<Unwrapper>,
    labels: EntryLabels,
    keys: SeriesKeys,
    state: State,
    wanted: streams::Wanted,
    /// Bytes of the state.
    bytes: usize,
    rows: Vec<u32>,
}

impl<'a> Reader<'a> {
    fn new(
        node: &'a RangeAggregation,
        outer: Option<&Grouping>,
        windows: Windows,
        functions: &Functions,
    ) -> Result<Self, EngineError> {
        let pipeline = Pipeline::compile(&node.range.log.stages, functions)?;
        let unwrapper = node.range.unwrap.as_ref().map(Unwrapper::new).transpose()?;
        let one_series = Grouping { labels: Vec::new(), without: false };
        let grouping = match node.op {
            RangeOp::Absent => Some(&one_series),
            _ => node.grouping.as_ref().or(outer),
        };
        let mut read = pipeline.requirements().labels.clone();
        if let Some(unwrapper) = &unwrapper {
            unwrapper.each_label(&mut |name| read.push(name.to_owned()));
        }
        let hints = Hints::for_metric(grouping, &read);
        let keys = key_by(grouping, unwrapper.as_ref().map(Unwrapper::name));
        let needs_bytes = matches!(node.op, RangeOp::Bytes | RangeOp::BytesRate);
        let state = if unwrapper.is_some() && node.op != RangeOp::Absent {
            State::Samples(Vec::new())
        } else {
            State::Counts { counts: Vec::new(), bytes: needs_bytes }
        };
        let wanted = streams::Wanted {
            lines: needs_bytes || pipeline.requirements().line,
            metadata: keys != KeyBy::Nothing || !pipeline.is_line_only() || unwrapper.is_some(),
        };
        Ok(Self {
            node,
            windows,
            pipeline,
            unwrapper,
            labels: EntryLabels::new(hints),
            keys: SeriesKeys::new(keys),
            state,
            wanted,
            bytes: 0,
            rows: Vec::new(),
        })
    }

    fn read(&mut self, evaluator: &mut Evaluator<'_>) -> Result<(), EngineError> {
        let (start, end) = self.windows.extent();
        let select = SelectLogs {
            matchers: self.node.range.log.matchers.clone(),
            start,
            end,
            direction: Direction::Forward,
            filters: self.pipeline.store_filters(),
            wanted: self.wanted,
        };
        let querier = evaluator.source.querier()?;
        for batch in querier.select(&select)? {
            evaluator.cancel.check()?;
            self.batch(&batch?, evaluator)?;
            evaluator.options.check_memory(self.bytes + self.keys.bytes())?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: &LineBatch, evaluator: &mut Evaluator<'_>) -> Result<(), EngineError> {
        evaluator.stats.lines_processed += batch.len() as u64;
        evaluator.stats.bytes_processed += batch.text().len() as u64;
        let mut rows = std::mem::take(&mut self.rows);
        self.pipeline.rows(batch, &mut rows);
        self.labels.set_stream(&batch.stream);
        self.keys.start_stream();
        // Where neither stages nor metadata change labels, all entries of the stream are one series.
        let is_plain = self.pipeline.is_line_only() && self.unwrapper.is_none();
        let mut stream_series = None;
        for (i, row) in rows.iter().enumerate() {
            if i % ROWS_PER_CHECK == ROWS_PER_CHECK - 1 {
                evaluator.cancel.check()?;
                evaluator.options.check_memory(self.bytes + self.keys.bytes())?;
            }
            let at = *row as usize;
            let Some(windows) = self.windows.of(batch.timestamps[at]) else {
                continue;
            };
            if is_plain && (self.keys.is_one() || batch.metadata(at).is_none()) {
                let series = *stream_series.get_or_insert_with(|| {
                    self.labels.start(None);
                    self.keys.number(&self.labels)
                });
                evaluator.stats.lines_matched += 1;
                self.count(series, windows, batch.line(at).len());
            } else {
                self.entry(batch, at, windows, evaluator)?;
            }
        }
        self.rows = rows;
        Ok(())
    }

    fn entry(
        &mut self,
        batch: &LineBatch,
        at: usize,
        windows: (usize, usize),
        evaluator: &mut Evaluator<'_>,
    ) -> Result<(), EngineError> {
        self.labels.start(batch.metadata(at));
        let timestamp = batch.timestamps[at];
        let mut length = batch.line(at).len();
        if !self.pipeline.is_line_only() {
            let mut entry = Entry { timestamp, line: String::from_utf8_lossy(batch.line(at)) };
            if !self.pipeline.run(&mut entry, &mut self.labels) {
                return Ok(());
            }
            length = entry.line.len();
        }
        let mut value = 0.0;
        if let Some(unwrapper) = &self.unwrapper {
            match unwrapper.sample(&mut self.labels) {
                Some(sample) => value = sample,
                None => return Ok(()),
            }
        }
        if self.labels.has_error() && self.labels.get(PRESERVE_ERROR) != Some("true") {
            return Err(EngineError::pipeline(&all_labels(&self.labels)));
        }
        evaluator.stats.lines_matched += 1;
        let series = self.keys.number(&self.labels);
        match &mut self.state {
            State::Counts { .. } => self.count(series, windows, length),
            State::Samples(samples) => {
                self.bytes += slot(samples, series).add(LabelSample { timestamp, value })
            }
        }
        Ok(())
    }

    fn count(&mut self, series: usize, windows: (usize, usize), length: usize) {
        if let State::Counts { counts, bytes } = &mut self.state {
            self.bytes += slot(counts, series).add(windows, bytes.then_some(length));
        }
    }
}

fn slot<T: Default>(slots: &mut Vec<T>, number: usize) -> &mut T {
    if slots.len() <= number {
        slots.resize_with(number + 1, T::default);
    }
    &mut slots[number]
}

/// Which labels tell series apart. The label that holds the sample never does unless it is named.
fn key_by(grouping: Option<&Grouping>, unwrapped: Option<&str>) -> KeyBy {
    match grouping {
        Some(grouping) if !grouping.without && grouping.labels.is_empty() => KeyBy::Nothing,
        Some(grouping) if !grouping.without => KeyBy::By(grouping.labels.clone()),
        _ => {
            let mut names = grouping.map(|grouping| grouping.labels.clone()).unwrap_or_default();
            names.extend(unwrapped.map(str::to_owned));
            if names.is_empty() { KeyBy::All } else { KeyBy::Without(names) }
        }
    }
}

/// Whether a sum around the aggregation may be done while entries are read.
pub(super) fn allows_outer_grouping(node: &RangeAggregation) -> bool {
    let op_allows = matches!(
        node.op,
        RangeOp::Bytes | RangeOp::BytesRate | RangeOp::Sum | RangeOp::Rate | RangeOp::Count
    );
    op_allows && node.grouping.is_none()
}
