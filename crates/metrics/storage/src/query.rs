//! Reading samples.

use model::{Columns, Labels, Matcher, Millis};

use crate::QueryError;

/// Something that can be queried.
pub trait Queryable: Send + Sync {
    /// Opens a view on the samples in `[min_time, max_time]`, both inclusive, in milliseconds.
    ///
    /// The view stays consistent while it lives: what is deleted or compacted meanwhile stays readable, a batch that is committed
    /// meanwhile is seen whole or not at all.
    fn querier(&self, min_time: Millis, max_time: Millis) -> Result<Box<dyn Querier>, QueryError>;
}

/// A view on a time range.
pub trait Querier: Send + Sync {
    /// The series that satisfy all matchers, sorted by their labels. Without matchers: all series.
    fn select(&self, hints: &SelectHints, matchers: &[Matcher]) -> Result<Box<dyn SeriesSet>, QueryError>;

    /// Names of labels, sorted.
    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError>;

    /// Values of a label, sorted.
    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError>;

    /// How many series satisfy all matchers at most, as far as that can be told at once; `usize::MAX` where it cannot.
    fn at_most(&self, _matchers: &[Matcher]) -> usize {
        usize::MAX
    }

    /// How many values a label has at most, or how many names labels have where none is named, as far as that can be told at once;
    /// `usize::MAX` where it cannot.
    fn texts_at_most(&self, _label: Option<&str>) -> usize {
        usize::MAX
    }
}

/// Which series label names and values are asked of.
#[derive(Debug, Clone, Default)]
pub struct LabelQuery {
    /// Selectors, of which a series has to satisfy one; none means all series.
    pub selectors: Vec<Vec<Matcher>>,
    /// The most values to return; 0 means all.
    pub limit: usize,
}

/// What the caller is going to do with the samples. A storage may ignore all of it.
#[derive(Debug, Clone, Default)]
pub struct SelectHints {
    /// First moment of interest, milliseconds.
    pub start: Millis,
    /// Last moment of interest, milliseconds.
    pub end: Millis,
    /// Step of the query, milliseconds; 0 for an instant query.
    pub step: Millis,
    /// Range of the enclosing range selector, milliseconds; 0 for an instant selector.
    pub range: Millis,
    /// The function or aggregation around the selector, empty where there is none; `series` where no samples are wanted at all.
    pub function: String,
    /// The most series to return; 0 means all.
    pub limit: usize,
    /// The only labels that the caller looks at, where it does not want all: series may come without the others, in the order of all.
    pub projection: Option<Vec<String>>,
    /// Whether chunks that cross an end of the range may be given as they are, with samples beside it: that saves encoding them anew.
    /// Samples are always cut to the range.
    pub disable_trimming: bool,
}

/// Series in order of their labels; each label set occurs once.
pub trait SeriesSet: Send {
    /// The next series. An error ends the set.
    fn next(&mut self) -> Option<Result<Series, QueryError>>;
}

/// One series of a result.
pub struct Series {
    /// Its labels, with the metric name.
    pub labels: Labels,
    /// Its samples. Independent of the set and of other series, so that series can be read on several threads.
    pub samples: Box<dyn SeriesReader>,
}

/// Reads the samples of one series.
pub trait SeriesReader: Send {
    /// Appends the samples in `[min_time, max_time]`, both inclusive, to `columns`: in time order, each timestamp once, staleness markers
    /// included. May be called more than once, for any range within the querier's.
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError>;

    /// As [`SeriesReader::read`], for who wants the newest sample only: any that are older may be left out.
    fn read_newest(
        &mut self,
        min_time: Millis,
        max_time: Millis,
        columns: &mut Columns,
    ) -> Result<(), QueryError> {
        self.read(min_time, max_time, columns)
    }

    /// Appends when the counting of each of those samples began. A storage that does not keep this appends nothing.
    fn read_starts(
        &mut self,
        _min_time: Millis,
        _max_time: Millis,
        _starts: &mut StartTimestamps,
    ) -> Result<(), QueryError> {
        Ok(())
    }
}

/// When the counting of samples began, by sample; 0 where it is not known. Empty, or as long as the samples are many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartTimestamps {
    /// Of the float samples.
    pub floats: Vec<Millis>,
    /// Of the histogram samples.
    pub histograms: Vec<Millis>,
}

impl StartTimestamps {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.floats.clear();
        self.histograms.clear();
    }
}

/// Reads a whole set into memory: for tests and small answers.
pub fn collect(
    set: &mut dyn SeriesSet,
    min_time: Millis,
    max_time: Millis,
) -> Result<Vec<(Labels, Columns)>, QueryError> {
    let mut all = Vec::new();
    while let Some(series) = set.next() {
        let mut series = series?;
        let mut columns = Columns::default();
        series.samples.read(min_time, max_time, &mut columns)?;
        all.push((series.labels, columns));
    }
    Ok(all)
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series").field("labels", &self.labels).finish_non_exhaustive()
    }
}
