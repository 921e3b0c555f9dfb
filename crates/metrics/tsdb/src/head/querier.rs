//! Reads the head.

use std::{convert::Infallible, sync::Arc};

use model::{Columns, Labels, Matcher, Millis};
use storage::{LabelQuery, QueryError, Series, SeriesReader};

use super::{Head, isolation::View, series::MemSeries, series::read_series};
use crate::{
    error::read_error,
    query::{Part, PartSet, label_names, label_values, matching},
};

/// A view on the samples of the head in a range.
pub(crate) struct HeadQuerier {
    head: Arc<Head>,
    view: Arc<View>,
    min_time: Millis,
    max_time: Millis,
}

struct HeadReader {
    head: Arc<Head>,
    series: Arc<MemSeries>,
    view: Arc<View>,
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
        Self { head, view, min_time, max_time }
    }

    fn has_samples(&self, series: &MemSeries) -> bool {
        let range = series.state().whole_time_range();
        range.is_some_and(|(min, max)| min <= self.max_time && max >= self.min_time)
    }
}

impl Part for HeadQuerier {
    fn select(&self, matchers: &[Matcher]) -> Result<PartSet, QueryError> {
        let mut found: Vec<Arc<MemSeries>> = {
            let index = self.head.index().read();
            let slots = infallible(matching(&*index, matchers));
            self.head.order.sort(&index, slots)
        };
        found.retain(|series| self.has_samples(series));
        let (head, view) = (Arc::clone(&self.head), Arc::clone(&self.view));
        Ok(Box::new(found.into_iter().map(move |series| {
            Ok(Series {
                labels: series.labels().clone(),
                samples: Box::new(HeadReader { head: Arc::clone(&head), series, view: Arc::clone(&view) }),
            })
        })))
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let index = self.head.index().read();
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
        let index = self.head.index().read();
        Ok(infallible(label_values(&*index, name, query)))
    }
}

impl SeriesReader for HeadReader {
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError> {
        read_series(&self.series, self.head.chunk_files(), &self.view, (min_time, max_time), columns)
            .map_err(|error| read_error(format!("series {} in the head", self.series.labels()), error))
    }
}

/// Labels of a series in memory, for those who list exemplars.
impl Head {
    /// Whether a series satisfies all matchers.
    pub(crate) fn satisfies(labels: &Labels, matchers: &[Matcher]) -> bool {
        matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
    }
}
