//! Types: what may stand where. Finds the first fault in the order in which Prometheus reports them.

use model::{METRIC_NAME, quote};

use super::{
    Aggregate, Aggregator, Binary, Call, Card, Expr, ExprKind, ValueType, Variadic, VectorSelector,
    error::Problem,
};

type Checked<T> = Result<T, Problem>;

/// Checks a tree and fills in what follows from types: matching exists between vectors only and is many-to-many for sets.
pub(super) fn check(expr: &mut Expr) -> Checked<ValueType> {
    let value_type = expr.value_type();
    let span = expr.span;
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => {}
        ExprKind::Selector(selector) => check_selector(selector, expr.span)?,
        ExprKind::Matrix(matrix) => check_selector(&matrix.selector, matrix.selector_span)?,
        ExprKind::Subquery(subquery) => {
            let inner = check(&mut subquery.expr)?;
            if inner != ValueType::Vector {
                let inner = inner.as_str();
                return Err(Problem::new(
                    span,
                    format!("subquery is only allowed on instant vector, got {inner} instead"),
                ));
            }
        }
        ExprKind::Aggregate(aggregate) => check_aggregate(aggregate)?,
        ExprKind::Binary(binary) => check_binary(binary, expr.span)?,
        ExprKind::Call(call) => check_call(call, expr.span)?,
        ExprKind::Paren(inner) => {
            check(inner)?;
        }
        ExprKind::Unary(unary) => {
            let inner = check(&mut unary.expr)?;
            if !matches!(inner, ValueType::Scalar | ValueType::Vector) {
                return Err(Problem::new(
                    span,
                    format!(
                        "unary expression only allowed on expressions of type scalar or instant vector, got {}",
                        quote(inner.documented())
                    ),
                ));
            }
        }
    }
    Ok(value_type)
}

fn expect_type(expr: &mut Expr, want: ValueType, context: &str) -> Checked<()> {
    let got = check(expr)?;
    if got == want {
        return Ok(());
    }
    let (want, got) = (want.documented(), got.documented());
    Err(Problem::new(expr.span, format!("expected type {want} in {context}, got {got}")))
}

fn check_aggregate(aggregate: &mut Aggregate) -> Checked<()> {
    expect_type(&mut aggregate.expr, ValueType::Vector, "aggregation expression")?;
    let want = match aggregate.op {
        Aggregator::CountValues => ValueType::String,
        _ => ValueType::Scalar,
    };
    match &mut aggregate.param {
        Some(param) => expect_type(param, want, "aggregation parameter"),
        None => Ok(()),
    }
}

fn check_binary(binary: &mut Binary, span: super::Span) -> Checked<()> {
    let left = check(&mut binary.lhs)?;
    let right = check(&mut binary.rhs)?;
    let op = binary.op;
    let at_op = |message: String| Err(Problem::new(binary.op_span, message));
    let at_all = |message: String| Err(Problem::new(span, message));

    if binary.return_bool && !op.is_comparison() {
        return at_op("bool modifier can only be used on comparison operators".to_owned());
    }
    let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
    if op.is_comparison() && !binary.return_bool && scalars {
        return at_op("comparisons between scalars must use BOOL modifier".to_owned());
    }
    let Some(matching) = &mut binary.matching else {
        return Ok(());
    };
    if op.is_set() && matching.card == Card::OneToOne {
        matching.card = Card::ManyToMany;
    }
    if matching.on
        && let Some(label) = matching.labels.iter().find(|label| matching.include.contains(label))
    {
        let label = quote(label);
        return at_op(format!("label {label} must not occur in ON and GROUP clause at once"));
    }
    for (side, value_type) in [(&binary.lhs, left), (&binary.rhs, right)] {
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            return Err(Problem::new(
                side.span,
                "binary expression must contain only scalar and instant vector types",
            ));
        }
    }
    let filled = matching.fill_left.is_some() || matching.fill_right.is_some();
    if left != ValueType::Vector || right != ValueType::Vector {
        if !matching.labels.is_empty() {
            return at_all("vector matching only allowed between instant vectors".to_owned());
        }
        if filled {
            return at_all("filling in missing series only allowed between instant vectors".to_owned());
        }
        binary.matching = None;
    } else if op.is_set() {
        let name = quote(op.as_str());
        if matching.card != Card::ManyToMany {
            return at_all(format!("no grouping allowed for {name} operation"));
        }
        if filled {
            return at_all("filling in missing series not allowed for set operators".to_owned());
        }
    }
    if op.is_set() && (left == ValueType::Scalar || right == ValueType::Scalar) {
        let name = quote(op.as_str());
        return at_all(format!("set operator {name} not allowed in binary scalar expression"));
    }
    Ok(())
}

fn check_call(call: &mut Call, span: super::Span) -> Checked<()> {
    let function = call.function;
    let name = quote(function.name);
    let (listed, got) = (function.args.len(), call.args.len());
    let problem = |message: String| Err(Problem::new(span, message));
    match function.variadic {
        Variadic::Exact if got != listed => {
            return problem(format!("expected {listed} argument(s) in call to {name}, got {got}"));
        }
        Variadic::UpTo(_) | Variadic::Any if got + 1 < listed => {
            let least = listed - 1;
            return problem(format!("expected at least {least} argument(s) in call to {name}, got {got}"));
        }
        Variadic::UpTo(more) if got > listed - 1 + more => {
            let most = listed - 1 + more;
            return problem(format!("expected at most {most} argument(s) in call to {name}, got {got}"));
        }
        _ => {}
    }
    let only_labels = function.name == "info";
    if only_labels && let Some(arg) = call.args.get(1) {
        check_info_selector(arg, span)?;
    }
    for (at, arg) in call.args.iter_mut().enumerate() {
        let Some(want) = function.args.get(at).or(function.args.last()) else {
            break;
        };
        // The second argument of `info` may match everything.
        let got = if only_labels && at == 1 { arg.value_type() } else { check(arg)? };
        if got != *want {
            let (want, got) = (want.documented(), got.documented());
            return Err(Problem::new(
                arg.span,
                format!("expected type {want} in call to function {name}, got {got}"),
            ));
        }
    }
    Ok(())
}

fn check_info_selector(arg: &Expr, call: super::Span) -> Checked<()> {
    let value_type = arg.value_type();
    if value_type != ValueType::Vector {
        let got = value_type.documented();
        return Err(Problem::new(
            call,
            format!("expected type instant vector in call to function \"info\", got {got}"),
        ));
    }
    match &arg.kind {
        ExprKind::Selector(selector) if selector.name.is_some() => {
            Err(Problem::new(arg.span, "expected label selectors only, got vector selector instead"))
        }
        ExprKind::Selector(_) => Ok(()),
        _ => Err(Problem::new(arg.span, "expected label selectors only")),
    }
}

fn check_selector(selector: &VectorSelector, span: super::Span) -> Checked<()> {
    let Some(name) = &selector.name else {
        // Guards against selecting everything by a slip.
        if selector.matchers.iter().all(|matcher| matcher.matches_empty()) {
            return Err(Problem::new(span, "vector selector must contain at least one non-empty matcher"));
        }
        return Ok(());
    };
    let others = &selector.matchers[..selector.matchers.len().saturating_sub(1)];
    match others.iter().find(|matcher| matcher.name() == METRIC_NAME) {
        Some(other) => {
            let (name, other) = (quote(name), quote(other.value()));
            Err(Problem::new(span, format!("metric name must not be set twice: {name} or {other}")))
        }
        None => Ok(()),
    }
}
