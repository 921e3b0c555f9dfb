//! Formats queries over several lines, as Loki's `/format_query` does: whatever prints longer than a line is broken up.

use super::display::write_operator;
use super::{
    BinaryExpr, Expr, Grouping, LabelReplace, LogExpr, LogRange, MetricExpr, RangeAggregation, Stage,
    StageKind, Unwrap, Variants, VectorAggregation,
};
use crate::units;

/// Longer than this is broken up, characters.
const MAX_LINE: usize = 100;
const INDENT: &str = "  ";

/// The query as a person would lay it out.
pub fn format_query(expr: &Expr) -> String {
    let mut out = String::new();
    match expr {
        Expr::Log(log) => log_expr(&mut out, log, 0),
        Expr::Metric(metric) => metric_expr(&mut out, metric, 0),
        Expr::Variants(node) => variants(&mut out, node, 0),
    }
    out
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str(INDENT);
    }
}

/// Writes the short form if it fits on a line.
fn short(out: &mut String, text: &str, level: usize) -> bool {
    let fits = text.len() <= MAX_LINE;
    if fits {
        indent(out, level);
        out.push_str(text);
    }
    fits
}

fn log_expr(out: &mut String, log: &LogExpr, level: usize) {
    if short(out, &log.to_string(), level) {
        return;
    }
    let bare = LogExpr { matchers: log.matchers.clone(), stages: Vec::new(), span: log.span };
    indent(out, level);
    out.push_str(&bare.to_string());
    // Filters that follow each other share a line while they fit.
    let is_filter = |stage: &Stage| matches!(stage.kind, StageKind::LineFilter(_));
    for stages in log.stages.chunk_by(|left, right| is_filter(left) && is_filter(right)) {
        let texts: Vec<String> = stages.iter().map(Stage::to_string).collect();
        let joined = texts.join(" ");
        let lines = if joined.len() <= MAX_LINE { vec![joined] } else { texts };
        for line in lines {
            out.push('\n');
            indent(out, level + 1);
            out.push_str(&line);
        }
    }
}

fn log_range(out: &mut String, range: &LogRange, level: usize) {
    log_expr(out, &range.log, level);
    if let Some(node) = &range.unwrap {
        out.push('\n');
        unwrap(out, node, level + 1);
    }
    out.push_str(&format!(" [{}]", units::format_prometheus_duration(range.interval)));
    if range.offset != 0 {
        out.push_str(&format!(" offset {}", units::format_prometheus_duration(range.offset)));
    }
}

fn unwrap(out: &mut String, node: &Unwrap, level: usize) {
    let head = Unwrap { filters: Vec::new(), ..node.clone() };
    indent(out, level);
    out.push_str(&head.to_string());
    for filter in &node.filters {
        out.push('\n');
        indent(out, level);
        out.push_str(&format!("| {filter}"));
    }
}

fn metric_expr(out: &mut String, metric: &MetricExpr, level: usize) {
    if short(out, &metric.to_string(), level) {
        return;
    }
    match metric {
        MetricExpr::Range(node) => range_aggregation(out, node, level),
        MetricExpr::Vector(node) => vector_aggregation(out, node, level),
        MetricExpr::Binary(node) => binary(out, node, level),
        MetricExpr::LabelReplace(node) => label_replace(out, node, level),
        MetricExpr::Lines(log) => log_expr(out, log, level),
        MetricExpr::Literal(_) | MetricExpr::VectorLiteral(_) => {
            indent(out, level);
            out.push_str(&metric.to_string());
        }
    }
}

fn range_aggregation(out: &mut String, node: &RangeAggregation, level: usize) {
    indent(out, level);
    out.push_str(node.op.as_str());
    out.push_str("(\n");
    if let Some(parameter) = &node.parameter {
        indent(out, level + 1);
        out.push_str(&units::format_number(parameter.value));
        out.push_str(",\n");
    }
    log_range(out, &node.range, level + 1);
    out.push('\n');
    indent(out, level);
    out.push(')');
    grouping(out, node.grouping.as_ref());
}

fn grouping(out: &mut String, node: Option<&Grouping>) {
    let Some(node) = node else {
        return;
    };
    if node.without {
        out.push_str(" without");
        if node.labels.is_empty() {
            out.push_str(" ()");
        }
    } else if !node.labels.is_empty() {
        out.push_str(" by");
    }
    if !node.labels.is_empty() {
        out.push_str(&format!(" ({})", node.labels.join(", ")));
    }
}

fn vector_aggregation(out: &mut String, node: &VectorAggregation, level: usize) {
    indent(out, level);
    out.push_str(node.op.as_str());
    grouping(out, node.grouping.as_ref());
    out.push_str("(\n");
    if let Some(parameter) = &node.parameter {
        indent(out, level + 1);
        out.push_str(&parameter.text);
        out.push_str(",\n");
    }
    metric_expr(out, &node.expr, level + 1);
    out.push('\n');
    indent(out, level);
    out.push(')');
}

/// Loki drops the parentheses around a broken-up operation, and with them its meaning inside of another one; they stay here.
fn binary(out: &mut String, node: &BinaryExpr, level: usize) {
    side(out, &node.left, level + 1);
    out.push('\n');
    indent(out, level);
    let mut operator = String::new();
    let _ = write_operator(&mut operator, node.op, node.return_bool, &node.matching, ", ");
    out.push_str(operator.trim_end());
    out.push('\n');
    side(out, &node.right, level + 1);
}

fn side(out: &mut String, expr: &MetricExpr, level: usize) {
    let is_broken_up = matches!(expr, MetricExpr::Binary(_)) && expr.to_string().len() > MAX_LINE;
    if !is_broken_up {
        metric_expr(out, expr, level);
        return;
    }
    indent(out, level);
    out.push_str("(\n");
    metric_expr(out, expr, level + 1);
    out.push('\n');
    indent(out, level);
    out.push(')');
}

fn label_replace(out: &mut String, node: &LabelReplace, level: usize) {
    indent(out, level);
    out.push_str("label_replace(\n");
    metric_expr(out, &node.expr, level + 1);
    for text in [&node.dst, &node.replacement, &node.src, &node.regex] {
        out.push_str(",\n");
        indent(out, level + 1);
        out.push_str(&model::quote(text));
    }
    out.push('\n');
    indent(out, level);
    out.push(')');
}

fn variants(out: &mut String, node: &Variants, level: usize) {
    if short(out, &node.to_string(), level) {
        return;
    }
    indent(out, level);
    out.push_str("variants(\n");
    for (i, variant) in node.variants.iter().enumerate() {
        if i > 0 {
            out.push_str(",\n");
        }
        metric_expr(out, variant, level + 1);
    }
    out.push_str("\n) of (\n");
    log_range(out, &node.of, level + 1);
    out.push_str("\n)");
}
