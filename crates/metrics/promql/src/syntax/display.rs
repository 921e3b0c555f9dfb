//! The canonical form, as Prometheus prints expressions.

use std::fmt::{self, Display, Formatter, Write};

use model::{METRIC_NAME, MatchOp, Matcher, format_value, is_legacy_label_name, write_quoted};

use super::{
    Aggregate, AtModifier, Binary, Card, DurationExpr, DurationKind, DurationValue, Expr, ExprKind,
    MatrixSelector, Number, Operator, Subquery, TimeShift, VectorMatching, VectorSelector,
    literal::format_duration,
};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(number) => number.fmt(f),
            ExprKind::String(string) => f.write_str(&string.quoted()),
            ExprKind::Selector(selector) => {
                write_selector(f, selector)?;
                write_at(f, &selector.shift)?;
                write_extension(f, selector)?;
                write_offset(f, &selector.shift)
            }
            ExprKind::Matrix(matrix) => matrix.fmt(f),
            ExprKind::Subquery(subquery) => subquery.fmt(f),
            ExprKind::Aggregate(aggregate) => aggregate.fmt(f),
            ExprKind::Binary(binary) => binary.fmt(f),
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                for (at, arg) in call.args.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{arg}")?;
                }
                f.write_char(')')
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Unary(unary) => write!(f, "{}{}", if unary.negative { "-" } else { "+" }, unary.expr),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_duration {
            f.write_str(&format_duration((self.value * 1000.0).round() as i64))
        } else {
            f.write_str(&format_value(self.value))
        }
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_selector(f, &self.selector)?;
        write!(f, "[{}]", self.range)?;
        write_extension(f, &self.selector)?;
        write_at(f, &self.selector.shift)?;
        write_offset(f, &self.selector.shift)
    }
}

impl Display for Subquery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        write_window(f, self)
    }
}

/// What stands behind a subquery's expression.
pub(super) fn write_window(f: &mut impl Write, subquery: &Subquery) -> fmt::Result {
    write!(f, "[{}:", subquery.range)?;
    if let Some(step) = &subquery.step {
        write!(f, "{step}")?;
    }
    f.write_char(']')?;
    write_at(f, &subquery.shift)?;
    write_offset(f, &subquery.shift)
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_aggregator(f, self)?;
        f.write_char('(')?;
        if let Some(param) = &self.param {
            write!(f, "{param}, ")?;
        }
        write!(f, "{})", self.expr)
    }
}

/// What stands before an aggregation's parentheses.
pub(super) fn write_aggregator(f: &mut impl Write, aggregate: &Aggregate) -> fmt::Result {
    f.write_str(aggregate.op.as_str())?;
    if aggregate.without || !aggregate.grouping.is_empty() {
        f.write_str(if aggregate.without { " without (" } else { " by (" })?;
        write_labels(f, &aggregate.grouping)?;
        f.write_str(") ")?;
    }
    Ok(())
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.lhs.kind {
            // A sign before a power is one of the whole power.
            ExprKind::Number(number) if self.op == Operator::Pow && number.value == f64::INFINITY => {
                f.write_str("Inf")?;
            }
            _ => self.lhs.fmt(f)?,
        }
        f.write_char(' ')?;
        write_operator(f, self)?;
        write!(f, " {}", self.rhs)
    }
}

/// What stands between a binary expression's sides.
pub(super) fn write_operator(f: &mut impl Write, binary: &Binary) -> fmt::Result {
    f.write_str(binary.op.as_str())?;
    if binary.return_bool {
        f.write_str(" bool")?;
    }
    match &binary.matching {
        Some(matching) => write_matching(f, matching),
        None => Ok(()),
    }
}

fn write_matching(f: &mut impl Write, matching: &VectorMatching) -> fmt::Result {
    let grouped = matches!(matching.card, Card::ManyToOne | Card::OneToMany);
    if !matching.labels.is_empty() || matching.on || grouped {
        f.write_str(if matching.on { " on (" } else { " ignoring (" })?;
        write_labels(f, &matching.labels)?;
        f.write_char(')')?;
    }
    if grouped {
        let left = matching.card == Card::ManyToOne;
        f.write_str(if left { " group_left (" } else { " group_right (" })?;
        write_labels(f, &matching.include)?;
        f.write_char(')')?;
    }
    match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left == right => write!(f, " fill ({})", format_value(left)),
        (left, right) => {
            if let Some(left) = left {
                write!(f, " fill_left ({})", format_value(left))?;
            }
            if let Some(right) = right {
                write!(f, " fill_right ({})", format_value(right))?;
            }
            Ok(())
        }
    }
}

impl Display for DurationValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Millis(millis) => f.write_str(&format_duration(*millis)),
            Self::Expr(expr) => expr.fmt(f),
        }
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.wrapped {
            f.write_char('(')?;
        }
        match &self.kind {
            DurationKind::Number(number) => number.fmt(f)?,
            DurationKind::Step => f.write_str("step()")?,
            DurationKind::Range => f.write_str("range()")?,
            DurationKind::Negate(inner) => write!(f, "-{inner}")?,
            DurationKind::Binary(op, left, right) => write!(f, "{left} {} {right}", op.as_str())?,
            DurationKind::MinOf(left, right) => write!(f, "min_of({left}, {right})")?,
            DurationKind::MaxOf(left, right) => write!(f, "max_of({left}, {right})")?,
        }
        if self.wrapped {
            f.write_char(')')?;
        }
        Ok(())
    }
}

/// The selector without modifiers; matchers in order of their texts.
fn write_selector(f: &mut Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    let name = selector.name.as_deref().unwrap_or_default();
    let says_name = |matcher: &&Matcher| {
        matcher.name() == METRIC_NAME
            && matcher.op() == MatchOp::Equal
            && matcher.value() == name
            && !name.is_empty()
    };
    let mut texts: Vec<String> = selector
        .matchers
        .iter()
        .filter(|matcher| !says_name(matcher))
        .map(|matcher| matcher.to_string())
        .collect();
    texts.sort_unstable();
    f.write_str(name)?;
    if !texts.is_empty() || name.is_empty() {
        write!(f, "{{{}}}", texts.join(","))?;
    }
    Ok(())
}

fn write_at(f: &mut impl Write, shift: &TimeShift) -> fmt::Result {
    match shift.at {
        None => Ok(()),
        Some(AtModifier::Timestamp(millis)) => {
            let sign = if millis < 0 { "-" } else { "" };
            let millis = millis.unsigned_abs();
            write!(f, " @ {sign}{}.{:03}", millis / 1000, millis % 1000)
        }
        Some(AtModifier::Start) => f.write_str(" @ start()"),
        Some(AtModifier::End) => f.write_str(" @ end()"),
    }
}

fn write_extension(f: &mut Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    f.write_str(match (selector.anchored, selector.smoothed) {
        (true, _) => " anchored",
        (_, true) => " smoothed",
        _ => "",
    })
}

fn write_offset(f: &mut impl Write, shift: &TimeShift) -> fmt::Result {
    match &shift.offset {
        Some(offset) if !offset.is_zero() => write!(f, " offset {offset}"),
        _ => Ok(()),
    }
}

fn write_labels(f: &mut impl Write, labels: &[String]) -> fmt::Result {
    for (at, label) in labels.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        if is_legacy_label_name(label) {
            f.write_str(label)?;
        } else {
            write_quoted(f, label)?;
        }
    }
    Ok(())
}
