//! One view over head and blocks: series by series in order of labels, samples in order of time.

use std::iter::Take;

use model::{Columns, HistogramPoint, Labels, Matcher, Millis};
use storage::{LabelQuery, Querier, QueryError, SelectHints, Series, SeriesReader, SeriesSet};

use super::{Part, PartSet};

/// A view on all parts that have samples in a range.
pub(crate) struct DbQuerier {
    /// In order of time.
    pub(super) parts: Vec<Box<dyn Part>>,
    /// Both ends inclusive.
    pub(super) range: (Millis, Millis),
}

/// A series as one part has it, with samples or with chunks.
pub(crate) trait PartSeries {
    fn labels(&self) -> &Labels;

    /// Makes one of the same series of several parts. `later` are in order of their parts: of two samples with one timestamp the earlier
    /// part's stays.
    fn merged_with(self, later: Vec<Self>) -> Self
    where
        Self: Sized;
}

/// The series of all parts; those with equal labels are one.
pub(crate) struct MergedSet<S> {
    sets: Vec<Head<S>>,
    left: usize,
    failed: bool,
}

/// The series of a single part.
struct SingleSet(Take<PartSet<Series>>);

/// A part's series and the next one of it.
struct Head<S> {
    next: Option<S>,
    rest: PartSet<S>,
}

/// Reads a series that is in several parts.
struct MergedReader {
    /// In order of time, as far as parts do not overlap.
    readers: Vec<Box<dyn SeriesReader>>,
}

// === impl DbQuerier ===

impl DbQuerier {
    pub(crate) fn new(parts: Vec<Box<dyn Part>>, range: (Millis, Millis)) -> Self {
        Self { parts, range }
    }
}

impl Querier for DbQuerier {
    fn select(&self, hints: &SelectHints, matchers: &[Matcher]) -> Result<Box<dyn SeriesSet>, QueryError> {
        // All labels tell which series of several parts are the same.
        let projection = hints.projection.as_deref().filter(|_| self.parts.len() == 1);
        let sets = self.parts.iter().map(|part| part.select(matchers, projection));
        let mut sets = sets.collect::<Result<Vec<_>, _>>()?;
        match (sets.pop(), sets.is_empty()) {
            (Some(only), true) => Ok(Box::new(SingleSet(only.take(most(hints.limit))))),
            (last, _) => {
                sets.extend(last);
                Ok(Box::new(MergedSet::new(sets, hints.limit)?))
            }
        }
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        merge_texts(self.parts.iter().map(|part| part.label_names(query)), query.limit)
    }

    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        merge_texts(self.parts.iter().map(|part| part.label_values(name, query)), query.limit)
    }

    fn at_most(&self, matchers: &[Matcher]) -> usize {
        // Whoever reads a part that cannot be read is told so then.
        let parts = self.parts.iter().map(|part| part.at_most(matchers).unwrap_or(usize::MAX));
        parts.fold(0, usize::saturating_add)
    }

    fn texts_at_most(&self, label: Option<&str>) -> usize {
        self.parts.iter().map(|part| part.texts_at_most(label)).fold(0, usize::saturating_add)
    }
}

fn merge_texts(
    mut parts: impl Iterator<Item = Result<Vec<String>, QueryError>>,
    limit: usize,
) -> Result<Vec<String>, QueryError> {
    let mut all = parts.next().transpose()?.unwrap_or_default();
    for part in parts {
        all.extend(part?);
    }
    // Of one part they mostly are in order.
    if !all.is_sorted_by(|a, b| a < b) {
        all.sort_unstable();
        all.dedup();
    }
    all.truncate(most(limit));
    Ok(all)
}

/// How many a limit allows, of which 0 is none.
fn most(limit: usize) -> usize {
    if limit == 0 { usize::MAX } else { limit }
}

// === impl MergedSet ===

impl<S: PartSeries> MergedSet<S> {
    /// `limit` is the most series; 0 for all.
    pub(crate) fn new(sets: Vec<PartSet<S>>, limit: usize) -> Result<Self, QueryError> {
        let mut heads = Vec::with_capacity(sets.len());
        for rest in sets {
            let mut head = Head { next: None, rest };
            head.advance()?;
            if head.next.is_some() {
                heads.push(head);
            }
        }
        Ok(Self { sets: heads, left: most(limit), failed: false })
    }

    fn smallest(&self) -> Option<&Labels> {
        let mut labels = self.sets.iter().filter_map(|set| Some(set.next.as_ref()?.labels()));
        let first = labels.next()?;
        // Most parts have the same series: equality is one comparison of memory, order is not.
        Some(labels.fold(first, |least, next| if next != least && next < least { next } else { least }))
    }

    fn next_series(&mut self) -> Result<Option<S>, QueryError> {
        let Some(labels) = self.smallest().cloned() else {
            return Ok(None);
        };
        let (mut first, mut later) = (None, Vec::new());
        for set in &mut self.sets {
            if let Some(series) = set.next.take_if(|series| *series.labels() == labels) {
                match first {
                    None => first = Some(series),
                    Some(_) => later.push(series),
                }
                set.advance()?;
            }
        }
        self.sets.retain(|set| set.next.is_some());
        Ok(first.map(|first| if later.is_empty() { first } else { first.merged_with(later) }))
    }
}

impl<S: PartSeries> Iterator for MergedSet<S> {
    type Item = Result<S, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let next = self.next_series();
        self.failed = next.is_err();
        next.transpose()
    }
}

impl SeriesSet for MergedSet<Series> {
    fn next(&mut self) -> Option<Result<Series, QueryError>> {
        Iterator::next(self)
    }
}

impl SeriesSet for SingleSet {
    fn next(&mut self) -> Option<Result<Series, QueryError>> {
        self.0.next()
    }
}

// === impl Head ===

impl<S> Head<S> {
    fn advance(&mut self) -> Result<(), QueryError> {
        self.next = self.rest.next().transpose()?;
        Ok(())
    }
}

// === impl Series ===

impl PartSeries for Series {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn merged_with(self, later: Vec<Self>) -> Self {
        let Self { labels, samples } = self;
        let readers = std::iter::once(samples).chain(later.into_iter().map(|series| series.samples));
        Self { labels, samples: Box::new(MergedReader { readers: readers.collect() }) }
    }
}

// === impl MergedReader ===

impl SeriesReader for MergedReader {
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError> {
        let mut part = Columns::default();
        for reader in &mut self.readers {
            part.clear();
            reader.read(min_time, max_time, &mut part)?;
            merge_columns(columns, &mut part);
        }
        Ok(())
    }

    fn read_newest(
        &mut self,
        min_time: Millis,
        max_time: Millis,
        columns: &mut Columns,
    ) -> Result<(), QueryError> {
        let mut part = Columns::default();
        for reader in &mut self.readers {
            part.clear();
            reader.read_newest(min_time, max_time, &mut part)?;
            merge_columns(columns, &mut part);
        }
        Ok(())
    }
}

/// Adds samples that may overlap those already there; of two with one timestamp the earlier part's stays.
pub(crate) fn merge_columns(columns: &mut Columns, part: &mut Columns) {
    if !columns.histograms.is_empty() || !part.histograms.is_empty() {
        leave_known_moments(columns, part);
        merge_histograms(&mut columns.histograms, &mut part.histograms);
    }
    merge_floats(columns, part);
}

/// Drops the floats of `part` at moments where `columns` has a histogram, and the other way round: a series changed its kind between
/// writes of one stretch of time.
fn leave_known_moments(columns: &Columns, part: &mut Columns) {
    let Columns { timestamps, values, histograms } = part;
    histograms.retain(|point| columns.timestamps.binary_search(&point.timestamp).is_err());
    let is_new = |timestamp: &Millis| {
        columns.histograms.binary_search_by_key(timestamp, |point| point.timestamp).is_err()
    };
    let mut new = timestamps.iter().map(is_new);
    values.retain(|_| new.next().unwrap_or_default());
    timestamps.retain(is_new);
}

fn merge_histograms(columns: &mut Vec<HistogramPoint>, part: &mut Vec<HistogramPoint>) {
    let newest = columns.last().map(|point| point.timestamp);
    let overlap = part.first().is_some_and(|first| newest >= Some(first.timestamp));
    columns.append(part);
    if overlap {
        // Stable: what was there stays in front, and in.
        columns.sort_by_key(|point| point.timestamp);
        columns.dedup_by_key(|point| point.timestamp);
    }
}

fn merge_floats(columns: &mut Columns, part: &mut Columns) {
    let Some(first) = part.timestamps.first() else {
        return;
    };
    // Nearly always the part lies behind what is there.
    let overlap = columns.timestamps.partition_point(|timestamp| timestamp < first);
    if overlap == columns.timestamps.len() {
        columns.timestamps.append(&mut part.timestamps);
        columns.values.append(&mut part.values);
        return;
    }
    let old_times = columns.timestamps.split_off(overlap);
    let old_values = columns.values.split_off(overlap);
    let mut old = old_times.into_iter().zip(old_values).peekable();
    let mut new = part.timestamps.drain(..).zip(part.values.drain(..)).peekable();
    loop {
        let sample = match (old.peek(), new.peek()) {
            (Some((a, _)), Some((b, _))) if a == b => {
                new.next();
                old.next()
            }
            (Some((a, _)), Some((b, _))) if a > b => new.next(),
            (Some(_), _) => old.next(),
            (None, _) => new.next(),
        };
        let Some((timestamp, value)) = sample else {
            return;
        };
        columns.timestamps.push(timestamp);
        columns.values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::FloatHistogram;
    use proptest::prelude::*;

    use super::*;

    /// A sample as one number: floats by their value, histograms by their count.
    type Samples = BTreeMap<Millis, (bool, u32)>;

    fn columns(samples: &Samples) -> Columns {
        let mut columns = Columns::default();
        for (timestamp, (histogram, number)) in samples {
            if *histogram {
                let histogram = FloatHistogram { count: f64::from(*number), ..FloatHistogram::default() };
                columns.histograms.push(HistogramPoint { timestamp: *timestamp, histogram });
            } else {
                columns.push(*timestamp, f64::from(*number));
            }
        }
        columns
    }

    fn samples(numbers: std::ops::Range<u32>) -> impl Strategy<Value = Samples> {
        prop::collection::btree_map(0i64..40, (any::<bool>(), numbers), 0..20)
    }

    proptest! {
        #[test]
        fn of_two_samples_at_one_moment_the_earlier_part_keeps_its_own(first in samples(0..100), second in samples(100..200)) {
            let mut merged = columns(&first);
            merge_columns(&mut merged, &mut columns(&second));
            let mut want = second;
            want.extend(first);
            prop_assert_eq!(merged, columns(&want));
        }
    }
}
