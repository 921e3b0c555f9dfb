//! A storage in memory: for tests and for scripts that bring their own series.

use std::{collections::BTreeMap, sync::Arc};

use model::{Columns, FloatHistogram, HistogramPoint, Labels, METRIC_NAME, Matcher, Millis};
use storage::{
    LabelQuery, Querier, QueryError, Queryable, SelectHints, Series, SeriesReader, SeriesSet, StartTimestamps,
};

/// Series with their samples, in order of their labels. Cloning shares the samples.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    series: BTreeMap<Labels, Arc<Stored>>,
}

#[derive(Debug, Clone, Default)]
struct Stored {
    columns: Columns,
    /// When counting began, by the time of the sample.
    starts: BTreeMap<Millis, Millis>,
}

impl MemoryStorage {
    /// A storage without series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.series.clear();
    }

    /// Adds a float sample. One with the same time is replaced.
    pub fn push(&mut self, labels: &Labels, timestamp: Millis, value: f64) {
        let columns = self.columns(labels);
        match columns.timestamps.binary_search(&timestamp) {
            Ok(at) => columns.values[at] = value,
            Err(at) => {
                columns.timestamps.insert(at, timestamp);
                columns.values.insert(at, value);
            }
        }
    }

    /// Adds a native histogram sample. One with the same time is replaced.
    pub fn push_histogram(&mut self, labels: &Labels, timestamp: Millis, histogram: FloatHistogram) {
        let columns = self.columns(labels);
        let point = HistogramPoint { timestamp, histogram };
        match columns.histograms.binary_search_by_key(&timestamp, |point| point.timestamp) {
            Ok(at) => columns.histograms[at] = point,
            Err(at) => columns.histograms.insert(at, point),
        }
    }

    /// Says when the counting of a sample began.
    pub fn set_start(&mut self, labels: &Labels, timestamp: Millis, start: Millis) {
        Arc::make_mut(self.series.entry(labels.clone()).or_default()).starts.insert(timestamp, start);
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn columns(&mut self, labels: &Labels) -> &mut Columns {
        &mut Arc::make_mut(self.series.entry(labels.clone()).or_default()).columns
    }

    fn matching(&self, matchers: &[Matcher]) -> impl Iterator<Item = (&Labels, &Arc<Stored>)> {
        self.series.iter().filter(|(labels, _)| {
            matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
        })
    }

    fn label_sets(&self, query: &LabelQuery) -> Vec<&Labels> {
        if query.selectors.is_empty() {
            return self.series.keys().collect();
        }
        query
            .selectors
            .iter()
            .flat_map(|matchers| self.matching(matchers))
            .map(|(labels, _)| labels)
            .collect()
    }
}

impl Queryable for MemoryStorage {
    fn querier(&self, _min_time: Millis, _max_time: Millis) -> Result<Box<dyn Querier>, QueryError> {
        Ok(Box::new(self.clone()))
    }
}

impl Querier for MemoryStorage {
    fn select(&self, hints: &SelectHints, matchers: &[Matcher]) -> Result<Box<dyn SeriesSet>, QueryError> {
        // All that hints allow to be left out is left out: whoever wants it after all would not be right with any storage.
        let shown = |labels: &Labels| match &hints.projection {
            Some(names) => labels.filter(|name| names.iter().any(|wanted| wanted == name)),
            None => labels.clone(),
        };
        let series: Vec<_> =
            self.matching(matchers).map(|(labels, stored)| (shown(labels), Arc::clone(stored))).collect();
        Ok(Box::new(MemorySet(series.into_iter())))
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let names = self.label_sets(query).into_iter().flat_map(|labels| labels.iter().map(|(name, _)| name));
        Ok(distinct(names, query.limit))
    }

    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let values = self.label_sets(query).into_iter().filter_map(|labels| labels.get(name));
        Ok(distinct(values, query.limit))
    }

    fn at_most(&self, matchers: &[Matcher]) -> usize {
        self.matching(matchers).count()
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>, limit: usize) -> Vec<String> {
    let mut texts: Vec<String> = texts.map(str::to_owned).collect();
    texts.sort_unstable();
    texts.dedup();
    if limit > 0 {
        texts.truncate(limit);
    }
    texts
}

struct MemorySet(std::vec::IntoIter<(Labels, Arc<Stored>)>);

impl SeriesSet for MemorySet {
    fn next(&mut self) -> Option<Result<Series, QueryError>> {
        let (labels, stored) = self.0.next()?;
        Some(Ok(Series { labels, samples: Box::new(MemoryReader(stored)) }))
    }
}

struct MemoryReader(Arc<Stored>);

impl SeriesReader for MemoryReader {
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError> {
        let all = &self.0.columns;
        let from = all.timestamps.partition_point(|time| *time < min_time);
        let to = all.timestamps.partition_point(|time| *time <= max_time);
        if from < to {
            columns.timestamps.extend_from_slice(&all.timestamps[from..to]);
            columns.values.extend_from_slice(&all.values[from..to]);
        }
        let inside = |point: &&HistogramPoint| (min_time..=max_time).contains(&point.timestamp);
        columns.histograms.extend(all.histograms.iter().filter(inside).cloned());
        Ok(())
    }

    fn read_newest(
        &mut self,
        min_time: Millis,
        max_time: Millis,
        columns: &mut Columns,
    ) -> Result<(), QueryError> {
        let mut all = Columns::default();
        self.read(min_time, max_time, &mut all)?;
        let histogram = all.histograms.pop();
        let is_newer = |time: Millis| histogram.as_ref().is_none_or(|point| point.timestamp < time);
        match (all.timestamps.pop(), all.values.pop()) {
            (Some(time), Some(value)) if is_newer(time) => columns.push(time, value),
            _ => columns.histograms.extend(histogram),
        }
        Ok(())
    }

    fn read_starts(
        &mut self,
        min_time: Millis,
        max_time: Millis,
        starts: &mut StartTimestamps,
    ) -> Result<(), QueryError> {
        let Stored { columns, starts: known } = &*self.0;
        if known.is_empty() {
            return Ok(());
        }
        let inside = |time: &Millis| (min_time..=max_time).contains(time);
        let start = |time: Millis| known.get(&time).copied().unwrap_or(0);
        starts.floats.extend(columns.timestamps.iter().copied().filter(inside).map(start));
        let histograms = columns.histograms.iter().map(|point| point.timestamp);
        starts.histograms.extend(histograms.filter(inside).map(start));
        Ok(())
    }
}

/// Labels with a metric's name, for tests.
pub fn series_labels<'a>(name: &'a str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
    Labels::from_pairs(std::iter::once((METRIC_NAME, name)).chain(pairs))
}
