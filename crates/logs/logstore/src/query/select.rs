//! Planning and running a selection.
//!
//! A stream may have entries in several segments and in the buffers. Where these do not overlap in time (nearly always), segments are
//! walked one after the other in the order of time, each row group once for all its streams. The entries in memory, and streams whose
//! parts do overlap, are merged stream by stream, which needs lines and metadata to tell repeats apart even if the query does not. All
//! segments have their streams in one order, and streams are merged in this order, so that here too each row group is read once.

use std::{collections::VecDeque, sync::Arc};

use model::{Labels, Nanos};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use streams::{Direction, LineBatch, LineBatchBuilder, QueryError, SelectLogs};

use super::{
    chunk::{BlockSource, Chunk, ChunkSource},
    filter::TextFilter,
    merge::{Merge, Purpose, is_full},
};
use crate::{
    head::StreamBuffer,
    metrics::Metrics,
    segment::{
        Rows, Segment,
        scan::{Part, Scan, ScanOptions},
        tokens::Needles,
    },
    stream_index::StreamId,
    view::View,
};

/// Rows decoded at once when a segment is walked.
const SCAN_WINDOW: usize = 16 << 10;
/// Rows decoded at once from each segment when a stream is merged.
const MERGE_WINDOW: usize = 4 << 10;

/// The batches of a selection.
pub(super) struct Selection {
    start: Nanos,
    end: Nanos,
    purpose: Arc<Purpose>,
    scan: Arc<ScanOptions>,
    steps: VecDeque<Step>,
    running: Option<Running>,
    ready: VecDeque<LineBatch>,
    failed: bool,
}

/// A part of the work.
enum Step {
    /// Some streams of a segment.
    Segment { segment: Arc<Segment>, streams: Vec<usize> },
    /// One stream, from wherever it is.
    Stream(StreamStep),
}

/// Where the entries of a stream are that has to be merged.
struct StreamStep {
    labels: Labels,
    /// Walks over segments and the stream's position in each.
    walks: Vec<(SharedWalk, usize)>,
    buffers: Vec<Arc<StreamBuffer>>,
}

/// A walk over the streams of a segment that have to be merged, which their steps take part by part.
struct Walk {
    scan: Scan,
    direction: Direction,
    parts: VecDeque<(Arc<Rows>, Part)>,
}

type SharedWalk = Arc<Mutex<Walk>>;

enum Running {
    Segment(Scan),
    Stream(Merge),
}

/// One stream's rows in one segment, as a source for merging.
struct WalkSource {
    walk: SharedWalk,
    /// The stream's position in the segment.
    stream: usize,
}

/// How far a stream has come while its parts are looked at in the order of time.
struct Progress {
    last: Nanos,
    overlaps: bool,
}

// === impl Selection ===

impl Selection {
    pub(super) fn plan(view: &View, select: &SelectLogs, metrics: &Metrics) -> Self {
        let SelectLogs { ref matchers, start, end, direction, ref filters, wanted } = *select;
        let filter = if wanted.lines { TextFilter::new(filters) } else { TextFilter::default() };
        let options = |lines: bool, metadata: bool| {
            Arc::new(ScanOptions {
                start,
                end,
                direction,
                lines,
                metadata,
                needles: Needles::new(filters),
                metrics: metrics.clone(),
            })
        };
        // On its own line: the index must not be locked while buffers are looked at.
        let ids = view.index.read().select(matchers);
        let steps = if start < end { steps(view, &ids, &options(true, true)) } else { VecDeque::new() };
        Self {
            start,
            end,
            scan: options(wanted.lines, wanted.metadata),
            purpose: Arc::new(Purpose { direction, wanted, filter, no_metadata: Labels::empty() }),
            steps,
            running: None,
            ready: VecDeque::new(),
            failed: false,
        }
    }

    fn advance(&mut self) -> Result<Option<LineBatch>, QueryError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            match &mut self.running {
                None => match self.steps.pop_front() {
                    None => return Ok(None),
                    Some(step) => self.running = Some(self.begin(step)),
                },
                Some(Running::Stream(merge)) => match merge.next_batch()? {
                    None => self.running = None,
                    batch => return Ok(batch),
                },
                Some(Running::Segment(scan)) => match scan.next_rows()? {
                    None => self.running = None,
                    Some((rows, parts)) => {
                        for part in parts {
                            let labels = &scan.segment().layout.streams[part.stream].labels;
                            batches(&rows, &part, labels, &self.purpose, &mut self.ready);
                        }
                    }
                },
            }
        }
    }

    fn begin(&self, step: Step) -> Running {
        match step {
            Step::Segment { segment, streams } => {
                Running::Segment(Scan::new(segment, streams, Arc::clone(&self.scan), SCAN_WINDOW))
            }
            Step::Stream(StreamStep { labels, walks, buffers }) => {
                let mut sources: Vec<Box<dyn ChunkSource>> = Vec::new();
                for (walk, stream) in walks {
                    sources.push(Box::new(WalkSource { walk, stream }));
                }
                let blocks = buffers.iter().flat_map(|buffer| buffer.read(self.start, self.end)).collect();
                for run in BlockSource::runs(blocks, self.start, self.end, self.purpose.direction) {
                    sources.push(Box::new(run));
                }
                Running::Stream(Merge::new(labels, sources, Arc::clone(&self.purpose)))
            }
        }
    }
}

impl Iterator for Selection {
    type Item = Result<LineBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let result = self.advance();
        self.failed = result.is_err();
        result.transpose()
    }
}

/// What has to be done for the given streams, in order. `merging` says how segments are read for merging.
fn steps(view: &View, ids: &[StreamId], merging: &Arc<ScanOptions>) -> VecDeque<Step> {
    let ScanOptions { start, end, direction, .. } = **merging;
    let mut segments: Vec<(&Arc<Segment>, Vec<usize>)> =
        view.segments.iter().map(|segment| (segment, segment.positions(ids, start, end))).collect();
    segments.retain(|(_, positions)| !positions.is_empty());
    segments.sort_by_key(|(segment, _)| segment.layout.extent());
    let mut buffered: FxHashMap<StreamId, Vec<Arc<StreamBuffer>>> = FxHashMap::default();
    for generation in view.generations() {
        for buffer in generation.buffers(ids) {
            if buffer.extent().is_some_and(|extent| extent.first < end && extent.last >= start) {
                buffered.entry(buffer.id).or_default().push(buffer);
            }
        }
    }
    let overlapping = overlapping(&segments, &buffered, start, end);

    let mut plain_walks = Vec::new();
    let mut merged: FxHashMap<StreamId, StreamStep> = FxHashMap::default();
    for (segment, positions) in segments {
        let (mixed, plain): (Vec<usize>, Vec<usize>) =
            positions.into_iter().partition(|at| overlapping.contains(&segment.ids[*at]));
        if !mixed.is_empty() {
            let walk = Arc::new(Mutex::new(Walk {
                scan: Scan::new(Arc::clone(segment), mixed.clone(), Arc::clone(merging), MERGE_WINDOW),
                direction,
                parts: VecDeque::new(),
            }));
            for at in mixed {
                let step = merged.entry(segment.ids[at]).or_insert_with(|| StreamStep {
                    labels: segment.layout.streams[at].labels.clone(),
                    walks: Vec::new(),
                    buffers: Vec::new(),
                });
                step.walks.push((Arc::clone(&walk), at));
            }
        }
        if !plain.is_empty() {
            plain_walks.push(Step::Segment { segment: Arc::clone(segment), streams: plain });
        }
    }
    let mut from_memory = Vec::new();
    for (id, buffers) in buffered {
        match merged.get_mut(&id) {
            Some(step) => step.buffers = buffers,
            None => {
                from_memory.push(StreamStep { labels: buffers[0].labels.clone(), walks: Vec::new(), buffers })
            }
        }
    }
    // What is in memory is younger than what is in segments, for every stream that is not merged.
    let mut steps: VecDeque<Step> = plain_walks.into();
    if direction == Direction::Backward {
        steps.make_contiguous().reverse();
        from_memory.into_iter().for_each(|step| steps.push_front(Step::Stream(step)));
    } else {
        steps.extend(from_memory.into_iter().map(Step::Stream));
    }
    let mut merged: Vec<StreamStep> = merged.into_values().collect();
    merged.sort_unstable_by(|a, b| match direction {
        Direction::Forward => a.labels.cmp(&b.labels),
        Direction::Backward => b.labels.cmp(&a.labels),
    });
    steps.extend(merged.into_iter().map(Step::Stream));
    steps
}

/// The streams whose parts, in the order in which they would be read, do not follow each other in time.
fn overlapping(
    segments: &[(&Arc<Segment>, Vec<usize>)],
    buffered: &FxHashMap<StreamId, Vec<Arc<StreamBuffer>>>,
    start: Nanos,
    end: Nanos,
) -> FxHashSet<StreamId> {
    let mut streams: FxHashMap<StreamId, Progress> = FxHashMap::default();
    let mut note = |id: StreamId, first: Nanos, last: Nanos| {
        let (first, last) = (first.max(start), last.min(end.saturating_sub(1)));
        streams
            .entry(id)
            .and_modify(|progress| {
                progress.overlaps |= first <= progress.last;
                progress.last = progress.last.max(last);
            })
            .or_insert(Progress { last, overlaps: false });
    };
    for (segment, positions) in segments {
        for at in positions {
            let rows = &segment.layout.streams[*at];
            note(segment.ids[*at], rows.first, rows.last);
        }
    }
    for (id, buffers) in buffered {
        // The buffers of a stream are merged with each other in any case: together they are one part.
        let extents = || buffers.iter().filter_map(|buffer| buffer.extent());
        let first = extents().map(|extent| extent.first).min();
        let last = extents().map(|extent| extent.last).max();
        if let (Some(first), Some(last)) = (first, last) {
            note(*id, first, last);
        }
    }
    streams.into_iter().filter(|(_, progress)| progress.overlaps).map(|(id, _)| id).collect()
}

/// Makes batches of a part of decoded rows.
fn batches(rows: &Rows, part: &Part, labels: &Labels, purpose: &Purpose, ready: &mut VecDeque<LineBatch>) {
    let mut accepted = purpose.filter.accepted(rows, part.rows.clone());
    if purpose.direction == Direction::Backward {
        accepted.reverse();
    }
    let mut batch = LineBatchBuilder::new(labels.clone());
    for at in accepted {
        let (time, line, metadata) = (rows.timestamp(at), rows.line(at), rows.metadata(at));
        if is_full(&batch) || !purpose.add_accepted(&mut batch, time, line, metadata) {
            ready.push_back(std::mem::replace(&mut batch, LineBatchBuilder::new(labels.clone())).finish());
            let added = purpose.add_accepted(&mut batch, time, line, metadata);
            debug_assert!(added, "BUG: an empty batch takes any line");
        }
    }
    if !batch.is_empty() {
        ready.push_back(batch.finish());
    }
}

// === impl Walk ===

impl Walk {
    /// The next rows of a stream; `None` when they are all read. Streams are to be asked for in the order of the walk, each to its end.
    fn next_of(&mut self, stream: usize) -> Result<Option<Chunk>, QueryError> {
        while self.parts.is_empty() {
            let Some((rows, mut parts)) = self.scan.next_rows()? else {
                return Ok(None);
            };
            if self.direction == Direction::Backward {
                parts.reverse();
            }
            self.parts.extend(parts.into_iter().map(|part| (Arc::clone(&rows), part)));
        }
        // Another stream's part: of this one there is nothing (more), a filter may have left it out.
        let is_its = self.parts.front().is_some_and(|(_, part)| part.stream == stream);
        let next = if is_its { self.parts.pop_front() } else { None };
        Ok(next.map(|(rows, part)| Chunk::Rows(rows, part.rows)))
    }
}

// === impl WalkSource ===

impl ChunkSource for WalkSource {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, QueryError> {
        self.walk.lock().next_of(self.stream)
    }

    fn is_distinct(&self) -> bool {
        true
    }
}
