//! Writing samples.

use model::{FloatHistogram, Histogram, Labels, Millis};

use crate::{AppendError, CommitError};

/// Names a series within one storage, for as long as that storage keeps it. Zero means unknown.
///
/// Who appends to the same series again hands the reference back and so saves the look-up; a reference that is no longer valid is no
/// error: the storage finds the series by its labels then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct SeriesRef(pub u64);

impl SeriesRef {
    /// No reference.
    pub const UNKNOWN: Self = Self(0);

    /// Whether this names a series.
    pub fn is_known(self) -> bool {
        self.0 != 0
    }
}

/// Something that takes samples.
pub trait Appendable: Send + Sync {
    /// Starts a batch.
    fn appender(&self) -> Box<dyn Appender + '_>;
}

/// One batch of samples: all of it becomes visible and durable with [`Appender::commit`], or none.
///
/// Dropping an appender rolls it back. An append that fails leaves the batch as it was: the caller may go on with other samples.
/// One appender is used by one thread at a time; different appenders do not wait for each other but at the end.
pub trait Appender: Send {
    /// Adds a float sample. `timestamp` is in milliseconds; [`model::STALE_NAN`] ends the series.
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Millis,
        value: f64,
    ) -> Result<SeriesRef, AppendError>;

    /// Adds a native histogram sample, which must be valid ([`Histogram::validate`]); a sum of [`model::STALE_NAN`] ends the series.
    fn append_histogram(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
    ) -> Result<SeriesRef, AppendError>;

    /// Attaches an exemplar to a series that got a sample in this batch or before.
    fn append_exemplar(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        exemplar: &Exemplar,
    ) -> Result<(), AppendError>;

    /// Notes type, unit and help of a series' metric.
    fn update_metadata(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        metadata: &Metadata,
    ) -> Result<(), AppendError>;

    /// Makes the batch durable and visible. When this returns, a crash of the process loses none of it.
    fn commit(self: Box<Self>) -> Result<(), CommitError>;

    /// Forgets the batch.
    fn rollback(self: Box<Self>) {}
}

/// A native histogram as it came: integer counts are kept as such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HistogramSample<'a> {
    /// With integer counts.
    Integer(&'a Histogram),
    /// With float counts.
    Float(&'a FloatHistogram),
}

/// An example observation behind a sample, usually with a trace id.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// The exemplar's own labels.
    pub labels: Labels,
    /// The observed value.
    pub value: f64,
    /// When it was observed; the sample's time where the source gave none.
    pub timestamp: Option<Millis>,
}

/// What kind of metric a family is, as the exposition formats name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MetricType {
    /// Only goes up, but for resets.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Classic or native histogram.
    Histogram,
    /// Histogram of a current state, whose buckets go up and down.
    GaugeHistogram,
    /// Client-side quantiles.
    Summary,
    /// Constant text in labels.
    Info,
    /// One of several states.
    StateSet,
    /// Not said (`untyped` in the older text format).
    #[default]
    Unknown,
}

impl MetricType {
    /// The name in OpenMetrics and in the API (`unknown` for what the older format calls `untyped`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }
}

/// What an exporter says about a metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Metadata {
    /// The kind of metric.
    pub metric_type: MetricType,
    /// The unit, empty where not given.
    pub unit: String,
    /// The help text, empty where not given.
    pub help: String,
}
