//! What can be asked of the tree's nodes and operators.

use super::{BinaryOp, CompareOp, Conversion, LineOp, MetricExpr, RangeAggregation, RangeOp, Span, VectorOp};

// === impl Span ===

impl Span {
    /// From the start of one to the end of another.
    pub fn to(self, end: Span) -> Span {
        Span { start: self.start, end: end.end }
    }
}

// === impl LineOp ===

impl LineOp {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "|=",
            Self::ContainsNot => "!=",
            Self::Matches => "|~",
            Self::MatchesNot => "!~",
            Self::Pattern => "|>",
            Self::PatternNot => "!>",
        }
    }

    /// Whether lines that fit are left out.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::ContainsNot | Self::MatchesNot | Self::PatternNot)
    }
}

// === impl CompareOp ===

impl CompareOp {
    /// As printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// Whether the comparison holds.
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}

// === impl Conversion ===

impl Conversion {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::DurationSeconds => "duration_seconds",
        }
    }
}

// === impl RangeOp ===

impl RangeOp {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count_over_time",
            Self::Rate => "rate",
            Self::RateCounter => "rate_counter",
            Self::Bytes => "bytes_over_time",
            Self::BytesRate => "bytes_rate",
            Self::Avg => "avg_over_time",
            Self::Sum => "sum_over_time",
            Self::Min => "min_over_time",
            Self::Max => "max_over_time",
            Self::Stdvar => "stdvar_over_time",
            Self::Stddev => "stddev_over_time",
            Self::Quantile => "quantile_over_time",
            Self::First => "first_over_time",
            Self::Last => "last_over_time",
            Self::Absent => "absent_over_time",
        }
    }

    /// Whether `by` and `without` may follow.
    pub fn allows_grouping(self) -> bool {
        use RangeOp::{Avg, First, Last, Max, Min, Quantile, Stddev, Stdvar};
        matches!(self, Avg | Stddev | Stdvar | Quantile | Max | Min | First | Last)
    }

    /// Whether samples may come from a label.
    pub fn allows_unwrap(self) -> bool {
        !matches!(self, Self::Count | Self::Bytes | Self::BytesRate)
    }

    /// Whether samples must come from a label.
    pub fn needs_unwrap(self) -> bool {
        !matches!(self, Self::Count | Self::Bytes | Self::BytesRate | Self::Rate | Self::Absent)
    }
}

// === impl VectorOp ===

impl VectorOp {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Max => "max",
            Self::Min => "min",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::BottomK => "bottomk",
            Self::TopK => "topk",
            Self::ApproxTopK => "approx_topk",
            Self::Sort => "sort",
            Self::SortDesc => "sort_desc",
        }
    }

    /// Whether a number comes first in the parentheses.
    pub fn has_parameter(self) -> bool {
        matches!(self, Self::BottomK | Self::TopK | Self::ApproxTopK)
    }
}

// === impl BinaryOp ===

impl BinaryOp {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Unless => "unless",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// Whether it chooses series by their labels alone.
    pub fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    /// Whether it compares values.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::Less
                | Self::LessOrEqual
        )
    }
}

// === impl MetricExpr ===

impl MetricExpr {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Range(node) => node.span,
            Self::Vector(node) => node.span,
            Self::Binary(node) => node.span,
            Self::Literal(node) => node.span,
            Self::VectorLiteral(node) => node.span,
            Self::LabelReplace(node) => node.span,
            Self::Lines(node) => node.span,
        }
    }

    /// Calls `visit` with every range aggregation in it, from left to right.
    pub fn each_range<'a>(&'a self, visit: &mut dyn FnMut(&'a RangeAggregation)) {
        match self {
            Self::Range(node) => visit(node),
            Self::Vector(node) => node.expr.each_range(visit),
            Self::Binary(node) => {
                node.left.each_range(visit);
                node.right.each_range(visit);
            }
            Self::LabelReplace(node) => node.expr.each_range(visit),
            Self::Literal(_) | Self::VectorLiteral(_) | Self::Lines(_) => {}
        }
    }
}
