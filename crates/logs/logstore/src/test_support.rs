//! What the tests of several modules share: stores in folders of their own, short ways to push and to read.

use std::path::Path;

use bytes::Bytes;
use model::{Labels, Matcher, Nanos};
use prometheus_client::registry::Registry;
use streams::{
    Direction, Entry, LineFilter, LogAppender, LogQuerier, LogSource, PushError, SelectLogs, Stream,
    StreamQuery, Wanted,
};
use tempfile::TempDir;

use crate::{Store, StoreOptions};

/// An entry as tests compare it: labels, time, line, metadata.
pub(crate) type Seen = (String, Nanos, String, String);

/// A store in a folder that goes away with it.
pub(crate) struct TestStore {
    pub(crate) dir: TempDir,
    pub(crate) options: StoreOptions,
    store: Option<Store>,
    registry: Registry,
}

// === impl TestStore ===

impl TestStore {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut StoreOptions)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut options = StoreOptions::new(dir.path());
        options.segment.row_group_lines = 64;
        // However full the device is that the tests run on.
        options.wal.disk_full_threshold = 0.0;
        change(&mut options);
        let mut test = Self { dir, options, store: None, registry: Registry::default() };
        test.crash();
        test
    }

    /// Ends the store as a crash does, and opens it again.
    pub(crate) fn crash(&mut self) {
        self.stop();
        self.registry = Registry::default();
        let store = Store::open(self.options.clone(), &mut self.registry);
        self.store = Some(store.expect("the store opens"));
    }

    /// As [`TestStore::crash`], with a device that works again only when the store is down.
    pub(crate) fn crash_keeping_faults(&mut self, fs: &disk::fault::FaultyFs) {
        self.stop();
        fs.heal();
        self.crash();
    }

    /// Ends the store as a crash does.
    pub(crate) fn stop(&mut self) {
        self.store = None;
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }

    /// The value of a metric since the store was opened; 0 where it has none.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("metrics can be encoded");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn push(&self, app: &str, entries: &[(Nanos, &str)]) -> Result<(), PushError> {
        self.store().push(vec![stream(app, entries)])
    }

    /// All entries of the streams with an `app`.
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.select(&select(Direction::Forward))
    }

    pub(crate) fn select(&self, select: &SelectLogs) -> Vec<Seen> {
        read(&*self.querier(), select)
    }

    pub(crate) fn querier(&self) -> std::sync::Arc<dyn LogQuerier> {
        self.store().querier().expect("a querier")
    }

    /// Lines of all entries, in the order of streams and time.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.all().into_iter().map(|(_, _, line, _)| line).collect()
    }
}

/// Entries by stream (sorted), within a stream in the order in which they came.
pub(crate) fn read(querier: &dyn LogQuerier, select: &SelectLogs) -> Vec<Seen> {
    let mut seen = Vec::new();
    for batch in querier.select(select).expect("a selection") {
        let batch = batch.expect("a batch");
        assert!(!batch.is_empty(), "no batch is empty");
        for at in 0..batch.len() {
            let line = String::from_utf8(batch.line(at).to_vec()).expect("lines are UTF-8");
            let metadata = batch.metadata(at).map(ToString::to_string).unwrap_or_default();
            seen.push((batch.stream.to_string(), batch.timestamps[at], line, metadata));
        }
    }
    // Stable: the order within a stream is what is to be tested.
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    seen
}

pub(crate) fn labels(app: &str) -> Labels {
    Labels::from_pairs([("app", app)])
}

pub(crate) fn entry(timestamp: Nanos, line: &str) -> Entry {
    Entry { timestamp, line: Bytes::copy_from_slice(line.as_bytes()), metadata: Labels::empty() }
}

pub(crate) fn stream(app: &str, entries: &[(Nanos, &str)]) -> Stream {
    Stream { labels: labels(app), entries: entries.iter().map(|(time, line)| entry(*time, line)).collect() }
}

/// Everything with an `app`.
pub(crate) fn select(direction: Direction) -> SelectLogs {
    SelectLogs {
        matchers: vec![Matcher::new(model::MatchOp::Regex, "app", ".+").expect("a valid matcher")],
        start: Nanos::MIN,
        end: Nanos::MAX,
        direction,
        filters: Vec::new(),
        wanted: Wanted { lines: true, metadata: true },
    }
}

pub(crate) fn containing(text: &str) -> LineFilter {
    LineFilter::Contains(vec![text.to_owned()])
}

/// Every stream at any time.
pub(crate) fn everything() -> StreamQuery {
    StreamQuery { selectors: Vec::new(), start: Nanos::MIN, end: Nanos::MAX }
}

/// Names in a folder, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the folder can be read");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
