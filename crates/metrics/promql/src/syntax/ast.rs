//! The shape of a query. Every node knows its bytes; no node knows how it is evaluated.

use model::{Matcher, Millis};

use super::{Aggregator, Function, Operator, Span, literal::quote_bytes};

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A number.
    Scalar,
    /// A text.
    String,
    /// One sample a series.
    Vector,
    /// Samples over time, for each series.
    Matrix,
}

impl ValueType {
    /// The name in error messages for users: `instant vector`.
    pub fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }

    /// The name in the API: `vector`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
        }
    }
}

/// A query or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    /// How many levels there are below and including this one.
    pub(super) depth: u32,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `1.5`, `5m`
    Number(Number),
    /// `"text"`
    String(StringLiteral),
    /// `up{job="a"} offset 5m`
    Selector(VectorSelector),
    /// `up[5m]`
    Matrix(MatrixSelector),
    /// `rate(up[5m])[1h:1m]`
    Subquery(Box<Subquery>),
    /// `sum by (job) (up)`
    Aggregate(Box<Aggregate>),
    /// `a + on (job) b`
    Binary(Box<Binary>),
    /// `rate(up[5m])`
    Call(Call),
    /// `(a)`
    Paren(Box<Expr>),
    /// `-a`
    Unary(Box<Unary>),
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Its value; seconds where it was written as a duration.
    pub value: f64,
    /// Whether it was written as a duration.
    pub is_duration: bool,
}

/// A text. PromQL can write bytes that are no UTF-8 (`"\xff"`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringLiteral {
    /// The bytes, without quotes and escapes.
    pub bytes: Vec<u8>,
}

impl StringLiteral {
    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The text, with what is no UTF-8 replaced.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The text in double quotes with Go's escapes.
    pub fn quoted(&self) -> String {
        quote_bytes(&self.bytes)
    }
}

/// Series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSelector {
    /// The metric's name where it stands before the braces.
    pub name: Option<String>,
    /// All conditions, the one on the name (if it stands before the braces) last.
    pub matchers: Vec<Matcher>,
    /// `offset` and `@`.
    pub shift: TimeShift,
    /// Whether the borders of a range are taken from the samples before them.
    pub anchored: bool,
    /// Whether the borders of a range are interpolated.
    pub smoothed: bool,
}

/// Series over a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    /// Which series; its modifiers apply to the range.
    pub selector: VectorSelector,
    /// Where the selector without the range stands.
    pub selector_span: Span,
    /// How long the range is.
    pub range: DurationValue,
}

/// An expression evaluated over a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What to evaluate.
    pub expr: Expr,
    /// How long the range is.
    pub range: DurationValue,
    /// How far apart; the default evaluation interval where it is not given.
    pub step: Option<DurationValue>,
    /// `offset` and `@`.
    pub shift: TimeShift,
}

/// When to look instead of now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeShift {
    /// How far back.
    pub offset: Option<DurationValue>,
    /// The moment from which to look.
    pub at: Option<AtModifier>,
}

/// `@ …`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtModifier {
    /// A moment.
    Timestamp(Millis),
    /// The start of the query.
    Start,
    /// The end of the query.
    End,
}

/// A span of time, or how to compute it.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationValue {
    /// Milliseconds.
    Millis(Millis),
    /// Depends on the query's step or range, or is to be computed.
    Expr(DurationExpr),
}

/// Arithmetic with durations, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationExpr {
    /// What it is.
    pub kind: DurationKind,
    /// Whether it stands in parentheses.
    pub wrapped: bool,
    /// Where it stands.
    pub span: Span,
    pub(super) depth: u32,
}

/// The kinds of duration expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// A number of seconds.
    Number(Number),
    /// `step()`: the query's step.
    Step,
    /// `range()`: from the query's start to its end.
    Range,
    /// `-d`
    Negate(Box<DurationExpr>),
    /// `a + b`
    Binary(Operator, Box<DurationExpr>, Box<DurationExpr>),
    /// `min_of(a, b)`
    MinOf(Box<DurationExpr>, Box<DurationExpr>),
    /// `max_of(a, b)`
    MaxOf(Box<DurationExpr>, Box<DurationExpr>),
}

/// An aggregation.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which.
    pub op: Aggregator,
    /// Over what.
    pub expr: Expr,
    /// `k` of `topk(k, …)`.
    pub param: Option<Expr>,
    /// The labels named by `by` or `without`.
    pub grouping: Vec<String>,
    /// Whether `grouping` is what to leave aside.
    pub without: bool,
}

/// An operation between two expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// Which.
    pub op: Operator,
    /// Left side.
    pub lhs: Expr,
    /// Right side.
    pub rhs: Expr,
    /// `bool`: a comparison tells instead of filtering.
    pub return_bool: bool,
    /// How series pair up; none when a side is a scalar.
    pub matching: Option<VectorMatching>,
    /// Where the operator stands.
    pub op_span: Span,
}

/// How the series of two sides pair up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VectorMatching {
    /// How many may meet.
    pub card: Card,
    /// Whether `labels` are those that count (`on`) or those that do not (`ignoring`).
    pub on: bool,
    /// The labels named by `on` or `ignoring`.
    pub labels: Vec<String>,
    /// Labels that results take from the "one" side.
    pub include: Vec<String>,
    /// Stands in for a series missing on the left.
    pub fill_left: Option<f64>,
    /// Stands in for a series missing on the right.
    pub fill_right: Option<f64>,
}

/// How many series of each side may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Card {
    /// One and one.
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// Set operations.
    ManyToMany,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which function.
    pub function: &'static Function,
    /// Its arguments, of the right number and types.
    pub args: Vec<Expr>,
}

/// A sign before an expression that is no number.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// Whether the sign is `-`.
    pub negative: bool,
    /// What follows.
    pub expr: Expr,
}

impl Expr {
    pub(super) fn new(kind: ExprKind, span: Span) -> Self {
        let below = match &kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Matrix(_) => 0,
            ExprKind::Subquery(subquery) => subquery.expr.depth,
            ExprKind::Aggregate(aggregate) => {
                aggregate.expr.depth.max(aggregate.param.as_ref().map_or(0, |param| param.depth))
            }
            ExprKind::Binary(binary) => binary.lhs.depth.max(binary.rhs.depth),
            ExprKind::Call(call) => call.args.iter().map(|arg| arg.depth).max().unwrap_or(0),
            ExprKind::Paren(inner) => inner.depth,
            ExprKind::Unary(unary) => unary.expr.depth,
        };
        Self { kind, span, depth: below + 1 }
    }

    /// What the expression evaluates to.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Selector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Binary(binary) => match (binary.lhs.value_type(), binary.rhs.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            ExprKind::Call(call) => call.function.returns,
            ExprKind::Paren(inner) => inner.value_type(),
            ExprKind::Unary(unary) => unary.expr.value_type(),
        }
    }

    /// The expression without parentheses around it.
    pub fn unwrap_parens(&self) -> &Self {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }
}

impl DurationValue {
    /// Whether it is the number zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Millis(0))
    }
}

impl DurationExpr {
    pub(super) fn new(kind: DurationKind, span: Span) -> Self {
        let below = match &kind {
            DurationKind::Number(_) | DurationKind::Step | DurationKind::Range => 0,
            DurationKind::Negate(inner) => inner.depth,
            DurationKind::Binary(_, a, b) | DurationKind::MinOf(a, b) | DurationKind::MaxOf(a, b) => {
                a.depth.max(b.depth)
            }
        };
        Self { kind, wrapped: false, span, depth: below + 1 }
    }
}
