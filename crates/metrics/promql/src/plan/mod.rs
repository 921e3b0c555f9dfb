//! From a query to what is to be computed.
//!
//! A plan has no syntax left: parentheses are gone, `@ start()` and durations are numbers, scalars that do not depend on time are folded,
//! names of functions are values of enums. Parts that give the same at each step are marked and computed once.
//!
//! A plan belongs to one query at one time range.

mod binary;
mod build;
mod call;
mod duration;
mod function;
mod histogram_parts;
mod info;
mod invariant;
mod reach;
mod repeated;
mod same_labels;

use model::{Labels, METRIC_NAME, MatchOp, Matcher, Millis};
use vector::{BinaryOp, Comparison, Grouping, Matching, Rank, Reduce, SetOp};

use crate::syntax::Span;

pub(crate) use build::{METADATA_LABELS, PlanContext, build, max, min};
pub(crate) use function::{HistogramStat, MathFunction, RangeFunction};
pub(crate) use reach::reach;

/// A whole query.
#[derive(Debug)]
pub(crate) enum Plan {
    Scalar(Scalar),
    String(String),
    Vector(Vector),
    Matrix(RangeSource),
}

/// Something with one number a step.
#[derive(Debug)]
pub(crate) enum Scalar {
    Constant(f64),
    /// The moment of evaluation, in seconds.
    Time,
    /// The only value of a vector, NaN when there is not exactly one.
    OfVector(Box<Vector>),
    Binary(BinaryOp, Box<Scalar>, Box<Scalar>),
    Negate(Box<Scalar>),
    Min(Box<Scalar>, Box<Scalar>),
    Max(Box<Scalar>, Box<Scalar>),
}

/// Something with one row a series.
#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) kind: VectorKind,
    /// Where it stands in the query.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum VectorKind {
    Selector(Selector),
    Range(RangeCall),
    Math {
        function: MathFunction,
        args: Vec<Scalar>,
        input: Box<Vector>,
    },
    /// The times of samples; of a plain selector those of the samples themselves.
    Timestamp(Box<Vector>),
    /// When the counting of samples began. Only those of a plain selector have that.
    StartTimestamp(Box<Vector>),
    Info(Info),
    Negate(Box<Vector>),
    Aggregate(Aggregate),
    Binary(Box<VectorBinary>),
    ScalarBinary(Box<ScalarBinary>),
    Set {
        op: SetOp,
        key: Grouping,
        left: Box<Vector>,
        right: Box<Vector>,
    },
    Quantiles(Quantiles),
    Fraction {
        lower: Scalar,
        upper: Scalar,
        input: Box<Vector>,
    },
    HistogramStat(HistogramStat, Box<Vector>),
    Absent {
        labels: Labels,
        input: Box<Vector>,
    },
    Relabel {
        relabel: Relabel,
        input: Box<Vector>,
    },
    Sort {
        order: SortOrder,
        input: Box<Vector>,
    },
    OfScalar(Scalar),
    /// The same at each step: computed at the first one.
    Invariant(Box<Vector>),
    /// One of several that are the same and have the same number: computed by whichever comes first.
    Repeated {
        id: usize,
        input: Box<Vector>,
    },
}

/// Which series, and when to look.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
    pub(crate) extension: Option<Extension>,
    /// Whether only counts and sums of native histograms are looked at.
    pub(crate) only_stats: bool,
    /// The function or aggregation around it, for the storage's information.
    pub(crate) function: String,
    /// The only labels that are looked at, if not all are.
    pub(crate) projection: Option<Vec<String>>,
}

impl Selector {
    /// Whether all series are of the same metric.
    fn has_one_name(&self) -> bool {
        let is_name = |matcher: &Matcher| {
            matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal && !matcher.value().is_empty()
        };
        self.matchers.iter().any(is_name)
    }
}

/// How the borders of a range get values of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    /// From the newest sample before the left border.
    Anchored,
    /// From the line between the neighbours.
    Smoothed,
}

impl Extension {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Anchored => "anchored",
            Self::Smoothed => "smoothed",
        }
    }

    /// How far beyond its right border a range looks.
    pub(crate) fn ahead(extension: Option<Self>, lookback: Millis) -> Millis {
        if extension == Some(Self::Smoothed) { lookback } else { 0 }
    }
}

/// When to look instead of at the step's own time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) at: Option<Millis>,
    pub(crate) offset: Millis,
}

impl Shift {
    /// The moment to look at for the step at `time`.
    #[inline]
    pub(crate) fn apply(self, time: Millis) -> Millis {
        self.at.unwrap_or(time).saturating_sub(self.offset)
    }
}

/// A function over windows of time.
#[derive(Debug)]
pub(crate) struct RangeCall {
    pub(crate) function: RangeFunction,
    pub(crate) source: RangeSource,
    /// The arguments besides the range.
    pub(crate) args: Vec<Scalar>,
    /// Where the first argument stands, be it the range or not: annotations point there.
    pub(crate) first_arg: Span,
    /// The labels that `absent_over_time` gives its series.
    pub(crate) absent_labels: Labels,
    /// Whether the metric's name may stay, since nobody looks at it and all series have the same.
    pub(crate) name_may_stay: bool,
}

impl RangeCall {
    /// Whether all series are of the same metric: then they differ without its name, too.
    fn has_one_name(&self) -> bool {
        matches!(&self.source.kind, RangeKind::Selector(selector) if selector.has_one_name())
    }
}

/// Samples over a range of time.
#[derive(Debug)]
pub(crate) struct RangeSource {
    pub(crate) kind: RangeKind,
    /// How long, milliseconds.
    pub(crate) range: Millis,
    pub(crate) shift: Shift,
}

#[derive(Debug)]
pub(crate) enum RangeKind {
    /// Samples as they are stored. The selector's own shift is not used.
    Selector(Selector),
    /// An expression evaluated every `step` milliseconds.
    Subquery { expr: Box<Vector>, step: Millis },
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) op: AggregateOp,
    pub(crate) grouping: Grouping,
    pub(crate) input: Box<Vector>,
    /// Where the parameter stands, if there is one.
    pub(crate) param_span: Span,
}

#[derive(Debug)]
pub(crate) enum AggregateOp {
    Reduce(Reduce),
    Rank(Rank, Scalar),
    Quantile(Scalar),
    CountValues(String),
    LimitK(Scalar),
    LimitRatio(Scalar),
}

impl AggregateOp {
    /// Whether its results have the labels of series, not of groups.
    fn shows_input_labels(&self) -> bool {
        match self {
            Self::Reduce(_) | Self::Quantile(_) | Self::CountValues(_) => false,
            Self::Rank(..) | Self::LimitK(_) | Self::LimitRatio(_) => true,
        }
    }
}

#[derive(Debug)]
pub(crate) struct VectorBinary {
    pub(crate) op: VectorOp,
    pub(crate) return_bool: bool,
    pub(crate) matching: Matching,
    pub(crate) left: Vector,
    pub(crate) right: Vector,
}

#[derive(Debug)]
pub(crate) struct ScalarBinary {
    pub(crate) op: VectorOp,
    pub(crate) comparison: Comparison,
    pub(crate) vector: Vector,
    pub(crate) scalar: Scalar,
    /// Whether the scalar stands on the left.
    pub(crate) scalar_left: bool,
}

/// An operator between samples: between numbers, or one that only histograms know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VectorOp {
    Number(BinaryOp, &'static str),
    /// `</` or `>/`
    Trim(&'static str),
}

impl VectorOp {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Number(_, text) | Self::Trim(text) => text,
        }
    }

    pub(crate) fn is_comparison(self) -> bool {
        matches!(self, Self::Number(op, _) if op.is_comparison())
    }
}

/// Adds the labels of other series that say more about the same target.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) input: Box<Vector>,
    /// Which series say more, by their metric's name.
    pub(crate) names: Vec<Matcher>,
    /// Which of their labels are wanted, and what they have to be; none means all.
    pub(crate) labels: Vec<Matcher>,
    /// When to look at them: as the first selector of the input does.
    pub(crate) shift: Shift,
}

#[derive(Debug)]
pub(crate) struct Quantiles {
    /// φ and where it stands.
    pub(crate) phis: Vec<(Scalar, Span)>,
    /// The label that gets φ, with `histogram_quantiles`.
    pub(crate) label: Option<String>,
    pub(crate) input: Box<Vector>,
}

#[derive(Debug)]
pub(crate) enum Relabel {
    Replace { target: String, replacement: String, source: String, regex: Box<go_regex::Regex> },
    Join { target: String, separator: String, sources: Vec<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SortOrder {
    Value { descending: bool },
    Labels { names: Vec<String>, descending: bool },
}
