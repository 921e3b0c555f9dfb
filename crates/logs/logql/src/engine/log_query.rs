//! Log queries: the first `limit` lines that pass the pipeline, merged over streams.

use std::collections::BinaryHeap;

use model::Nanos;
use streams::{Direction, LineBatch, LogQuerier, LogSource, SelectLogs, Wanted};

use super::label_sets::LabelSets;
use super::{Cancel, Engine, EngineError, LogEntry, QueryParams, Stats, Streams};
use crate::pipeline::{Entry, EntryLabels, Hints, Pipeline};
use crate::syntax::LogExpr;

/// Rows between two looks at the cancel switch.
const ROWS_PER_CHECK: usize = 64;

/// The first slice of the range is this part of it; each further one is twice as long as the one before.
const FIRST_SLICE: i64 = 64;
/// No slice is shorter, nanoseconds: below a minute, opening a query costs more than reading.
const MIN_SLICE: i64 = 60 * 1_000_000_000;

/// Label sets are rebuilt when there are so many more than entries that still need them.
const MAX_STALE_SETS: usize = 20_000;

pub(super) fn run(
    engine: &Engine,
    source: &dyn LogSource,
    log: &LogExpr,
    params: &QueryParams,
    cancel: &Cancel,
    stats: &mut Stats,
) -> Result<Streams, EngineError> {
    engine.options.check_limit(params.limit)?;
    if params.end < params.start {
        return Err(EngineError::bad_request("end timestamp must not be before or equal to start time"));
    }
    if params.interval < 0 {
        return Err(EngineError::bad_request("interval must be >= 0"));
    }
    let pipeline = Pipeline::compile(&log.stages, &engine.functions)?;
    let mut reader = Reader {
        engine,
        log,
        querier: &*source.querier()?,
        pipeline,
        labels: EntryLabels::new(Hints::all()),
        direction: params.direction,
        cancel,
        stats,
        rows: Vec::new(),
    };
    let mut best = Best::new(params.direction, params.limit);
    for (start, end) in slices(params) {
        if best.is_full() {
            break;
        }
        reader.read(start, end, &mut best)?;
    }
    let mut streams = best.finish();
    if params.interval > 0 {
        space_out(&mut streams, params.interval);
    }
    Ok(streams)
}

/// Parts of the range from the wanted end on, which do not overlap.
fn slices(params: &QueryParams) -> Vec<(Nanos, Nanos)> {
    let QueryParams { start, end, direction, .. } = *params;
    let mut length = (end.saturating_sub(start) / FIRST_SLICE).max(MIN_SLICE);
    let mut slices = Vec::new();
    let (mut low, mut high) = (start, end);
    while low < high {
        let slice = match direction {
            Direction::Forward => (low, low.saturating_add(length).min(high)),
            Direction::Backward => (high.saturating_sub(length).max(low), high),
        };
        match direction {
            Direction::Forward => low = slice.1,
            Direction::Backward => high = slice.0,
        }
        slices.push(slice);
        length = length.saturating_mul(2);
    }
    slices
}

/// Leaves out lines that are closer to the one before than the interval.
fn space_out(streams: &mut Streams, interval: i64) {
    let mut last: Option<Nanos> = None;
    streams.entries.retain(|entry| {
        let far_enough = last.is_none_or(|last| entry.timestamp.abs_diff(last) >= interval.unsigned_abs());
        if far_enough {
            last = Some(entry.timestamp);
        }
        far_enough
    });
}

/// Reads entries and runs the pipeline over them.
struct Reader<'a> {
    engine: &'a Engine,
    log: &'a LogExpr,
    querier: &'a dyn LogQuerier,
    pipeline: Pipeline,
    labels: EntryLabels,
    direction: Direction,
    cancel: &'a Cancel,
    stats: &'a mut Stats,
    rows: Vec<u32>,
}

impl Reader<'_> {
    fn read(&mut self, start: Nanos, end: Nanos, best: &mut Best) -> Result<(), EngineError> {
        let select = SelectLogs {
            matchers: self.log.matchers.clone(),
            start,
            end,
            direction: self.direction,
            filters: self.pipeline.store_filters(),
            wanted: Wanted { lines: true, metadata: true },
        };
        for batch in self.querier.select(&select)? {
            self.cancel.check()?;
            self.batch(&batch?, best)?;
            self.engine.options.check_memory(best.bytes)?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: &LineBatch, best: &mut Best) -> Result<(), EngineError> {
        if batch.timestamps.first().is_none_or(|first| best.is_beyond(*first)) {
            return Ok(());
        }
        self.stats.lines_processed += batch.len() as u64;
        self.stats.bytes_processed += batch.text().len() as u64;
        self.pipeline.rows(batch, &mut self.rows);
        self.labels.set_stream(&batch.stream);
        for (i, row) in self.rows.iter().enumerate() {
            if i % ROWS_PER_CHECK == ROWS_PER_CHECK - 1 {
                self.cancel.check()?;
                self.engine.options.check_memory(best.bytes)?;
            }
            let at = *row as usize;
            let timestamp = batch.timestamps[at];
            if best.is_beyond(timestamp) {
                break;
            }
            self.labels.start(batch.metadata(at));
            let mut entry = Entry { timestamp, line: String::from_utf8_lossy(batch.line(at)) };
            if self.pipeline.run(&mut entry, &mut self.labels) {
                self.stats.lines_matched += 1;
                best.take(entry, &self.labels);
            }
        }
        Ok(())
    }
}

/// The best `limit` entries in the query's direction.
struct Best {
    direction: Direction,
    limit: usize,
    /// The worst on top.
    heap: BinaryHeap<Ranked>,
    sets: LabelSets,
    /// Orders entries of one time as they came.
    taken: u64,
    /// Bytes of the lines.
    bytes: usize,
}

struct Ranked {
    /// Less is better.
    rank: (i64, u64),
    entry: LogEntry,
}

impl Best {
    fn new(direction: Direction, limit: usize) -> Self {
        Self { direction, limit, heap: BinaryHeap::new(), sets: LabelSets::default(), taken: 0, bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.heap.len() >= self.limit
    }

    fn rank(&self, timestamp: Nanos) -> i64 {
        match self.direction {
            Direction::Forward => timestamp,
            // Unlike negation this has a value for every time.
            Direction::Backward => !timestamp,
        }
    }

    /// Whether an entry of this time is of no use, nor any after it in the query's direction.
    fn is_beyond(&self, timestamp: Nanos) -> bool {
        self.limit == 0
            || (self.is_full() && self.heap.peek().is_some_and(|worst| self.rank(timestamp) >= worst.rank.0))
    }

    fn take(&mut self, entry: Entry<'_>, labels: &EntryLabels) {
        self.sweep();
        let set = self.sets.number(labels);
        let rank = (self.rank(entry.timestamp), self.taken);
        self.taken += 1;
        self.bytes += entry.line.len() + size_of::<Ranked>();
        self.heap.push(Ranked {
            rank,
            entry: LogEntry { timestamp: entry.timestamp, set, line: entry.line.into_owned() },
        });
        if self.heap.len() > self.limit
            && let Some(worst) = self.heap.pop()
        {
            self.bytes -= worst.entry.line.len() + size_of::<Ranked>();
        }
    }

    /// Forgets label sets that only entries used which have been pushed out since.
    fn sweep(&mut self) {
        if self.sets.len() < self.limit.saturating_mul(2).saturating_add(MAX_STALE_SETS) {
            return;
        }
        let sets = std::mem::take(&mut self.sets).into_sets();
        let mut kept = Vec::new();
        let mut numbers = rustc_hash::FxHashMap::default();
        let mut entries = std::mem::take(&mut self.heap).into_vec();
        for ranked in &mut entries {
            let old = ranked.entry.set;
            ranked.entry.set = *numbers.entry(old).or_insert_with(|| {
                kept.push(sets[old].clone());
                kept.len() - 1
            });
        }
        self.heap = entries.into();
        self.sets = LabelSets::with(kept);
    }

    fn finish(self) -> Streams {
        let entries = self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.entry).collect();
        Streams { sets: self.sets.into_sets(), entries }
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}
