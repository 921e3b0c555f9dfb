//! Reading chosen streams of one segment: row groups are skipped by time and token filter, the rest is read in windows of columns.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use model::Nanos;
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection},
    errors::ParquetError,
};
use streams::{Direction, QueryError};

use super::{Group, Rows, Segment, input::Input, schema, tokens::Needles};
use crate::metrics::{Metrics, SkipReason};

/// What a query wants of every segment.
pub(crate) struct ScanOptions {
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) direction: Direction,
    pub(crate) lines: bool,
    pub(crate) metadata: bool,
    pub(crate) needles: Needles,
    pub(crate) metrics: Metrics,
}

/// Rows of one stream within decoded rows.
pub(crate) struct Part {
    /// Position in the segment's streams.
    pub(crate) stream: usize,
    pub(crate) rows: Range<usize>,
}

/// Decoded rows, and whose they are.
pub(crate) type Decoded = (Arc<Rows>, Vec<Part>);

/// A walk over the chosen streams of a segment. Row groups, windows within them, and so the parts of one stream, come in the query's
/// direction; rows within a part always ascend in time.
pub(crate) struct Scan {
    segment: Arc<Segment>,
    options: Arc<ScanOptions>,
    /// Positions of the streams, ascending.
    streams: Vec<usize>,
    /// Rows decoded at once.
    window: usize,
    groups: VecDeque<usize>,
    /// What is left of the current row group.
    windows: VecDeque<Vec<Stretch>>,
    current: usize,
    open: Option<(Input, ArrowReaderMetadata)>,
}

/// Rows of one stream within a row group, counted from the group's first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    stream: usize,
    rows: Range<usize>,
}

// === impl Scan ===

impl Scan {
    pub(crate) fn new(
        segment: Arc<Segment>,
        streams: Vec<usize>,
        options: Arc<ScanOptions>,
        window: usize,
    ) -> Self {
        let mut groups: VecDeque<usize> = (0..segment.layout.groups.len()).collect();
        if options.direction == Direction::Backward {
            groups.make_contiguous().reverse();
        }
        Self { segment, options, streams, window, groups, windows: VecDeque::new(), current: 0, open: None }
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The next rows and whose they are; `None` at the end.
    pub(crate) fn next_rows(&mut self) -> Result<Option<Decoded>, QueryError> {
        loop {
            if let Some(stretches) = self.windows.pop_front() {
                let rows = self.read(self.current, &stretches, self.options.lines, self.options.metadata)?;
                return Ok(Some((Arc::new(rows), parts(stretches))));
            }
            let Some(group) = self.groups.pop_front() else {
                return Ok(None);
            };
            self.enter(group)?;
        }
    }

    /// Finds out which rows of a row group are wanted.
    fn enter(&mut self, at: usize) -> Result<(), QueryError> {
        let segment = Arc::clone(&self.segment);
        let group = &segment.layout.groups[at];
        let stretches = self.stretches(group);
        if stretches.is_empty() {
            return Ok(());
        }
        let ScanOptions { start, end, .. } = *self.options;
        if group.first >= end || group.last < start {
            self.skipped("time");
            return Ok(());
        }
        let needles = &self.options.needles;
        if !needles.is_empty() && segment.filter(group).is_some_and(|filter| !needles.may_match(&filter)) {
            self.skipped("token");
            return Ok(());
        }
        let stretches =
            if group.first >= start && group.last < end { stretches } else { self.clip(at, stretches)? };
        if stretches.is_empty() {
            return Ok(());
        }
        self.options.metrics.row_groups_read.inc();
        self.windows = windows(stretches, self.window);
        if self.options.direction == Direction::Backward {
            self.windows.make_contiguous().reverse();
        }
        self.current = at;
        Ok(())
    }

    /// The rows of the chosen streams in a group, by the layout alone.
    fn stretches(&self, group: &Group) -> Vec<Stretch> {
        let all = &self.segment.layout.streams;
        let from = self.streams.partition_point(|stream| all[*stream].rows.end <= group.rows.start);
        let within =
            self.streams[from..].iter().take_while(|stream| all[**stream].rows.start < group.rows.end);
        let stretch = |stream: &usize| {
            let rows = &all[*stream].rows;
            let start = rows.start.max(group.rows.start) - group.rows.start;
            let end = rows.end.min(group.rows.end) - group.rows.start;
            Stretch { stream: *stream, rows: start as usize..end as usize }
        };
        within.map(stretch).collect()
    }

    /// Cuts off what is outside the query's time.
    fn clip(&mut self, group: usize, mut stretches: Vec<Stretch>) -> Result<Vec<Stretch>, QueryError> {
        let ScanOptions { start, end, .. } = *self.options;
        let segment = Arc::clone(&self.segment);
        let streams = &segment.layout.streams;
        let crosses =
            |stretch: &Stretch| streams[stretch.stream].first < start || streams[stretch.stream].last >= end;
        let crossing: Vec<Stretch> = stretches.iter().filter(|stretch| crosses(stretch)).cloned().collect();
        let rows = self.read(group, &crossing, false, false)?;
        let mut read = parts(crossing).into_iter();
        for stretch in stretches.iter_mut().filter(|stretch| crosses(stretch)) {
            let Some(part) = read.next() else {
                break;
            };
            let times = &rows.timestamps()[part.rows];
            let from = times.partition_point(|time| *time < start);
            let to = times.partition_point(|time| *time < end);
            let first = stretch.rows.start;
            stretch.rows = first + from..first + to.max(from);
        }
        stretches.retain(|stretch| !stretch.rows.is_empty());
        Ok(stretches)
    }

    /// Decodes rows of a group.
    fn read(
        &mut self,
        group: usize,
        stretches: &[Stretch],
        lines: bool,
        metadata: bool,
    ) -> Result<Rows, QueryError> {
        if self.open.is_none() {
            self.open = Some(self.segment.open()?);
        }
        let Some((input, footer)) = &self.open else {
            unreachable!("BUG: the segment was opened just now");
        };
        let mut columns = vec![schema::TIMESTAMP];
        columns.extend(lines.then_some(schema::LINE));
        columns.extend(metadata.then_some(schema::METADATA));
        let total = self.segment.layout.groups[group].rows.clone();
        let total = (total.end - total.start) as usize;
        let rows = schema::guarded(|| decode(input, footer, group, total, stretches, &columns));
        rows.map_err(|error| self.segment.unreadable(error))
    }

    fn skipped(&self, reason: &'static str) {
        self.options.metrics.row_groups_skipped.get_or_create(&SkipReason { reason }).inc();
    }
}

fn decode(
    input: &Input,
    footer: &ArrowReaderMetadata,
    group: usize,
    total: usize,
    stretches: &[Stretch],
    columns: &[&str],
) -> Result<Rows, ParquetError> {
    let wanted: usize = stretches.iter().map(|stretch| stretch.rows.len()).sum();
    let selection = RowSelection::from_consecutive_ranges(joined(stretches).into_iter(), total);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer.clone())
        .with_row_groups(vec![group])
        .with_projection(schema::projection(footer, columns))
        .with_row_selection(selection)
        .with_batch_size(wanted.max(1))
        .build()?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| ParquetError::External(Box::new(error)))?;
        rows.push(Rows::new(&batch)?);
    }
    let read: usize = rows.iter().map(Rows::len).sum();
    match rows.pop() {
        Some(only) if rows.is_empty() && read == wanted => Ok(only),
        None if wanted == 0 => Ok(Rows::none()),
        _ => Err(ParquetError::General(format!("{read} rows where {wanted} should be"))),
    }
}

/// The ranges of the stretches, those that touch made one.
fn joined(stretches: &[Stretch]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for stretch in stretches {
        match ranges.last_mut() {
            Some(last) if last.end == stretch.rows.start => last.end = stretch.rows.end,
            _ => ranges.push(stretch.rows.clone()),
        }
    }
    ranges
}

/// Where the stretches lie in the rows decoded of them.
fn parts(stretches: Vec<Stretch>) -> Vec<Part> {
    let mut at = 0;
    let part = |stretch: Stretch| {
        let start = at;
        at += stretch.rows.len();
        Part { stream: stretch.stream, rows: start..at }
    };
    stretches.into_iter().map(part).collect()
}

/// Cuts stretches into windows of at most `size` rows.
fn windows(stretches: Vec<Stretch>, size: usize) -> VecDeque<Vec<Stretch>> {
    let mut windows = VecDeque::new();
    let mut window = Vec::new();
    let mut room = size;
    for Stretch { stream, mut rows } in stretches {
        while !rows.is_empty() {
            let taken = rows.len().min(room);
            let end = rows.start + taken;
            window.push(Stretch { stream, rows: rows.start..end });
            rows.start = end;
            room -= taken;
            if room == 0 {
                windows.push_back(std::mem::take(&mut window));
                room = size;
            }
        }
    }
    if !window.is_empty() {
        windows.push_back(window);
    }
    windows
}
