//! Answers.

use std::time::Duration;

use model::{Labels, Millis, Nanos};
use rustc_hash::FxHashMap;

use super::steps::Steps;

/// The answer to a query.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// What was asked for.
    pub data: QueryData,
    /// What it took.
    pub stats: Stats,
    /// What its reader should know.
    pub warnings: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub enum QueryData {
    /// Lines.
    Streams(Streams),
    /// Values over time, sorted by labels.
    Matrix(Vec<Series>),
    /// Values at one moment, sorted by labels unless the query sorts.
    Vector(Vec<Sample>),
    /// One number.
    Scalar(Point),
}

/// What a query took.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of lines read.
    pub bytes_processed: u64,
    /// Lines read.
    pub lines_processed: u64,
    /// Lines that passed every filter.
    pub lines_matched: u64,
    /// Lines returned.
    pub entries_returned: u64,
    /// From start to end.
    pub elapsed: Duration,
}

/// Lines in the order of the query's direction, and their label sets.
///
/// One entry names one set, so that either form of the answer can be made: [`Streams::plain`] or [`Streams::categorized`].
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// The label sets, in no order.
    pub sets: Vec<EntryLabelSet>,
    /// The lines.
    pub entries: Vec<LogEntry>,
}

/// The labels of an entry by where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLabelSet {
    /// All of them.
    pub all: Labels,
    /// Those of its stream.
    pub stream: Labels,
    /// Those of its structured metadata.
    pub metadata: Labels,
    /// Those that the query made, errors included.
    pub parsed: Labels,
    /// Names of labels that the query made and left empty, sorted. Clients are shown them, with `""`.
    pub empty: Vec<String>,
}

/// A line.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// When it happened.
    pub timestamp: Nanos,
    /// Index of its labels in [`Streams::sets`].
    pub set: usize,
    /// Its text.
    pub line: String,
}

/// Entries with all labels the same.
#[derive(Debug, Clone)]
pub struct PlainStream<'a> {
    /// All labels.
    pub labels: &'a Labels,
    /// Names of labels beside those whose value is empty.
    pub empty: &'a [String],
    /// The entries.
    pub entries: Vec<&'a LogEntry>,
}

/// Entries with their streams' labels the same.
#[derive(Debug, Clone)]
pub struct CategorizedStream<'a> {
    /// The stream's labels.
    pub labels: &'a Labels,
    /// The entries.
    pub entries: Vec<CategorizedEntry<'a>>,
}

/// An entry with the labels that are not its stream's.
#[derive(Debug, Clone)]
pub struct CategorizedEntry<'a> {
    /// Time and text.
    pub entry: &'a LogEntry,
    /// Its structured metadata.
    pub metadata: &'a Labels,
    /// What the query made.
    pub parsed: &'a Labels,
    /// Names of labels that the query made and left empty.
    pub empty: &'a [String],
}

/// Values of one series over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its values in time order.
    pub points: Vec<Point>,
}

/// The value of one series at the moment of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// The moment.
    pub timestamp: Millis,
    /// The value.
    pub value: f64,
}

/// A value at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The moment.
    pub timestamp: Millis,
    /// The value.
    pub value: f64,
}

impl Series {
    pub(super) fn new(labels: Labels, row: &vector::Row, steps: Steps) -> Self {
        let point = |(index, value)| Point { timestamp: steps.millis(index), value };
        Self { labels, points: row.iter().map(point).collect() }
    }
}

impl Streams {
    /// Entries grouped by all their labels, groups sorted by labels: the plain form of an answer.
    pub fn plain(&self) -> Vec<PlainStream<'_>> {
        let mut streams: Vec<PlainStream<'_>> = Vec::new();
        let mut index: FxHashMap<(&Labels, &[String]), usize> = FxHashMap::default();
        for entry in &self.entries {
            let EntryLabelSet { all: labels, empty, .. } = &self.sets[entry.set];
            let at = *index.entry((labels, empty)).or_insert_with(|| {
                streams.push(PlainStream { labels, empty, entries: Vec::new() });
                streams.len() - 1
            });
            streams[at].entries.push(entry);
        }
        streams.sort_by(|left, right| left.labels.cmp(right.labels));
        streams
    }

    /// Entries grouped by their streams' labels, groups sorted by labels: the form with the flag `categorize-labels`.
    pub fn categorized(&self) -> Vec<CategorizedStream<'_>> {
        let mut streams: Vec<CategorizedStream<'_>> = Vec::new();
        let mut index: FxHashMap<&Labels, usize> = FxHashMap::default();
        for entry in &self.entries {
            let EntryLabelSet { all: _, stream, metadata, parsed, empty } = &self.sets[entry.set];
            let at = *index.entry(stream).or_insert_with(|| {
                streams.push(CategorizedStream { labels: stream, entries: Vec::new() });
                streams.len() - 1
            });
            streams[at].entries.push(CategorizedEntry { entry, metadata, parsed, empty });
        }
        streams.sort_by(|left, right| left.labels.cmp(right.labels));
        streams
    }
}
