//! Reads the head.

use std::{convert::Infallible, hint::black_box, sync::Arc};

use model::{Columns, Labels, Matcher, Millis};
use storage::{LabelQuery, QueryError, Series, SeriesReader};

use super::{
    Head,
    chunk_querier::chunk_sources,
    isolation::View,
    series::{MemSeries, READ_AHEAD, read_newest, read_series},
};
use crate::{
    HeadChunkError,
    error::read_error,
    query::{ChunkSources, Part, PartSet, PostingsSource as _, at_most, label_names, label_values, matching},
};

/// A view on the samples of the head in a range.
pub(crate) struct HeadQuerier {
    seen: Arc<Seen>,
    min_time: Millis,
    max_time: Millis,
}

/// The head as a querier and its readers see it.
struct Seen {
    head: Arc<Head>,
    view: Arc<View>,
}

struct HeadReader {
    seen: Arc<Seen>,
    series: Arc<MemSeries>,
}

/// Nothing can go wrong in memory.
fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
    }
}

// === impl HeadQuerier ===

impl HeadQuerier {
    pub(crate) fn new(head: Arc<Head>, view: Arc<View>, min_time: Millis, max_time: Millis) -> Self {
        Self { seen: Arc::new(Seen { head, view }), min_time, max_time }
    }

    /// The series that satisfy the matchers and have samples about the range, sorted by their labels.
    fn find(&self, matchers: &[Matcher]) -> FoundSeries {
        let head = &self.seen.head;
        let index = head.index().read();
        let slots = infallible(matching(&*index, matchers));
        let all = head.order.sort(&index, slots).into_iter();
        FoundSeries { all, touched: 0, min_time: self.min_time, max_time: self.max_time }
    }
}

/// Looks at series one after the other, as they are asked for: whoever reads one next has its memory at hand.
struct FoundSeries {
    all: std::vec::IntoIter<Arc<MemSeries>>,
    /// How many of the next ones were touched.
    touched: usize,
    min_time: Millis,
    max_time: Millis,
}

impl Iterator for FoundSeries {
    type Item = Arc<MemSeries>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.all.as_slice();
            if self.touched == 0 {
                let next = rest.iter().take(READ_AHEAD);
                black_box(next.fold(0, |sum, series| sum ^ series.touch()));
                self.touched = READ_AHEAD;
            }
            self.touched -= 1;
            let series = self.all.next()?;
            let range = series.state().whole_time_range();
            if range.is_some_and(|(min, max)| min <= self.max_time && max >= self.min_time) {
                return Some(series);
            }
        }
    }
}

impl Part for HeadQuerier {
    fn select(
        &self,
        matchers: &[Matcher],
        _projection: Option<&[String]>,
    ) -> Result<PartSet<Series>, QueryError> {
        let seen = Arc::clone(&self.seen);
        Ok(Box::new(self.find(matchers).map(move |series| {
            let labels = series.labels().clone();
            Ok(Series { labels, samples: Box::new(HeadReader { seen: Arc::clone(&seen), series }) })
        })))
    }

    fn select_chunks(&self, matchers: &[Matcher]) -> Result<PartSet<ChunkSources>, QueryError> {
        let seen = Arc::clone(&self.seen);
        let range = (self.min_time, self.max_time);
        let found = self.find(matchers);
        Ok(Box::new(
            found.map(move |series| Ok(chunk_sources(&series, seen.head.chunk_files(), &seen.view, range))),
        ))
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let index = self.seen.head.index().read();
        if query.selectors.is_empty() {
            return Ok(index.names().map(|(name, _)| name.to_owned()).collect());
        }
        Ok(infallible(label_names(&*index, query, |slot, visit| {
            if let Some(labels) = index.labels(slot) {
                visit(labels);
            }
            Ok(())
        })))
    }

    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let index = self.seen.head.index().read();
        Ok(infallible(label_values(&*index, name, query)))
    }

    fn at_most(&self, matchers: &[Matcher]) -> Result<usize, QueryError> {
        Ok(infallible(at_most(&*self.seen.head.index().read(), matchers)))
    }

    fn texts_at_most(&self, label: Option<&str>) -> usize {
        let index = self.seen.head.index().read();
        match label {
            Some(name) => index.value_count(name),
            None => index.names().count(),
        }
    }
}

impl SeriesReader for HeadReader {
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError> {
        let Seen { head, view } = &*self.seen;
        let read = read_series(&self.series, head.chunk_files(), view, (min_time, max_time), columns);
        read.map_err(|error| self.error(error))
    }

    fn read_newest(
        &mut self,
        min_time: Millis,
        max_time: Millis,
        columns: &mut Columns,
    ) -> Result<(), QueryError> {
        let Seen { head, view } = &*self.seen;
        let read = read_newest(&self.series, head.chunk_files(), view, (min_time, max_time), columns);
        read.map_err(|error| self.error(error))
    }
}

impl HeadReader {
    fn error(&self, error: HeadChunkError) -> QueryError {
        read_error(format!("series {} in the head", self.series.labels()), error)
    }
}

/// Labels of a series in memory, for those who list exemplars.
impl Head {
    /// Whether a series satisfies all matchers.
    pub(crate) fn satisfies(labels: &Labels, matchers: &[Matcher]) -> bool {
        matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
    }
}
