//! Does the query make sense? Checks that need the whole tree, with Loki's texts, outermost and leftmost first.

use go_regex::Regex;
use model::Matcher;

use super::{
    BinaryExpr, Expr, MetricExpr, ParseError, RangeAggregation, RangeOp, VectorAggregation, VectorOp,
};

const NEEDS_A_MATCHER: &str = "queries require at least one regexp or equality matcher that does not have an empty-compatible value. \
     For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will";

/// Refuses queries that parse but cannot be answered.
pub(super) fn check(expr: &Expr) -> Result<(), ParseError> {
    match expr {
        Expr::Log(log) => check_matchers(&log.matchers),
        Expr::Metric(metric) => check_metric(metric),
        Expr::Variants(variants) => {
            check_matchers(&variants.of.log.matchers)?;
            variants.variants.iter().try_for_each(check_metric)
        }
    }
}

fn check_matchers(matchers: &[Matcher]) -> Result<(), ParseError> {
    if matchers.iter().any(|matcher| !matcher.matches_empty()) {
        return Ok(());
    }
    Err(ParseError::new(NEEDS_A_MATCHER))
}

fn check_metric(metric: &MetricExpr) -> Result<(), ParseError> {
    match metric {
        MetricExpr::Range(node) => {
            check_range(node)?;
            check_matchers(&node.range.log.matchers)
        }
        MetricExpr::Vector(node) => {
            check_vector(node)?;
            check_metric(&node.expr)
        }
        MetricExpr::Binary(node) => {
            check_binary(node)?;
            check_metric(&node.left)?;
            check_metric(&node.right)
        }
        MetricExpr::LabelReplace(node) => {
            Regex::new(&node.regex).map_err(|error| {
                ParseError::of(format!("invalid regex in label_replace: {error}"), node.span)
            })?;
            check_metric(&node.expr)
        }
        MetricExpr::Literal(_) | MetricExpr::VectorLiteral(_) => Ok(()),
        MetricExpr::Lines(log) => {
            Err(ParseError::of("unexpected selection of lines where series are due", log.span))
        }
    }
}

fn check_range(node: &RangeAggregation) -> Result<(), ParseError> {
    let op = node.op.as_str();
    let fail = |message: String| Err(ParseError::of(message, node.span));
    match &node.parameter {
        Some(parameter) if node.op != RangeOp::Quantile => {
            return fail(format!("parameter {} not supported for operation {op}", parameter.text));
        }
        None if node.op == RangeOp::Quantile => {
            return fail(format!("parameter required for operation {op}"));
        }
        _ => {}
    }
    if node.grouping.is_some() && !node.op.allows_grouping() {
        return fail(format!("grouping not allowed for {op} aggregation"));
    }
    if node.range.unwrap.is_some() && !node.op.allows_unwrap() {
        return fail(format!("invalid aggregation {op} with unwrap"));
    }
    if node.range.unwrap.is_none() && node.op.needs_unwrap() {
        return fail(format!("invalid aggregation {op} without unwrap"));
    }
    Ok(())
}

fn check_vector(node: &VectorAggregation) -> Result<(), ParseError> {
    let op = node.op.as_str();
    let fail = |message: String| Err(ParseError::of(message, node.span));
    match &node.parameter {
        None if node.op.has_parameter() => return fail(format!("parameter required for operation {op}")),
        Some(parameter) if node.op.has_parameter() => match parameter.text.parse::<i64>() {
            Err(_) => return fail(format!("invalid parameter {op}({},", parameter.text)),
            Ok(count) if count <= 0 => {
                return fail(format!("invalid parameter (must be greater than 0) {op}({}", parameter.text));
            }
            Ok(_) => {}
        },
        Some(parameter) => {
            return fail(format!("unsupported parameter for operation {op}({},", parameter.text));
        }
        None => {}
    }
    match (&node.grouping, node.op) {
        (Some(_), VectorOp::ApproxTopK) => fail(format!("grouping not allowed for {op} aggregation")),
        (Some(grouping), VectorOp::Sort | VectorOp::SortDesc) if !grouping.labels.is_empty() => {
            fail("sort and sort_desc doesn't allow grouping by ".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_binary(node: &BinaryExpr) -> Result<(), ParseError> {
    let op = node.op.as_str();
    for (side, expr) in [("left", &node.left), ("right", &node.right)] {
        if let MetricExpr::Lines(log) = expr {
            // The names of Loki's own types are part of its message.
            let kind = if log.stages.is_empty() { "MatchersExpr" } else { "PipelineExpr" };
            let message =
                format!("unexpected type for {side} leg of binary operation ({op}): *syntax.{kind}");
            return Err(ParseError::of(message, log.span));
        }
    }
    for (side, expr) in [("left", &node.left), ("right", &node.right)] {
        if let MetricExpr::Literal(literal) = expr
            && node.op.is_set()
        {
            let message = format!(
                "unexpected literal for {side} leg of logical/set binary operation ({op}): {:.6}",
                literal.value
            );
            return Err(ParseError::of(message, literal.span));
        }
    }
    Ok(())
}
