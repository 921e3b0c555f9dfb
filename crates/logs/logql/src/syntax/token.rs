//! Tokens of the language and their names in error messages.

use super::{Conversion, RangeOp, Span, VectorOp};

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// Line from 1, or 0 for tokens whose line Loki's messages lack: two-character operators, durations, sizes and ranges.
    pub line: u32,
    /// Column in characters from 1.
    pub column: u32,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// The text could not be read on from here: why.
    Error(String),
    End,
    Identifier(String),
    /// A character that belongs to no token; Loki calls it an identifier.
    Stray,
    String(String),
    /// A number as written.
    Number(String),
    /// Nanoseconds.
    Duration(i64),
    Bytes(u64),
    /// `[5m]`: nanoseconds.
    Range(i64),
    /// `--strict`, `--keep-empty`
    Flag(Flag),
    RangeOp(RangeOp),
    VectorOp(VectorOp),
    Conversion(Conversion),
    Vector,
    Variants,
    /// Punctuation and words without further meaning.
    Fixed(Fixed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Strict,
    KeepEmpty,
}

/// Declares the tokens that are always the same text.
macro_rules! fixed {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// Tokens that are always the same text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Fixed { $($name),* }

        impl Fixed {
            /// The token's text, lower case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The token of this lower case text.
            pub fn find(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

fixed! {
    Comma = ",", Dot = ".", OpenBrace = "{", CloseBrace = "}", OpenBracket = "[", CloseBracket = "]",
    OpenParen = "(", CloseParen = ")",
    Assign = "=", NotEqual = "!=", Matches = "=~", MatchesNot = "!~", PatternNot = "!>",
    PipeContains = "|=", PipeMatches = "|~", PipePattern = "|>", Pipe = "|",
    Equal = "==", Greater = ">", GreaterOrEqual = ">=", Less = "<", LessOrEqual = "<=",
    Add = "+", Sub = "-", Mul = "*", Div = "/", Mod = "%", Pow = "^",
    Or = "or", And = "and", Unless = "unless",
    By = "by", Without = "without", Bool = "bool", On = "on", Ignoring = "ignoring",
    GroupLeft = "group_left", GroupRight = "group_right", Offset = "offset", Of = "of",
    Unwrap = "unwrap", Json = "json", Regexp = "regexp", Logfmt = "logfmt", Unpack = "unpack", Pattern = "pattern",
    LabelFormat = "label_format", LineFormat = "line_format", Decolorize = "decolorize", Drop = "drop", Keep = "keep",
    Ip = "ip", LabelReplace = "label_replace",
}

impl TokenKind {
    /// The token as error messages name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::End => "$end",
            Self::Identifier(_) | Self::Stray => "IDENTIFIER",
            Self::String(_) => "STRING",
            Self::Number(_) => "NUMBER",
            Self::Duration(_) => "DURATION",
            Self::Bytes(_) => "BYTES",
            Self::Range(_) => "RANGE",
            Self::Flag(_) => "FUNCTION_FLAG",
            Self::RangeOp(op) => range_op_name(*op),
            Self::VectorOp(op) => vector_op_name(*op),
            Self::Conversion(Conversion::Bytes) => "BYTES_CONV",
            Self::Conversion(Conversion::Duration) => "DURATION_CONV",
            Self::Conversion(Conversion::DurationSeconds) => "DURATION_SECONDS_CONV",
            Self::Vector => "VECTOR",
            Self::Variants => "variants",
            Self::Fixed(fixed) => fixed.as_str(),
        }
    }
}

fn range_op_name(op: RangeOp) -> &'static str {
    match op {
        RangeOp::Count => "COUNT_OVER_TIME",
        RangeOp::Rate => "RATE",
        RangeOp::RateCounter => "RATE_COUNTER",
        RangeOp::Bytes => "BYTES_OVER_TIME",
        RangeOp::BytesRate => "BYTES_RATE",
        RangeOp::Avg => "AVG_OVER_TIME",
        RangeOp::Sum => "SUM_OVER_TIME",
        RangeOp::Min => "MIN_OVER_TIME",
        RangeOp::Max => "MAX_OVER_TIME",
        RangeOp::Stdvar => "STDVAR_OVER_TIME",
        RangeOp::Stddev => "STDDEV_OVER_TIME",
        RangeOp::Quantile => "QUANTILE_OVER_TIME",
        RangeOp::First => "FIRST_OVER_TIME",
        RangeOp::Last => "LAST_OVER_TIME",
        RangeOp::Absent => "ABSENT_OVER_TIME",
    }
}

fn vector_op_name(op: VectorOp) -> &'static str {
    match op {
        VectorOp::Sum => "SUM",
        VectorOp::Avg => "AVG",
        VectorOp::Count => "COUNT",
        VectorOp::Max => "MAX",
        VectorOp::Min => "MIN",
        VectorOp::Stddev => "STDDEV",
        VectorOp::Stdvar => "STDVAR",
        VectorOp::BottomK => "BOTTOMK",
        VectorOp::TopK => "TOPK",
        VectorOp::ApproxTopK => "APPROX_TOPK",
        VectorOp::Sort => "SORT",
        VectorOp::SortDesc => "SORT_DESC",
    }
}

/// The function of this lower case name. A name is a function only where parentheses or a grouping follow.
pub(super) fn find_function(text: &str) -> Option<TokenKind> {
    use RangeOp as R;
    use VectorOp as V;
    let range = |op| Some(TokenKind::RangeOp(op));
    let vector = |op| Some(TokenKind::VectorOp(op));
    match text {
        "count_over_time" => range(R::Count),
        "rate" => range(R::Rate),
        "rate_counter" => range(R::RateCounter),
        "bytes_over_time" => range(R::Bytes),
        "bytes_rate" => range(R::BytesRate),
        "avg_over_time" => range(R::Avg),
        "sum_over_time" => range(R::Sum),
        "min_over_time" => range(R::Min),
        "max_over_time" => range(R::Max),
        "stdvar_over_time" => range(R::Stdvar),
        "stddev_over_time" => range(R::Stddev),
        "quantile_over_time" => range(R::Quantile),
        "first_over_time" => range(R::First),
        "last_over_time" => range(R::Last),
        "absent_over_time" => range(R::Absent),
        "sum" => vector(V::Sum),
        "avg" => vector(V::Avg),
        "count" => vector(V::Count),
        "max" => vector(V::Max),
        "min" => vector(V::Min),
        "stddev" => vector(V::Stddev),
        "stdvar" => vector(V::Stdvar),
        "bottomk" => vector(V::BottomK),
        "topk" => vector(V::TopK),
        "approx_topk" => vector(V::ApproxTopK),
        "sort" => vector(V::Sort),
        "sort_desc" => vector(V::SortDesc),
        "vector" => Some(TokenKind::Vector),
        "variants" => Some(TokenKind::Variants),
        "bytes" => Some(TokenKind::Conversion(Conversion::Bytes)),
        "duration" => Some(TokenKind::Conversion(Conversion::Duration)),
        "duration_seconds" => Some(TokenKind::Conversion(Conversion::DurationSeconds)),
        "ip" => Some(TokenKind::Fixed(Fixed::Ip)),
        "label_replace" => Some(TokenKind::Fixed(Fixed::LabelReplace)),
        _ => None,
    }
}
