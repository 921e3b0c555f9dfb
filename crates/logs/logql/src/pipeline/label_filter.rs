//! Label filters.

use model::Matcher;

use super::ip::IpPattern;
use super::{Entry, EntryLabels, Run, errors};
use crate::syntax::{CompareOp, LabelFilter};
use crate::units;

/// A compiled label filter.
pub(super) enum LabelCondition {
    And(Box<LabelCondition>, Box<LabelCondition>),
    Or(Box<LabelCondition>, Box<LabelCondition>),
    Matcher(Matcher),
    Ip { name: String, negative: bool, pattern: IpPattern },
    Number { name: String, op: CompareOp, value: f64 },
    Duration { name: String, op: CompareOp, value: i64 },
    Bytes { name: String, op: CompareOp, value: u64 },
}

impl LabelCondition {
    pub fn new(filter: &LabelFilter) -> Result<Self, String> {
        Ok(match filter {
            LabelFilter::And(left, right) => {
                Self::And(Box::new(Self::new(left)?), Box::new(Self::new(right)?))
            }
            LabelFilter::Or(left, right) => Self::Or(Box::new(Self::new(left)?), Box::new(Self::new(right)?)),
            LabelFilter::Matcher(matcher) => Self::Matcher(matcher.clone()),
            LabelFilter::Ip { name, negative, pattern } => {
                Self::Ip { name: name.clone(), negative: *negative, pattern: IpPattern::new(pattern)? }
            }
            LabelFilter::Number { name, op, value } => {
                Self::Number { name: name.clone(), op: *op, value: *value }
            }
            LabelFilter::Duration { name, op, value } => {
                Self::Duration { name: name.clone(), op: *op, value: *value }
            }
            LabelFilter::Bytes { name, op, value } => {
                Self::Bytes { name: name.clone(), op: *op, value: *value }
            }
        })
    }

    /// Whether the labels satisfy it. A value that cannot be converted is an error and holds: the line is kept for the error to be seen.
    pub fn holds(&self, labels: &mut EntryLabels) -> bool {
        match self {
            // Both sides run, for each may note an error; but an `or` that holds already is done.
            Self::And(left, right) => {
                let left = left.holds(labels);
                right.holds(labels) && left
            }
            Self::Or(left, right) => left.holds(labels) || right.holds(labels),
            Self::Matcher(matcher) => matcher.matches(labels.value(matcher.name())),
            Self::Ip { name, negative, pattern } => {
                labels.has_error() || labels.get(name).is_some_and(|value| pattern.is_in(value) != *negative)
            }
            Self::Number { name, op, value } => compare(labels, name, *op, *value, units::parse_number),
            Self::Duration { name, op, value } => {
                compare(labels, name, *op, *value, units::parse_go_duration)
            }
            Self::Bytes { name, op, value } => compare(labels, name, *op, *value, units::parse_bytes),
        }
    }
}

fn compare<T: PartialOrd + Copy>(
    labels: &mut EntryLabels,
    name: &str,
    op: CompareOp,
    value: T,
    parse: fn(&str) -> Result<T, String>,
) -> bool {
    let Some(text) = labels.get(name) else {
        return false;
    };
    match parse(text) {
        Ok(found) => op.holds(&found, &value),
        Err(error) => {
            if !labels.has_error() {
                labels.set_error(errors::LABEL_FILTER, &error);
            }
            true
        }
    }
}

impl Run for LabelCondition {
    fn run(&mut self, _: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        self.holds(labels)
    }
}

/// The labels a filter reads.
pub(super) fn names(filter: &LabelFilter, add: &mut dyn FnMut(&str)) {
    match filter {
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            names(left, add);
            names(right, add);
        }
        // A filter that everything satisfies reads nothing, as in Loki: `| a=~".*"` does not make parsers look for `a`.
        LabelFilter::Matcher(matcher)
            if matcher.op() == model::MatchOp::Regex && matches!(matcher.value(), "" | ".*") => {}
        LabelFilter::Matcher(matcher) => add(matcher.name()),
        LabelFilter::Ip { name, .. }
        | LabelFilter::Number { name, .. }
        | LabelFilter::Duration { name, .. }
        | LabelFilter::Bytes { name, .. } => add(name),
    }
}
