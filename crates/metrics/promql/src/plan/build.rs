//! Makes plans.

use model::{METRIC_NAME, Millis};
use vector::{Grouping, Rank, Reduce};

use super::{
    Aggregate, AggregateOp, Extension, Plan, RangeKind, RangeSource, Scalar, Selector, Shift, Vector,
    VectorKind,
    binary::{not_allowed, number_op},
    duration::{self, DurationContext},
    histogram_parts::HistogramParts,
    invariant,
    repeated::Repeated,
};
use crate::{
    engine::EngineError,
    syntax::{
        self, Aggregator, AtModifier, Call, Expr, ExprKind, Span, StringLiteral, TimeShift, ValueType,
        VectorSelector,
    },
};

/// Labels that describe the metric and not the series; they go where the name goes.
pub(crate) const METADATA_LABELS: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

pub(super) type Built<T> = Result<T, EngineError>;

/// What a plan depends on besides the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanContext {
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    /// Zero for an instant query.
    pub(crate) step: Millis,
    /// The step of subqueries that name none.
    pub(crate) default_step: Millis,
    pub(crate) delayed_name_removal: bool,
}

/// Makes the plan of a query that has been parsed and checked.
pub(crate) fn build(expr: &Expr, context: PlanContext) -> Built<Plan> {
    let builder = Builder { context, repeated: Repeated::of(expr), parts: HistogramParts::default() };
    Ok(match expr.value_type() {
        ValueType::Scalar => Plan::Scalar(builder.scalar(expr)?),
        ValueType::String => Plan::String(builder.string(expr)?.to_text()),
        ValueType::Matrix => Plan::Matrix(builder.range_source(expr, "")?),
        ValueType::Vector => {
            let mut vector = builder.vector(expr, "")?;
            if context.start != context.end {
                invariant::mark(&mut vector);
            }
            Plan::Vector(vector)
        }
    })
}

pub(super) struct Builder {
    pub(super) context: PlanContext,
    repeated: Repeated,
    parts: HistogramParts,
}

impl Builder {
    fn durations(&self) -> DurationContext {
        DurationContext {
            step: self.context.step,
            range: self.context.end.saturating_sub(self.context.start),
        }
    }

    pub(super) fn scalar(&self, expr: &Expr) -> Built<Scalar> {
        Ok(match &expr.kind {
            ExprKind::Number(number) => Scalar::Constant(number.value),
            ExprKind::Paren(inner) => self.scalar(inner)?,
            ExprKind::Unary(unary) => {
                let inner = self.scalar(&unary.expr)?;
                match inner {
                    inner if !unary.negative => inner,
                    Scalar::Constant(value) => Scalar::Constant(-value),
                    inner => Scalar::Negate(Box::new(inner)),
                }
            }
            ExprKind::Binary(binary) => {
                let op = number_op(binary.op).ok_or_else(|| not_allowed(binary.op, "Scalar operations"))?;
                match (self.scalar(&binary.lhs)?, self.scalar(&binary.rhs)?) {
                    (Scalar::Constant(left), Scalar::Constant(right)) => {
                        Scalar::Constant(op.evaluate(left, right))
                    }
                    (left, right) => Scalar::Binary(op, Box::new(left), Box::new(right)),
                }
            }
            ExprKind::Call(call) => self.scalar_call(call)?,
            _ => return Err(mistyped(expr)),
        })
    }

    fn scalar_call(&self, call: &Call) -> Built<Scalar> {
        let seconds = |millis: Millis| Scalar::Constant(millis as f64 / 1000.0);
        let context = &self.context;
        let pair = || Ok::<_, EngineError>((self.scalar(&call.args[0])?, self.scalar(&call.args[1])?));
        Ok(match call.function.name {
            "pi" => Scalar::Constant(std::f64::consts::PI),
            "time" => Scalar::Time,
            "start" => seconds(context.start),
            "end" => seconds(context.end),
            "range" => seconds(context.end.saturating_sub(context.start)),
            "step" if context.start == context.end => Scalar::Constant(0.0),
            "step" => seconds(context.step),
            "scalar" => Scalar::OfVector(Box::new(self.vector(&call.args[0], "scalar")?)),
            "min_of" => match pair()? {
                (Scalar::Constant(left), Scalar::Constant(right)) => Scalar::Constant(min(left, right)),
                (left, right) => Scalar::Min(Box::new(left), Box::new(right)),
            },
            "max_of" => match pair()? {
                (Scalar::Constant(left), Scalar::Constant(right)) => Scalar::Constant(max(left, right)),
                (left, right) => Scalar::Max(Box::new(left), Box::new(right)),
            },
            name => return Err(EngineError::NotSupported(format!("function {name}"))),
        })
    }

    pub(super) fn string<'e>(&self, expr: &'e Expr) -> Built<&'e StringLiteral> {
        match &expr.unwrap_parens().kind {
            ExprKind::String(string) => Ok(string),
            _ => Err(mistyped(expr)),
        }
    }

    /// `around` names the function or aggregation that takes the vector.
    pub(super) fn vector(&self, expr: &Expr, around: &str) -> Built<Vector> {
        self.parts.inside(expr, || self.vector_of(expr, around))
    }

    fn vector_of(&self, expr: &Expr, around: &str) -> Built<Vector> {
        let kind = match &expr.kind {
            ExprKind::Selector(selector) => VectorKind::Selector(self.selector(selector, around)?),
            ExprKind::Paren(inner) => return self.vector(inner, around),
            ExprKind::Unary(unary) => {
                let inner = self.vector(&unary.expr, "")?;
                match unary.negative {
                    true => VectorKind::Negate(Box::new(inner)),
                    false => return Ok(inner),
                }
            }
            ExprKind::Aggregate(aggregate) => {
                let (id, built) =
                    self.repeated.build(expr, self.parts.are_stats(), || self.aggregate(aggregate));
                let kind = VectorKind::Aggregate(built?);
                match id {
                    Some(id) => {
                        VectorKind::Repeated { id, input: Box::new(Vector { kind, span: expr.span }) }
                    }
                    None => kind,
                }
            }
            ExprKind::Binary(binary) => self.binary(binary)?,
            ExprKind::Call(call) => self.call(call, expr.span)?,
            _ => return Err(mistyped(expr)),
        };
        Ok(Vector { kind, span: expr.span })
    }

    pub(super) fn boxed(&self, expr: &Expr, around: &str) -> Built<Box<Vector>> {
        self.vector(expr, around).map(Box::new)
    }

    fn selector(&self, selector: &VectorSelector, around: &str) -> Built<Selector> {
        Ok(Selector {
            extension: match (selector.anchored, selector.smoothed) {
                (true, _) => Some(Extension::Anchored),
                (_, true) => Some(Extension::Smoothed),
                _ => None,
            },
            matchers: selector.matchers.clone(),
            shift: self.shift(&selector.shift)?,
            only_stats: self.parts.are_stats(),
            function: around.to_owned(),
            projection: None,
        })
    }

    pub(super) fn shift(&self, shift: &TimeShift) -> Built<Shift> {
        let at = shift.at.map(|at| match at {
            AtModifier::Timestamp(millis) => millis,
            AtModifier::Start => self.context.start,
            AtModifier::End => self.context.end,
        });
        let offset = match &shift.offset {
            Some(offset) => duration::signed(offset, self.durations())?,
            None => 0,
        };
        Ok(Shift { at, offset })
    }

    pub(super) fn range_source(&self, expr: &Expr, around: &str) -> Built<RangeSource> {
        let expr = expr.unwrap_parens();
        match &expr.kind {
            ExprKind::Matrix(matrix) => {
                let selector = self.selector(&matrix.selector, around)?;
                let shift = selector.shift;
                Ok(RangeSource {
                    kind: RangeKind::Selector(selector),
                    range: duration::positive(&matrix.range, self.durations())?,
                    shift,
                })
            }
            ExprKind::Subquery(subquery) => {
                let step = match &subquery.step {
                    Some(step) => duration::positive(step, self.durations())?,
                    None => self.context.default_step,
                };
                if step <= 0 {
                    // A step below a millisecond, which the language can write.
                    return Err(EngineError::Invalid("subquery step must be at least 1ms".to_owned()));
                }
                let boxed = || self.boxed(&subquery.expr, "");
                let mut inner = self.repeated.inside(|| self.parts.inside(expr, boxed))?;
                invariant::mark(&mut inner);
                Ok(RangeSource {
                    kind: RangeKind::Subquery { expr: inner, step },
                    range: duration::positive(&subquery.range, self.durations())?,
                    shift: self.shift(&subquery.shift)?,
                })
            }
            _ => Err(mistyped(expr)),
        }
    }

    fn aggregate(&self, aggregate: &syntax::Aggregate) -> Built<Aggregate> {
        let op = aggregate.op;
        let param = || match &aggregate.param {
            Some(param) => self.scalar(param),
            None => Err(EngineError::execution("aggregation without parameter")),
        };
        let op = match op {
            Aggregator::Sum => AggregateOp::Reduce(Reduce::Sum),
            Aggregator::Avg => AggregateOp::Reduce(Reduce::Avg),
            Aggregator::Count => AggregateOp::Reduce(Reduce::Count),
            Aggregator::Min => AggregateOp::Reduce(Reduce::Min),
            Aggregator::Max => AggregateOp::Reduce(Reduce::Max),
            Aggregator::Group => AggregateOp::Reduce(Reduce::Group),
            Aggregator::Stddev => AggregateOp::Reduce(Reduce::Stddev),
            Aggregator::Stdvar => AggregateOp::Reduce(Reduce::Stdvar),
            Aggregator::Topk => AggregateOp::Rank(Rank::Largest, param()?),
            Aggregator::Bottomk => AggregateOp::Rank(Rank::Smallest, param()?),
            Aggregator::Quantile => AggregateOp::Quantile(param()?),
            Aggregator::Limitk => AggregateOp::LimitK(param()?),
            Aggregator::LimitRatio => AggregateOp::LimitRatio(param()?),
            Aggregator::CountValues => {
                let label = match &aggregate.param {
                    Some(param) => self.string(param)?,
                    None => return Err(EngineError::execution("aggregation without parameter")),
                };
                match label.as_str() {
                    Some(label) if !label.is_empty() => AggregateOp::CountValues(label.to_owned()),
                    _ => {
                        return Err(EngineError::execution(format!("invalid label name {}", label.quoted())));
                    }
                }
            }
        };
        let mut labels = aggregate.grouping.clone();
        let grouping = if aggregate.without {
            labels.push(METRIC_NAME.to_owned());
            Grouping::Without(labels)
        } else {
            Grouping::By(labels)
        };
        let mut input = self.boxed(&aggregate.expr, aggregate.op.as_str())?;
        if !op.shows_input_labels() {
            push_down(&grouping, &mut input);
        }
        Ok(Aggregate {
            op,
            grouping,
            input,
            param_span: aggregate.param.as_ref().map_or(Span::default(), |param| param.unwrap_parens().span),
        })
    }
}

fn mistyped(expr: &Expr) -> EngineError {
    EngineError::execution(format!("unexpected expression type {}", model::quote(expr.value_type().as_str())))
}

/// Tells the input of an aggregation which labels are looked at.
fn push_down(grouping: &Grouping, input: &mut Vector) {
    let selector = match &mut input.kind {
        VectorKind::Selector(selector) => selector,
        VectorKind::Range(call) => {
            call.name_may_stay = ignores_name(grouping) && call.has_one_name();
            match &mut call.source.kind {
                // Otherwise names are removed, and all labels tell whether two series are the same then.
                RangeKind::Selector(selector) if call.name_may_stay => selector,
                _ => return,
            }
        }
        _ => return,
    };
    if let Grouping::By(names) = grouping {
        // The metric's name is part of notes.
        let wanted = names.iter().cloned().chain(METADATA_LABELS.map(str::to_owned));
        selector.projection = Some(wanted.collect());
    }
}

/// Whether groups are told apart without the metric's name, type and unit.
fn ignores_name(grouping: &Grouping) -> bool {
    match grouping {
        Grouping::By(names) => !names.iter().any(|name| METADATA_LABELS.contains(&name.as_str())),
        Grouping::Without(names) => names.iter().any(|name| name == METRIC_NAME),
    }
}

/// The lesser number, as Go has it: NaN when either is, unless the other is as little as can be.
pub(crate) fn min(left: f64, right: f64) -> f64 {
    match (left, right) {
        (f64::NEG_INFINITY, _) | (_, f64::NEG_INFINITY) => f64::NEG_INFINITY,
        _ if left.is_nan() || right.is_nan() => f64::NAN,
        _ => left.min(right),
    }
}

/// The greater number, as Go has it: NaN when either is, unless the other is as great as can be.
pub(crate) fn max(left: f64, right: f64) -> f64 {
    match (left, right) {
        (f64::INFINITY, _) | (_, f64::INFINITY) => f64::INFINITY,
        _ if left.is_nan() || right.is_nan() => f64::NAN,
        _ => left.max(right),
    }
}
