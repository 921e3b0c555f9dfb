//! The tree of a query.

mod ops;

use model::Matcher;

/// Bytes of the query's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Selects lines.
    Log(LogExpr),
    /// Computes series.
    Metric(MetricExpr),
    /// Computes several metrics over one selection.
    Variants(Variants),
}

/// `{a="b"} |= "c" | json | d > 5`
#[derive(Debug, Clone, PartialEq)]
pub struct LogExpr {
    /// Conditions on stream labels.
    pub matchers: Vec<Matcher>,
    /// What happens to each line, in this order.
    pub stages: Vec<Stage>,
    /// Where it stands.
    pub span: Span,
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// Where it stands.
    pub span: Span,
}

/// What a step of a pipeline does.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// `|= "a" or "b"`
    LineFilter(LineFilter),
    /// `| json`, `| json a="x.y", b`
    Json {
        /// Empty: all fields.
        expressions: Vec<Extraction>,
    },
    /// `| logfmt --strict --keep-empty a="b"`
    Logfmt {
        /// A broken pair is an error.
        strict: bool,
        /// Pairs without a value become empty labels.
        keep_empty: bool,
        /// Empty: all fields.
        expressions: Vec<Extraction>,
    },
    /// `| regexp "(?P<a>.)"`
    Regexp(String),
    /// `| pattern "<a> <_>"`
    Pattern(String),
    /// `| unpack`
    Unpack,
    /// `| a = "b" and c > 5`
    LabelFilter(LabelFilter),
    /// `| line_format "{{.a}}"`
    LineFormat(String),
    /// `| label_format a=b, c="{{.d}}"`
    LabelFormat(Vec<LabelFormat>),
    /// `| decolorize`
    Decolorize,
    /// `| drop a, b="c"`
    Drop(Vec<NamedMatcher>),
    /// `| keep a, b="c"`
    Keep(Vec<NamedMatcher>),
}

/// A condition on the line. Several alternatives belong to a positive operator: a chain after a negative one is several filters.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFilter {
    /// How to compare.
    pub op: LineOp,
    /// One of which has to hold; never empty.
    pub alternatives: Vec<LineMatch>,
}

/// How a line filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOp {
    /// `|=`
    Contains,
    /// `!=`
    ContainsNot,
    /// `|~`
    Matches,
    /// `!~`
    MatchesNot,
    /// `|>`
    Pattern,
    /// `!>`
    PatternNot,
}

/// The right side of a line filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMatch {
    /// Text, regular expression, pattern or addresses.
    pub text: String,
    /// Whether it stood in `ip(…)`.
    pub ip: bool,
}

/// `name="expression"`; `name` alone means `name="name"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The label.
    pub name: String,
    /// Where its value comes from.
    pub expression: String,
}

/// A condition on labels.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelFilter {
    /// Both.
    And(Box<LabelFilter>, Box<LabelFilter>),
    /// Either.
    Or(Box<LabelFilter>, Box<LabelFilter>),
    /// Compares text.
    Matcher(Matcher),
    /// `a = ip("10.0.0.0/8")`
    Ip {
        /// The label.
        name: String,
        /// `!=` instead of `=`.
        negative: bool,
        /// Address, range or network.
        pattern: String,
    },
    /// `a > 5`
    Number {
        /// The label.
        name: String,
        /// How to compare.
        op: CompareOp,
        /// With what.
        value: f64,
    },
    /// `a > 5s`
    Duration {
        /// The label.
        name: String,
        /// How to compare.
        op: CompareOp,
        /// With what, nanoseconds.
        value: i64,
    },
    /// `a > 5MB`
    Bytes {
        /// The label.
        name: String,
        /// How to compare.
        op: CompareOp,
        /// With what.
        value: u64,
    },
}

/// How a typed label filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`, also written `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// One assignment of `label_format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFormat {
    /// The label that is set.
    pub name: String,
    /// To what.
    pub value: LabelFormatValue,
}

/// The right side of a `label_format` assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelFormatValue {
    /// Another label, which goes away.
    Rename(String),
    /// A template.
    Template(String),
}

/// What `drop` and `keep` name.
#[derive(Debug, Clone, PartialEq)]
pub enum NamedMatcher {
    /// The label whatever its value.
    Name(String),
    /// The label if its value fits.
    Matcher(Matcher),
}

/// A query for series.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricExpr {
    /// `rate({a="b"}[5m])`
    Range(Box<RangeAggregation>),
    /// `sum by (a) (…)`
    Vector(Box<VectorAggregation>),
    /// `… + …`
    Binary(Box<BinaryExpr>),
    /// `5`
    Literal(Literal),
    /// `vector(5)`
    VectorLiteral(VectorLiteral),
    /// `label_replace(…)`
    LabelReplace(Box<LabelReplace>),
    /// A selection of lines where series were due, as a side of a binary operation: checking refuses it.
    Lines(Box<LogExpr>),
}

/// A function over the entries of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeAggregation {
    /// The function.
    pub op: RangeOp,
    /// The quantile.
    pub parameter: Option<Parameter>,
    /// Which entries.
    pub range: LogRange,
    /// How series are put together, where the function allows it.
    pub grouping: Option<Grouping>,
    /// Where it stands.
    pub span: Span,
}

/// A number as written and as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// As written.
    pub text: String,
    /// As read.
    pub value: f64,
}

/// `{a="b"} | json | unwrap c [5m] offset 1h`
#[derive(Debug, Clone, PartialEq)]
pub struct LogRange {
    /// Which lines.
    pub log: LogExpr,
    /// The label that holds the sample, if it is not the line itself that counts.
    pub unwrap: Option<Unwrap>,
    /// Length of the window, nanoseconds.
    pub interval: i64,
    /// How far back the window is moved, nanoseconds; negative: forward.
    pub offset: i64,
    /// Where it stands.
    pub span: Span,
}

/// `| unwrap duration(a) | b = "c"`
#[derive(Debug, Clone, PartialEq)]
pub struct Unwrap {
    /// The label.
    pub name: String,
    /// What its value is, if not a plain number.
    pub conversion: Option<Conversion>,
    /// Conditions on labels, checked after the conversion.
    pub filters: Vec<LabelFilter>,
    /// Where it stands.
    pub span: Span,
}

/// How a label's value becomes a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// `bytes(…)`
    Bytes,
    /// `duration(…)`
    Duration,
    /// `duration_seconds(…)`, the same
    DurationSeconds,
}

/// Functions over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the language's")]
pub enum RangeOp {
    Count,
    Rate,
    RateCounter,
    Bytes,
    BytesRate,
    Avg,
    Sum,
    Min,
    Max,
    Stdvar,
    Stddev,
    Quantile,
    First,
    Last,
    Absent,
}

/// `by (a, b)` or `without (a, b)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Label names as written.
    pub labels: Vec<String>,
    /// `without`
    pub without: bool,
}

/// A function over the series of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorAggregation {
    /// The function.
    pub op: VectorOp,
    /// How many, of `topk` and its like.
    pub parameter: Option<Parameter>,
    /// Over what.
    pub expr: MetricExpr,
    /// `None` is one group of all.
    pub grouping: Option<Grouping>,
    /// Where it stands.
    pub span: Span,
}

/// Functions over the series of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the language's")]
pub enum VectorOp {
    Sum,
    Avg,
    Count,
    Max,
    Min,
    Stddev,
    Stdvar,
    BottomK,
    TopK,
    ApproxTopK,
    Sort,
    SortDesc,
}

/// Two sides and an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryExpr {
    /// The operator.
    pub op: BinaryOp,
    /// Left side.
    pub left: MetricExpr,
    /// Right side.
    pub right: MetricExpr,
    /// A comparison gives 0 and 1 instead of leaving series out.
    pub return_bool: bool,
    /// How series of the two sides meet.
    pub matching: Matching,
    /// Where it stands.
    pub span: Span,
}

/// Operators between series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the language's")]
pub enum BinaryOp {
    Or,
    And,
    Unless,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// `on (a) group_left (b)`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// `on`; else `ignoring`.
    pub on: bool,
    /// The labels of `on` or `ignoring`; `None` where neither stands, or stands without labels.
    pub labels: Option<Vec<String>>,
    /// Which side may have many.
    pub card: MatchingCard,
    /// Labels taken over from the side of one.
    pub include: Option<Vec<String>>,
}

/// Which side of a binary operation may have several series for one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatchingCard {
    /// Neither.
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
}

/// A number.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// Its value; operations between literals are already done.
    pub value: f64,
    /// Where it stands.
    pub span: Span,
}

/// `vector(5)`
#[derive(Debug, Clone, PartialEq)]
pub struct VectorLiteral {
    /// Its value.
    pub value: f64,
    /// Where it stands.
    pub span: Span,
}

/// `label_replace(expr, "dst", "replacement", "src", "regex")`
#[derive(Debug, Clone, PartialEq)]
pub struct LabelReplace {
    /// Of what.
    pub expr: MetricExpr,
    /// The label that is set.
    pub dst: String,
    /// To what; `$1` is a group of the expression.
    pub replacement: String,
    /// The label that is read.
    pub src: String,
    /// What has to match its whole value.
    pub regex: String,
    /// Where it stands.
    pub span: Span,
}

/// `variants(m1, m2) of ({a="b"}[5m])`
#[derive(Debug, Clone, PartialEq)]
pub struct Variants {
    /// The metrics.
    pub variants: Vec<MetricExpr>,
    /// The selection they share.
    pub of: LogRange,
    /// Where it stands.
    pub span: Span,
}
