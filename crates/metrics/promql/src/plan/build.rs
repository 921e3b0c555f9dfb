//! Makes plans.

use go_regex::Regex;
use model::{Labels, METRIC_NAME, MatchOp, Matcher, Millis};
use vector::{BinaryOp, Cardinality, Comparison, Grouping, Kept, Matching, Rank, Reduce, SetOp};

use super::{
    Aggregate, AggregateOp, Extension, HistogramStat, MathFunction, Plan, Quantiles, RangeCall,
    RangeFunction, RangeKind, RangeSource, Relabel, Scalar, ScalarBinary, Selector, Shift, SortOrder, Vector,
    VectorBinary, VectorKind, VectorOp,
    duration::{self, DurationContext},
    histogram_parts::HistogramParts,
    invariant,
    repeated::Repeated,
};
use crate::{
    engine::EngineError,
    syntax::{
        self, Aggregator, AtModifier, Call, Card, Expr, ExprKind, Operator, Span, StringLiteral, TimeShift,
        ValueType, VectorSelector,
    },
};

/// Labels that describe the metric and not the series; they go where the name goes.
pub(crate) const METADATA_LABELS: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

type Built<T> = Result<T, EngineError>;

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
    context: PlanContext,
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

    fn scalar(&self, expr: &Expr) -> Built<Scalar> {
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

    fn string<'e>(&self, expr: &'e Expr) -> Built<&'e StringLiteral> {
        match &expr.unwrap_parens().kind {
            ExprKind::String(string) => Ok(string),
            _ => Err(mistyped(expr)),
        }
    }

    /// `around` names the function or aggregation that takes the vector.
    fn vector(&self, expr: &Expr, around: &str) -> Built<Vector> {
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

    fn range_source(&self, expr: &Expr, around: &str) -> Built<RangeSource> {
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

    fn binary(&self, binary: &syntax::Binary) -> Built<VectorKind> {
        let scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
        let Some(matching) = &binary.matching else {
            let scalar_left = scalar(&binary.lhs);
            let (vector, number) = match scalar_left {
                true => (&binary.rhs, &binary.lhs),
                false => (&binary.lhs, &binary.rhs),
            };
            let kept = if scalar_left { Kept::Right } else { Kept::Left };
            return Ok(VectorKind::ScalarBinary(Box::new(ScalarBinary {
                op: vector_op(binary.op)?,
                comparison: if binary.return_bool { Comparison::Bool } else { Comparison::Filter(kept) },
                vector: self.vector(vector, "")?,
                scalar: self.scalar(number)?,
                scalar_left,
            })));
        };
        let (left, right) = (self.vector(&binary.lhs, "")?, self.vector(&binary.rhs, "")?);
        let unmatched = vec![METRIC_NAME.to_owned()];
        let set = match binary.op {
            Operator::And => Some(SetOp::And),
            Operator::Or => Some(SetOp::Or),
            Operator::Unless => Some(SetOp::Unless),
            _ => None,
        };
        let mut rules = Matching {
            on: matching.on,
            labels: matching.labels.clone(),
            cardinality: match matching.card {
                Card::ManyToOne => Cardinality::ManyToOne,
                Card::OneToMany => Cardinality::OneToMany,
                Card::OneToOne | Card::ManyToMany => Cardinality::OneToOne,
            },
            include: matching.include.clone(),
            fill_left: matching.fill_left,
            fill_right: matching.fill_right,
            unmatched,
            dropped: Vec::new(),
        };
        if let Some(op) = set {
            return Ok(VectorKind::Set {
                op,
                key: rules.key(),
                left: Box::new(left),
                right: Box::new(right),
            });
        }
        let op = vector_op(binary.op)?;
        let changes_meaning = matches!(op, VectorOp::Number(op, _) if !op.is_comparison());
        if changes_meaning || (binary.return_bool && !self.context.delayed_name_removal) {
            rules.dropped = METADATA_LABELS.map(str::to_owned).to_vec();
        }
        Ok(VectorKind::Binary(Box::new(VectorBinary {
            op,
            return_bool: binary.return_bool,
            matching: rules,
            left,
            right,
        })))
    }

    fn call(&self, call: &Call, span: Span) -> Built<VectorKind> {
        let name = call.function.name;
        let args = &call.args;
        if let Some(function) = RangeFunction::named(name) {
            return self.range_call(function, call, span);
        }
        if let Some(function) = MathFunction::named(name) {
            return self.math_call(function, call, span);
        }
        if let Some(stat) = HistogramStat::named(name) {
            return Ok(VectorKind::HistogramStat(stat, self.boxed(&args[0], name)?));
        }
        Ok(match name {
            "vector" => VectorKind::OfScalar(self.scalar(&args[0])?),
            "timestamp" => VectorKind::Timestamp(self.boxed(&args[0], name)?),
            "start_timestamp" => VectorKind::StartTimestamp(self.boxed(&args[0], name)?),
            "info" => VectorKind::Info(self.info(args)?),
            "absent" => {
                VectorKind::Absent { labels: absent_labels(&args[0]), input: self.boxed(&args[0], name)? }
            }
            "sort" | "sort_desc" => VectorKind::Sort {
                order: SortOrder::Value { descending: name == "sort_desc" },
                input: self.boxed(&args[0], name)?,
            },
            "sort_by_label" | "sort_by_label_desc" => VectorKind::Sort {
                order: SortOrder::Labels {
                    names: args[1..]
                        .iter()
                        .map(|arg| self.string(arg).map(StringLiteral::to_text))
                        .collect::<Built<_>>()?,
                    descending: name == "sort_by_label_desc",
                },
                input: self.boxed(&args[0], name)?,
            },
            "histogram_quantile" => VectorKind::Quantiles(Quantiles {
                phis: vec![(self.scalar(&args[0])?, args[0].unwrap_parens().span)],
                label: None,
                input: self.boxed(&args[1], name)?,
            }),
            "histogram_quantiles" => VectorKind::Quantiles(Quantiles {
                phis: args[2..]
                    .iter()
                    .map(|arg| Ok((self.scalar(arg)?, arg.unwrap_parens().span)))
                    .collect::<Built<_>>()?,
                label: Some(self.string(&args[1])?.to_text()),
                input: self.boxed(&args[0], name)?,
            }),
            "histogram_fraction" => VectorKind::Fraction {
                lower: self.scalar(&args[0])?,
                upper: self.scalar(&args[1])?,
                input: self.boxed(&args[2], name)?,
            },
            "label_replace" => self.label_replace(args)?,
            "label_join" => self.label_join(args)?,
            name => return Err(EngineError::NotSupported(format!("function {name}"))),
        })
    }

    fn range_call(&self, function: RangeFunction, call: &Call, span: Span) -> Built<VectorKind> {
        let mut source = None;
        let mut args = Vec::new();
        for arg in &call.args {
            if arg.value_type() == ValueType::Matrix {
                source = Some((self.range_source(arg, call.function.name)?, arg));
            } else {
                args.push(self.scalar(arg)?);
            }
        }
        let Some((source, source_expr)) = source else {
            return Err(EngineError::execution(format!("{} without range", call.function.name)));
        };
        check_extension(function, &source.kind)?;
        let first_arg = call.args.first().map_or(span, |arg| arg.unwrap_parens().span);
        let absent_labels = match function {
            RangeFunction::AbsentOverTime => absent_labels(source_expr),
            _ => Labels::empty(),
        };
        Ok(VectorKind::Range(RangeCall {
            function,
            source,
            args,
            first_arg,
            absent_labels,
            name_may_stay: false,
        }))
    }

    fn math_call(&self, function: MathFunction, call: &Call, span: Span) -> Built<VectorKind> {
        let input = match call.args.first() {
            Some(arg) => self.boxed(arg, call.function.name)?,
            None if function.is_of_time() => {
                Box::new(Vector { kind: VectorKind::OfScalar(Scalar::Time), span })
            }
            None => return Err(EngineError::execution(format!("{} without argument", call.function.name))),
        };
        let args = call.args.iter().skip(1).map(|arg| self.scalar(arg)).collect::<Built<_>>()?;
        Ok(VectorKind::Math { function, args, input })
    }

    fn label_replace(&self, args: &[Expr]) -> Built<VectorKind> {
        let [input, target, replacement, source, regex] = args else {
            return Err(EngineError::execution("label_replace takes five arguments"));
        };
        let pattern = self.string(regex)?.to_text();
        let regex = Regex::anchored(&pattern).map_err(|_| {
            EngineError::execution(format!("invalid regular expression in label_replace(): {pattern}"))
        })?;
        let relabel = Relabel::Replace {
            target: self.label_name(target, "invalid destination label name in label_replace()")?,
            replacement: self.string(replacement)?.to_text(),
            source: self.string(source)?.to_text(),
            regex: Box::new(regex),
        };
        let input = self.boxed(input, "label_replace")?;
        Ok(VectorKind::Relabel { relabel, input })
    }

    fn label_join(&self, args: &[Expr]) -> Built<VectorKind> {
        let [input, target, separator, sources @ ..] = args else {
            return Err(EngineError::execution("label_join takes at least three arguments"));
        };
        let sources = sources
            .iter()
            .map(|source| self.label_name(source, "invalid source label name in label_join()"))
            .collect::<Built<_>>()?;
        let relabel = Relabel::Join {
            target: self.label_name(target, "invalid destination label name in label_join()")?,
            separator: self.string(separator)?.to_text(),
            sources,
        };
        let input = self.boxed(input, "label_join")?;
        Ok(VectorKind::Relabel { relabel, input })
    }

    fn label_name(&self, expr: &Expr, fault: &str) -> Built<String> {
        let literal = self.string(expr)?;
        match literal.as_str() {
            Some(name) if !name.is_empty() => Ok(name.to_owned()),
            _ => Err(EngineError::execution(format!("{fault}: {}", literal.to_text()))),
        }
    }
}

/// Ranges with borders of their own fit few functions.
fn check_extension(function: RangeFunction, kind: &RangeKind) -> Built<()> {
    let RangeKind::Selector(selector) = kind else {
        return Ok(());
    };
    let (word, fitting) = match selector.extension {
        None => return Ok(()),
        Some(Extension::Anchored) => ("anchored", &["changes", "delta", "increase", "rate", "resets"][..]),
        Some(Extension::Smoothed) => ("smoothed", &["delta", "increase", "rate"][..]),
    };
    if fitting.contains(&function.name()) {
        return Ok(());
    }
    let (fitting, name) = (fitting.join(", "), function.name());
    Err(EngineError::execution(format!("{word} modifier can only be used with: {fitting} - not with {name}")))
}

/// The labels of the series that says there is none: those that the selector fixes by one `=` each, behind which
/// there is no other condition.
fn absent_labels(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match &expr.unwrap_parens().kind {
        ExprKind::Selector(selector) => &selector.matchers,
        ExprKind::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let mut fixed: Vec<(&str, Option<&str>)> = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME) {
        let is_equal = matcher.op() == MatchOp::Equal;
        match fixed.iter_mut().find(|(name, _)| *name == matcher.name()) {
            // Whatever follows an `=` takes the label away again.
            Some((_, value)) => *value = None,
            None if is_equal => fixed.push((matcher.name(), Some(matcher.value()))),
            None => {}
        }
    }
    Labels::from_pairs(fixed.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn number_op(op: Operator) -> Option<BinaryOp> {
    Some(match op {
        Operator::Add => BinaryOp::Add,
        Operator::Sub => BinaryOp::Sub,
        Operator::Mul => BinaryOp::Mul,
        Operator::Div => BinaryOp::Div,
        Operator::Mod => BinaryOp::Mod,
        Operator::Pow => BinaryOp::Pow,
        Operator::Atan2 => BinaryOp::Atan2,
        Operator::Equal => BinaryOp::Equal,
        Operator::NotEqual => BinaryOp::NotEqual,
        Operator::Greater => BinaryOp::Greater,
        Operator::GreaterOrEqual => BinaryOp::GreaterOrEqual,
        Operator::Less => BinaryOp::Less,
        Operator::LessOrEqual => BinaryOp::LessOrEqual,
        Operator::TrimUpper | Operator::TrimLower | Operator::And | Operator::Or | Operator::Unless => {
            return None;
        }
    })
}

fn vector_op(op: Operator) -> Built<VectorOp> {
    match op {
        Operator::TrimUpper | Operator::TrimLower => Ok(VectorOp::Trim(op.as_str())),
        op => number_op(op)
            .map(|number| VectorOp::Number(number, op.as_str()))
            .ok_or_else(|| not_allowed(op, "operations between Vectors")),
    }
}

fn not_allowed(op: Operator, place: &str) -> EngineError {
    EngineError::execution(format!("operator {} not allowed for {place}", model::quote(op.as_str())))
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
