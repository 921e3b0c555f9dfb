//! Plans of function calls.

use go_regex::Regex;
use model::{Labels, METRIC_NAME, MatchOp, Matcher};

use super::{
    Extension, HistogramStat, MathFunction, Quantiles, RangeCall, RangeFunction, RangeKind, Relabel, Scalar,
    SortOrder, Vector, VectorKind,
    build::{Builder, Built},
};
use crate::{
    engine::EngineError,
    syntax::{Call, Expr, ExprKind, Span, StringLiteral, ValueType},
};

impl Builder {
    pub(super) fn call(&self, call: &Call, span: Span) -> Built<VectorKind> {
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
