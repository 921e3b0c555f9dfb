//! The words of the language.

use model::quote;

use super::Span;

/// One word of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// What a word is. The text is in the query at the token's span.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    End,
    /// The lexer cannot go on; the text says why.
    Error(String),
    Identifier,
    /// An identifier with colons.
    MetricIdentifier,
    Number,
    Duration,
    String,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    /// `=`
    Assign,
    /// `=~`
    MatchRegex,
    /// `!~`
    MatchNotRegex,
    At,
    Operator(Operator),
    Aggregator(Aggregator),
    Keyword(Keyword),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word as the canonical form prints it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),*
                }
            }

            #[allow(dead_code, reason = "operators made of signs are not looked up by their text")]
            fn from_str(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What stands between two expressions.
    Operator {
        /// Sum, and the sign.
        Add = "+",
        /// Difference, and the sign.
        Sub = "-",
        /// Product.
        Mul = "*",
        /// Quotient.
        Div = "/",
        /// Remainder.
        Mod = "%",
        /// Power, associative to the right.
        Pow = "^",
        /// Angle of a point.
        Atan2 = "atan2",
        /// Equal.
        Equal = "==",
        /// Not equal.
        NotEqual = "!=",
        /// Greater.
        Greater = ">",
        /// Greater or equal.
        GreaterOrEqual = ">=",
        /// Less.
        Less = "<",
        /// Less or equal.
        LessOrEqual = "<=",
        /// Cuts a native histogram's observations above a bound.
        TrimUpper = "</",
        /// Cuts a native histogram's observations below a bound.
        TrimLower = ">/",
        /// Set intersection.
        And = "and",
        /// Set union.
        Or = "or",
        /// Set difference.
        Unless = "unless",
    }
}

words! {
    /// What makes one series out of many.
    Aggregator {
        /// Sum.
        Sum = "sum",
        /// Mean.
        Avg = "avg",
        /// Number of series.
        Count = "count",
        /// Least value.
        Min = "min",
        /// Greatest value.
        Max = "max",
        /// One for each group.
        Group = "group",
        /// Standard deviation.
        Stddev = "stddev",
        /// Variance.
        Stdvar = "stdvar",
        /// The series with the k greatest values.
        Topk = "topk",
        /// The series with the k least values.
        Bottomk = "bottomk",
        /// How often each value occurs.
        CountValues = "count_values",
        /// Quantile over series.
        Quantile = "quantile",
        /// Some k series.
        Limitk = "limitk",
        /// A share of the series.
        LimitRatio = "limit_ratio",
    }
}

words! {
    /// Words with a meaning of their own.
    Keyword {
        /// `offset`
        Offset = "offset",
        /// `smoothed`
        Smoothed = "smoothed",
        /// `anchored`
        Anchored = "anchored",
        /// `by`
        By = "by",
        /// `without`
        Without = "without",
        /// `on`
        On = "on",
        /// `ignoring`
        Ignoring = "ignoring",
        /// `group_left`
        GroupLeft = "group_left",
        /// `group_right`
        GroupRight = "group_right",
        /// `fill`
        Fill = "fill",
        /// `fill_left`
        FillLeft = "fill_left",
        /// `fill_right`
        FillRight = "fill_right",
        /// `bool`
        Bool = "bool",
        /// `start`
        Start = "start",
        /// `end`
        End = "end",
        /// `step`
        Step = "step",
        /// `range`
        Range = "range",
        /// `max_of`
        MaxOf = "max_of",
        /// `min_of`
        MinOf = "min_of",
    }
}

impl Operator {
    /// Whether this compares two numbers.
    pub fn is_comparison(self) -> bool {
        use Operator::*;
        matches!(self, Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual)
    }

    /// Whether this works on sets of series.
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// How tightly the operator binds; higher is tighter.
    pub(super) fn precedence(self) -> u8 {
        use Operator::*;
        match self {
            Or => 1,
            And | Unless => 2,
            Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual | TrimUpper | TrimLower => 3,
            Add | Sub => 4,
            Mul | Div | Mod | Atan2 => 5,
            Pow => 6,
        }
    }
}

impl Aggregator {
    /// Whether it takes a parameter before the vector.
    pub fn takes_parameter(self) -> bool {
        use Aggregator::*;
        matches!(self, Topk | Bottomk | CountValues | Quantile | Limitk | LimitRatio)
    }

    /// Whether it has to be enabled.
    pub fn is_experimental(self) -> bool {
        matches!(self, Self::Limitk | Self::LimitRatio)
    }
}

impl Kind {
    /// A word in any case: keyword, operator, aggregator, number, or nothing special.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "inf" | "nan" => return Some(Self::Number),
            _ => {}
        }
        Operator::from_str(&lower)
            .map(Self::Operator)
            .or_else(|| Aggregator::from_str(&lower).map(Self::Aggregator))
            .or_else(|| Keyword::from_str(&lower).map(Self::Keyword))
    }

    /// Whether this word may be a metric's name.
    pub(super) fn is_metric_name(&self) -> bool {
        use Keyword::*;
        match self {
            Self::Identifier | Self::MetricIdentifier | Self::Aggregator(_) => true,
            Self::Operator(operator) => operator.is_set(),
            Self::Keyword(keyword) => !matches!(keyword, Bool | On | Ignoring | GroupLeft | GroupRight),
            _ => false,
        }
    }

    /// Whether this word may be a label's name in a grouping.
    pub(super) fn is_grouping_label(&self) -> bool {
        match self {
            Self::Identifier | Self::MetricIdentifier | Self::Aggregator(_) => true,
            Self::Operator(operator) => operator.is_set() || *operator == Operator::Atan2,
            Self::Keyword(keyword) => *keyword != Keyword::Without,
            _ => false,
        }
    }

    /// How messages call a word with this text.
    pub(super) fn describe(&self, text: &str) -> String {
        match self {
            Self::End => "end of input".to_owned(),
            Self::Error(message) => message.clone(),
            Self::Identifier => format!("identifier {}", quote(text)),
            Self::MetricIdentifier => format!("metric identifier {}", quote(text)),
            Self::Number => format!("number {}", shortened(text)),
            Self::Duration => format!("duration {}", shortened(text)),
            Self::String => format!("string {}", shortened(text)),
            Self::Operator(_) | Self::At => format!("<op:{text}>"),
            Self::MatchRegex | Self::MatchNotRegex => format!("<op:{text}>"),
            Self::Aggregator(_) => format!("<aggr:{text}>"),
            Self::Keyword(keyword) if keyword.is_plain() => quote(text),
            Self::Keyword(_) => format!("<{text}>"),
            _ => quote(text),
        }
    }
}

impl Keyword {
    /// Words that look like function names and that messages print like text.
    fn is_plain(self) -> bool {
        use Keyword::*;
        matches!(self, Start | End | Step | Range | MaxOf | MinOf)
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= 10 {
        return quote(text);
    }
    let head: String = text.chars().take(10).collect();
    format!("{}...", quote(&head))
}
