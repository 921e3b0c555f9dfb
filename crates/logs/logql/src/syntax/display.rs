//! Prints trees in Loki's canonical form. What is printed reads back as the same query, but for sizes, which are rounded as Loki rounds.

use std::fmt::{self, Display, Formatter, Write};

use model::{Matcher, format_value, write_quoted};

use super::{
    BinaryExpr, BinaryOp, Expr, Extraction, Grouping, LabelFilter, LabelFormatValue, LabelReplace,
    LineFilter, LogExpr, LogRange, Matching, MatchingCard, MetricExpr, NamedMatcher, RangeAggregation, Stage,
    StageKind, Unwrap, Variants, VectorAggregation,
};
use crate::units;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(log) => log.fmt(f),
            Self::Metric(metric) => metric.fmt(f),
            Self::Variants(variants) => variants.fmt(f),
        }
    }
}

impl Display for LogExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_selector(f, &self.matchers)?;
        for stage in &self.stages {
            write!(f, " {stage}")?;
        }
        Ok(())
    }
}

pub(super) fn write_selector(f: &mut impl Write, matchers: &[Matcher]) -> fmt::Result {
    f.write_char('{')?;
    for (i, matcher) in matchers.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write_matcher(f, matcher)?;
    }
    f.write_char('}')
}

/// Names are not quoted, as `Matcher`'s own form would have it for names beyond ASCII: LogQL has no quoted names.
fn write_matcher(f: &mut impl Write, matcher: &Matcher) -> fmt::Result {
    f.write_str(matcher.name())?;
    f.write_str(matcher.op().as_str())?;
    write_quoted(f, matcher.value())
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StageKind::LineFilter(filter) => filter.fmt(f),
            StageKind::Json { expressions } => {
                f.write_str("| json")?;
                write_extractions(f, expressions)
            }
            StageKind::Logfmt { strict, keep_empty, expressions } => {
                f.write_str("| logfmt")?;
                f.write_str(if *strict { " --strict" } else { "" })?;
                f.write_str(if *keep_empty { " --keep-empty" } else { "" })?;
                write_extractions(f, expressions)
            }
            StageKind::Regexp(text) => write_with_text(f, "| regexp ", text),
            StageKind::Pattern(text) => write_with_text(f, "| pattern ", text),
            StageKind::Unpack => f.write_str("| unpack"),
            StageKind::LabelFilter(filter) => write!(f, "| {filter}"),
            StageKind::LineFormat(text) => write_with_text(f, "| line_format ", text),
            StageKind::LabelFormat(formats) => {
                f.write_str("| label_format ")?;
                write_list(f, formats, ",", |f, format| {
                    write!(f, "{}=", format.name)?;
                    match &format.value {
                        LabelFormatValue::Rename(source) => f.write_str(source),
                        LabelFormatValue::Template(template) => write_quoted(f, template),
                    }
                })
            }
            StageKind::Decolorize => f.write_str("| decolorize"),
            StageKind::Drop(names) => {
                f.write_str("| drop ")?;
                write_list(f, names, ",", write_named_matcher)
            }
            StageKind::Keep(names) => {
                f.write_str("| keep ")?;
                write_list(f, names, ",", write_named_matcher)
            }
        }
    }
}

fn write_with_text(f: &mut Formatter<'_>, head: &str, text: &str) -> fmt::Result {
    f.write_str(head)?;
    write_quoted(f, text)
}

fn write_named_matcher(f: &mut Formatter<'_>, named: &NamedMatcher) -> fmt::Result {
    match named {
        NamedMatcher::Name(name) => f.write_str(name),
        NamedMatcher::Matcher(matcher) => write_matcher(f, matcher),
    }
}

fn write_extractions(f: &mut Formatter<'_>, extractions: &[Extraction]) -> fmt::Result {
    if extractions.is_empty() {
        return Ok(());
    }
    f.write_char(' ')?;
    write_list(f, extractions, ",", |f, extraction| {
        write!(f, "{}=", extraction.name)?;
        write_quoted(f, &extraction.expression)
    })
}

fn write_list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    separator: &str,
    mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(separator)?;
        }
        write(f, item)?;
    }
    Ok(())
}

impl Display for LineFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.op.as_str())?;
        write_list(f, &self.alternatives, " or ", |f, one| {
            if !one.ip {
                return write_quoted(f, &one.text);
            }
            f.write_str("ip(")?;
            write_quoted(f, &one.text)?;
            f.write_char(')')
        })
    }
}

impl Display for LabelFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(left, right) => write!(f, "( {left} , {right} )"),
            Self::Or(left, right) => write!(f, "( {left} or {right} )"),
            Self::Matcher(matcher) => write_filter_matcher(f, matcher),
            Self::Ip { name, negative, pattern } => {
                write!(f, "{name}{}ip(", if *negative { "!=" } else { "=" })?;
                write_quoted(f, pattern)?;
                f.write_char(')')
            }
            Self::Number { name, op, value } => write!(f, "{name}{}{}", op.as_str(), format_value(*value)),
            Self::Duration { name, op, value } => {
                write!(f, "{name}{}{}", op.as_str(), units::format_go_duration(*value))
            }
            Self::Bytes { name, op, value } => {
                write!(f, "{name}{}{}", op.as_str(), units::format_bytes(*value))
            }
        }
    }
}

/// A regular expression stands in backquotes where it can, which spares its backslashes.
fn write_filter_matcher(f: &mut Formatter<'_>, matcher: &Matcher) -> fmt::Result {
    let plain = matcher.regex().is_none_or(|regex| !matches!(regex.literals(), go_regex::Literals::None));
    if plain || matcher.value().contains(['`', '\r', '\0']) {
        return write_matcher(f, matcher);
    }
    write!(f, "{}{}`{}`", matcher.name(), matcher.op().as_str(), matcher.value())
}

impl Display for MetricExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(node) => node.fmt(f),
            Self::Vector(node) => node.fmt(f),
            Self::Binary(node) => node.fmt(f),
            Self::Literal(node) => f.write_str(&units::format_number(node.value)),
            Self::VectorLiteral(node) => write!(f, "vector({:.6})", node.value),
            Self::LabelReplace(node) => node.fmt(f),
            Self::Lines(log) => log.fmt(f),
        }
    }
}

impl Display for RangeAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.op.as_str())?;
        if let Some(parameter) = &self.parameter {
            write!(f, "{},", format_value(parameter.value))?;
        }
        write!(f, "{})", self.range)?;
        if let Some(grouping) = &self.grouping {
            grouping.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for LogRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.log)?;
        if let Some(unwrap) = &self.unwrap {
            write!(f, " {unwrap}")?;
        }
        write!(f, "[{}]", units::format_prometheus_duration(self.interval))?;
        if self.offset != 0 {
            write!(f, " offset {}", units::format_go_duration(self.offset))?;
        }
        Ok(())
    }
}

impl Display for Unwrap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.conversion {
            Some(conversion) => write!(f, "| unwrap {}({})", conversion.as_str(), self.name)?,
            None => write!(f, "| unwrap {}", self.name)?,
        }
        for filter in &self.filters {
            write!(f, " | {filter}")?;
        }
        Ok(())
    }
}

impl Display for Grouping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = if self.without { "without" } else { "by" };
        write!(f, " {word} ({})", self.labels.join(","))
    }
}

impl Display for VectorAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.as_str())?;
        if let Some(grouping) =
            self.grouping.as_ref().filter(|grouping| grouping.without || !grouping.labels.is_empty())
        {
            grouping.fmt(f)?;
        }
        f.write_char('(')?;
        if let Some(parameter) = &self.parameter {
            write!(f, "{},", parameter.text)?;
        }
        write!(f, "{})", self.expr)
    }
}

impl Display for BinaryExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { op, left, right, return_bool, matching, span: _ } = self;
        write!(f, "({left} ")?;
        write_operator(f, *op, *return_bool, matching, ",")?;
        write!(f, " {right})")
    }
}

/// The operator with its modifiers, labels separated as said.
pub(super) fn write_operator(
    f: &mut impl Write,
    op: BinaryOp,
    return_bool: bool,
    matching: &Matching,
    separator: &str,
) -> fmt::Result {
    let Matching { on, labels, card, include } = matching;
    f.write_str(op.as_str())?;
    if return_bool {
        f.write_str(" bool")?;
    }
    if !on && labels.is_none() && *card == MatchingCard::OneToOne {
        return Ok(());
    }
    let word = if *on { "on" } else { "ignoring" };
    write!(f, " {word} ({}) ", labels.as_deref().unwrap_or_default().join(separator))?;
    match card {
        MatchingCard::OneToOne => {}
        MatchingCard::ManyToOne => f.write_str("group_left")?,
        MatchingCard::OneToMany => f.write_str("group_right")?,
    }
    if let Some(include) = include {
        write!(f, " ({})", include.join(separator))?;
    }
    Ok(())
}

impl Display for LabelReplace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "label_replace({}", self.expr)?;
        for text in [&self.dst, &self.replacement, &self.src, &self.regex] {
            f.write_char(',')?;
            write_quoted(f, text)?;
        }
        f.write_char(')')
    }
}

impl Display for Variants {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("variants(")?;
        write_list(f, &self.variants, ", ", |f, variant| variant.fmt(f))?;
        write!(f, ") of ({})", self.of)
    }
}
