//! `/parse_query`: a query's syntax tree as JSON, in the shape that Prometheus gives it. Front ends draw trees and build queries with it.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use model::{Matcher, format_value};
use promql::syntax::{
    AtModifier, Binary, Card, DurationExpr, DurationKind, DurationValue, Expr, ExprKind, Function, TimeShift,
    Variadic, VectorMatching, VectorSelector,
};
use serde_json::{Value, json};

use super::{ApiError, ApiState, json as answer, params::Params, query::invalid_query};

pub(super) async fn parse(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let expression = state.engine.parse(params.get("query")).map_err(invalid_query)?;
    answer::success(tree(&expression))
}

/// One node with all below it. The parser's bound on depth is this recursion's too.
fn tree(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Number(number) => json!({"type": "numberLiteral", "val": format_value(number.value)}),
        ExprKind::String(text) => json!({"type": "stringLiteral", "val": text.to_text()}),
        ExprKind::Selector(selector) => {
            let mut node = json!({"type": "vectorSelector"});
            add_selector(&mut node, selector);
            node
        }
        ExprKind::Matrix(matrix) => {
            let mut node = json!({"type": "matrixSelector"});
            add_duration(&mut node, "range", Some(&matrix.range));
            add_selector(&mut node, &matrix.selector);
            node
        }
        ExprKind::Subquery(subquery) => {
            let mut node = json!({"type": "subquery", "expr": tree(&subquery.expr)});
            add_duration(&mut node, "range", Some(&subquery.range));
            add_duration(&mut node, "step", subquery.step.as_ref());
            add_shift(&mut node, &subquery.shift);
            node
        }
        ExprKind::Aggregate(aggregate) => json!({
            "type": "aggregation",
            "op": aggregate.op.as_str(),
            "expr": tree(&aggregate.expr),
            "param": aggregate.param.as_ref().map(tree),
            "grouping": aggregate.grouping,
            "without": aggregate.without,
        }),
        ExprKind::Binary(binary) => self::binary(binary),
        ExprKind::Call(call) => json!({
            "type": "call",
            "func": function(call.function),
            "args": call.args.iter().map(tree).collect::<Vec<_>>(),
        }),
        ExprKind::Paren(inner) => json!({"type": "parenExpr", "expr": tree(inner)}),
        ExprKind::Unary(unary) => json!({
            "type": "unaryExpr",
            "op": if unary.negative { "-" } else { "+" },
            "expr": tree(&unary.expr),
        }),
    }
}

fn add_selector(node: &mut Value, selector: &VectorSelector) {
    node["name"] = selector.name.as_deref().unwrap_or_default().into();
    node["matchers"] = selector.matchers.iter().map(matcher).collect();
    node["anchored"] = selector.anchored.into();
    node["smoothed"] = selector.smoothed.into();
    add_shift(node, &selector.shift);
}

fn matcher(matcher: &Matcher) -> Value {
    json!({"name": matcher.name(), "value": matcher.value(), "type": matcher.op().as_str()})
}

fn add_shift(node: &mut Value, shift: &TimeShift) {
    add_duration(node, "offset", shift.offset.as_ref());
    let (timestamp, start_or_end) = match shift.at {
        None => (None, None),
        Some(AtModifier::Timestamp(millis)) => (Some(millis), None),
        Some(AtModifier::Start) => (None, Some("start")),
        Some(AtModifier::End) => (None, Some("end")),
    };
    node["timestamp"] = timestamp.into();
    node["startOrEnd"] = start_or_end.into();
}

/// Milliseconds, and beside them the expression where it is one: its value is known when the query runs.
fn add_duration(node: &mut Value, name: &str, duration: Option<&DurationValue>) {
    let (millis, expression) = match duration {
        None => (0, Value::Null),
        Some(DurationValue::Millis(millis)) => (*millis, Value::Null),
        Some(DurationValue::Expr(expression)) => (0, duration_tree(expression)),
    };
    node[name] = millis.into();
    node[format!("{name}Expr")] = expression;
}

fn duration_tree(expr: &DurationExpr) -> Value {
    let node = |op: &str, lhs: Value, rhs: Value| json!({"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": expr.wrapped});
    match &expr.kind {
        DurationKind::Number(number) => json!({
            "type": "numberLiteral",
            "val": format_value(number.value),
            "duration": number.is_duration,
        }),
        DurationKind::Step => node("step", Value::Null, Value::Null),
        DurationKind::Range => node("range", Value::Null, Value::Null),
        DurationKind::Negate(inner) => node("-", Value::Null, duration_tree(inner)),
        DurationKind::Binary(op, left, right) => node(op.as_str(), duration_tree(left), duration_tree(right)),
        DurationKind::MinOf(left, right) => node("min_of", duration_tree(left), duration_tree(right)),
        DurationKind::MaxOf(left, right) => node("max_of", duration_tree(left), duration_tree(right)),
    }
}

fn binary(binary: &Binary) -> Value {
    json!({
        "type": "binaryExpr",
        "op": binary.op.as_str(),
        "lhs": tree(&binary.lhs),
        "rhs": tree(&binary.rhs),
        "matching": binary.matching.as_ref().map(matching),
        "bool": binary.return_bool,
    })
}

fn matching(matching: &VectorMatching) -> Value {
    let card = match matching.card {
        Card::OneToOne => "one-to-one",
        Card::ManyToOne => "many-to-one",
        Card::OneToMany => "one-to-many",
        Card::ManyToMany => "many-to-many",
    };
    json!({
        "card": card,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    })
}

fn function(function: &Function) -> Value {
    let variadic = match function.variadic {
        Variadic::Exact => 0,
        Variadic::UpTo(more) => i64::try_from(more).unwrap_or(i64::MAX),
        Variadic::Any => -1,
    };
    json!({
        "name": function.name,
        "argTypes": function.args.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "variadic": variadic,
        "returnType": function.returns.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use promql::syntax::ParserOptions;

    use super::*;

    fn parsed(query: &str) -> Value {
        tree(&promql::syntax::parse(query, ParserOptions::all()).expect(query))
    }

    #[test]
    fn selectors_with_all_their_modifiers() {
        assert_eq!(
            parsed(r#"foo{job=~"a.*"}[5m] @ 1.5 offset -1m"#),
            json!({
                "type": "matrixSelector", "name": "foo", "range": 300_000, "rangeExpr": null,
                "offset": -60_000, "offsetExpr": null, "timestamp": 1500, "startOrEnd": null,
                "anchored": false, "smoothed": false,
                "matchers": [
                    {"name": "job", "value": "a.*", "type": "=~"},
                    {"name": "__name__", "value": "foo", "type": "="},
                ],
            })
        );
        let subquery = parsed("up[1h:] @ end()");
        assert_eq!(
            (&subquery["type"], &subquery["range"], &subquery["step"], &subquery["startOrEnd"]),
            (&json!("subquery"), &json!(3_600_000), &json!(0), &json!("end"))
        );
        assert_eq!(subquery["expr"]["type"], "vectorSelector");
    }

    #[test]
    fn durations_that_are_computed() {
        let matrix = parsed("foo[(5m + step()) * 2]");
        assert_eq!(
            matrix["rangeExpr"],
            json!({
                "type": "durationExpr", "op": "*", "wrapped": false,
                "lhs": {
                    "type": "durationExpr", "op": "+", "wrapped": true,
                    "lhs": {"type": "numberLiteral", "val": "300", "duration": true},
                    "rhs": {"type": "durationExpr", "op": "step", "lhs": null, "rhs": null, "wrapped": false},
                },
                "rhs": {"type": "numberLiteral", "val": "2", "duration": false},
            })
        );
        assert_eq!(matrix["range"], 0);
    }

    #[test]
    fn operations_and_calls() {
        let sum = parsed(r#"-topk by (a) (3, b > bool on (c) group_left (d) round(e, 0.5))"#);
        assert_eq!((&sum["type"], &sum["op"]), (&json!("unaryExpr"), &json!("-")));
        let topk = &sum["expr"];
        assert_eq!(
            (&topk["op"], &topk["grouping"], &topk["without"], &topk["param"]),
            (&json!("topk"), &json!(["a"]), &json!(false), &json!({"type": "numberLiteral", "val": "3"}))
        );
        let comparison = &topk["expr"];
        assert_eq!((&comparison["op"], &comparison["bool"]), (&json!(">"), &json!(true)));
        assert_eq!(
            comparison["matching"],
            json!({
                "card": "many-to-one", "labels": ["c"], "on": true, "include": ["d"],
                "fillValues": {"lhs": null, "rhs": null},
            })
        );
        assert_eq!(
            comparison["rhs"]["func"],
            json!({"name": "round", "argTypes": ["vector", "scalar"], "variadic": 1, "returnType": "vector"})
        );
        assert_eq!(parsed("1 + (2)")["matching"], Value::Null);
        assert_eq!(parsed("1 + (2)")["rhs"]["type"], "parenExpr");
    }
}
