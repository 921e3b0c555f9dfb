//! Answers.

use std::sync::Arc;

use model::{Columns, FloatHistogram, Labels, Millis};

use super::{ExplainedOperator, annotations::Annotation};

/// What a query evaluates to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Scalar {
        /// The moment of evaluation.
        timestamp: Millis,
        /// The number.
        value: f64,
    },
    /// A text.
    String {
        /// The moment of evaluation.
        timestamp: Millis,
        /// The text, with what is no UTF-8 replaced.
        value: String,
    },
    /// One sample a series, all at the same moment.
    Vector(Vec<Sample>),
    /// Samples over time, series in order of their labels.
    Matrix(Vec<RangeSeries>),
}

/// One series of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The series.
    pub labels: Labels,
    /// The moment of evaluation.
    pub timestamp: Millis,
    /// The value.
    pub value: SampleValue,
}

/// A number or a native histogram.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

/// One series of a range vector.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSeries {
    /// The series.
    pub labels: Labels,
    /// Its samples.
    pub samples: Columns,
}

/// An answer and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryResult {
    /// The answer.
    pub value: Value,
    /// What is wrong with the data or the query, with positions: `PromQL warning: … (1:5)`.
    pub warnings: Vec<String>,
    /// What may be wrong.
    pub infos: Vec<String>,
    /// What it took.
    pub stats: QueryStats,
    /// [`QueryStats::total_queryable_samples`] of each step, by its time, where that was asked for.
    pub samples_per_step: Vec<(Millis, u64)>,
    /// What its operators did, where that was asked for.
    pub explained: Option<ExplainedOperator>,
}

/// What a query took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryStats {
    /// Samples that windows and look-ups used, one counted at each step that used it. Windows of subqueries count the samples in them,
    /// not those that these were made of.
    pub total_queryable_samples: u64,
    /// Samples read from the storage.
    pub samples_read: u64,
    /// The most samples that were in memory at once.
    pub peak_samples: u64,
    /// Time for parsing, planning and opening the storage.
    pub preparation: std::time::Duration,
    /// Time for evaluating.
    pub evaluation: std::time::Duration,
    /// Time for sorting the answer.
    pub sorting: std::time::Duration,
}

impl Value {
    /// The type's name in the API.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar { .. } => "scalar",
            Self::String { .. } => "string",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }
}

/// Warnings and infos as texts.
pub(super) fn split_annotations(annotations: Vec<Annotation>, query: &str) -> (Vec<String>, Vec<String>) {
    let (warnings, infos): (Vec<_>, Vec<_>) =
        annotations.into_iter().partition(|annotation| annotation.is_warning());
    let texts = |list: Vec<Annotation>| list.iter().map(|annotation| annotation.text(query)).collect();
    (texts(warnings), texts(infos))
}
