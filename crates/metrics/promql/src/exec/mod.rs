//! Computes plans.
//!
//! Rows are pushed: [`Executor::vector`] calls a sink with one series after the other, so that an aggregation on top keeps group rows only and
//! each series' memory is free again at once. Only what has to see both sides (binary operations) or all series (sorting) collects.
//!
//! An executor evaluates at fixed steps; a subquery makes another one.

mod aggregate;
mod binary;
mod calls;
mod distinct;
mod extended;
mod finish;
mod histograms;
mod info;
mod names;
mod range;
mod relabel;
mod scan;
mod select;
mod series;
mod subquery;

use std::sync::Arc;

use model::Millis;
use parking_lot::Mutex;
use storage::Querier;
use vector::{BinaryOp, Row, Steps};

use crate::{
    engine::{
        EngineError,
        annotations::Annotations,
        budget::{Budget, Memory},
        explain::Profile,
        helpers::Helpers,
        tally::Tally,
    },
    plan::{self, Extension, Scalar, Vector, VectorKind},
};

pub(crate) use finish::{matrix_value, vector_value};
pub(crate) use series::Series;

/// What all executors of a query share.
pub(crate) struct Context<'q> {
    pub(crate) querier: &'q dyn Querier,
    pub(crate) lookback: Millis,
    pub(crate) delayed_name_removal: bool,
    pub(crate) use_start_timestamps: bool,
    pub(crate) helpers: &'q Helpers,
    pub(crate) budget: Budget,
    pub(crate) annotations: Mutex<Annotations>,
    /// What was computed that occurs again.
    pub(crate) repeated: Mutex<Vec<Repeated>>,
    /// Of who asks for an explanation.
    pub(crate) profile: Option<Profile>,
}

/// The series of a part that occurs several times in the query.
#[derive(Clone)]
pub(crate) struct Repeated {
    id: usize,
    steps: Steps,
    rows: Arc<[Series]>,
    /// Samples that its steps used.
    tally: Arc<Tally>,
}

/// Takes series, one by one.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Series) -> Result<(), EngineError>;

type Done = Result<(), EngineError>;

/// Evaluates at fixed steps.
#[derive(Clone, Copy)]
pub(crate) struct Executor<'q> {
    context: &'q Context<'q>,
    steps: Steps,
    /// Samples that the steps use.
    tally: &'q Tally,
}

/// One number a step.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// The same at each step.
    Constant(f64),
    Values(Vec<f64>),
}

impl Column {
    #[inline]
    pub(crate) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Values(values) => values[step],
        }
    }

    /// All numbers, a constant as one.
    pub(crate) fn distinct(&self) -> &[f64] {
        match self {
            Self::Constant(value) => std::slice::from_ref(value),
            Self::Values(values) => values,
        }
    }
}

impl<'q> Executor<'q> {
    pub(crate) fn new(context: &'q Context<'q>, steps: Steps, tally: &'q Tally) -> Self {
        Self { context, steps, tally }
    }

    /// Whether there is one step only, as in an instant query.
    fn is_instant(&self) -> bool {
        self.steps.count() == 1
    }

    /// Pushes the series of a vector. Series without any sample are left out.
    pub(crate) fn vector(&self, vector: &Vector, sink: Sink<'_>) -> Done {
        if self.steps.count() == 0 {
            return Ok(());
        }
        let Some(profile) = &self.context.profile else {
            return self.operate(vector, sink);
        };
        let read = || self.context.budget.read();
        let (operator, outer) = profile.enter(vector, read());
        let outcome = self.operate(vector, &mut |series| {
            profile.hand_on(operator, outer, &series, read());
            let outcome = sink(series);
            profile.switch(operator, read());
            outcome
        });
        profile.switch(outer, read());
        outcome
    }

    fn operate(&self, vector: &Vector, sink: Sink<'_>) -> Done {
        match &vector.kind {
            VectorKind::Selector(selector) if selector.extension == Some(Extension::Smoothed) => {
                self.smoothed_selector(selector, vector.span, sink)
            }
            VectorKind::Selector(selector) => self.instant_selector(selector, sink),
            VectorKind::Range(call) => self.range_call(call, sink),
            VectorKind::Math { function, args, input } => self.math(*function, args, input, sink),
            VectorKind::Timestamp(input) => self.timestamp(input, sink),
            VectorKind::StartTimestamp(input) => self.start_timestamp(input, sink),
            VectorKind::Info(info) => self.info(info, sink),
            VectorKind::Negate(input) => self.negate(input, sink),
            VectorKind::Aggregate(aggregate) => self.aggregate(aggregate, sink),
            VectorKind::Binary(binary) => self.vector_binary(binary, vector.span, sink),
            VectorKind::ScalarBinary(binary) => self.scalar_binary(binary, vector.span, sink),
            VectorKind::Set { op, key, left, right } => self.set(*op, key, left, right, sink),
            VectorKind::Quantiles(quantiles) => self.quantiles(quantiles, sink),
            VectorKind::Fraction { lower, upper, input } => self.fraction(lower, upper, input, sink),
            VectorKind::HistogramStat(stat, input) => self.histogram_stat(*stat, input, sink),
            VectorKind::Absent { labels, input } => self.absent(labels, input, sink),
            VectorKind::Relabel { relabel, input } => self.relabel(relabel, input, sink),
            VectorKind::Sort { order, input } => self.sort(order, input, vector.span, sink),
            VectorKind::OfScalar(scalar) => {
                let column = self.scalar(scalar)?;
                let row = match column {
                    Column::Constant(value) => Row::constant(value, self.steps.count()),
                    Column::Values(values) => Row::full(values),
                };
                sink(Series::of_row(model::Labels::empty(), row))
            }
            VectorKind::Invariant(inner) => self.invariant(inner, sink),
            VectorKind::Repeated { id, input } => self.repeated(*id, input, sink),
        }
    }

    /// Computes what occurs several times in the query when it is met first, and keeps it.
    fn repeated(&self, id: usize, input: &Vector, sink: Sink<'_>) -> Done {
        let repeated = &self.context.repeated;
        let is_same = |known: &&Repeated| known.id == id && known.steps == self.steps;
        let known = repeated.lock().iter().find(is_same).cloned();
        let known = match known {
            Some(known) => known,
            None => {
                let tally = Arc::new(self.tally.for_part());
                let rows = Executor { tally: &tally, ..*self }.collect(input)?.into();
                let known = Repeated { id, steps: self.steps, rows, tally };
                repeated.lock().push(known.clone());
                known
            }
        };
        // It counts as if it were read each time.
        self.tally.add_part(&known.tally);
        known.rows.iter().try_for_each(|series| sink(series.clone()))
    }

    /// Evaluates at the first step and repeats the result at all others.
    fn invariant(&self, inner: &Vector, sink: Sink<'_>) -> Done {
        let count = self.steps.count();
        let tally = Tally::default();
        let first = Executor::new(self.context, Steps::instant(self.steps.start()), &tally);
        first.vector(inner, &mut |series| sink(series.repeated(count)))?;
        self.tally.add_to_each(tally.total(), count);
        Ok(())
    }

    /// All series of a vector, paid for until [`Executor::release`].
    pub(crate) fn collect(&self, vector: &Vector) -> Result<Vec<Series>, EngineError> {
        let mut all = Vec::new();
        self.vector(vector, &mut |series| {
            self.context.budget.charge(series.memory())?;
            all.push(series);
            Ok(())
        })?;
        Ok(all)
    }

    /// Gives back what [`Executor::collect`] paid for these series.
    fn release(&self, series: &[Series]) {
        self.context.budget.release(series.iter().map(Series::memory).sum::<Memory>());
    }

    /// One number a step.
    pub(crate) fn scalar(&self, scalar: &Scalar) -> Result<Column, EngineError> {
        let each = |left: &Scalar, right: &Scalar, op: &dyn Fn(f64, f64) -> f64| {
            let (left, right) = (self.scalar(left)?, self.scalar(right)?);
            Ok(match (&left, &right) {
                (Column::Constant(left), Column::Constant(right)) => Column::Constant(op(*left, *right)),
                _ => Column::Values(
                    (0..self.steps.count()).map(|step| op(left.at(step), right.at(step))).collect(),
                ),
            })
        };
        match scalar {
            Scalar::Constant(value) => Ok(Column::Constant(*value)),
            Scalar::Time => Ok(Column::Values(self.steps.iter().map(|time| time as f64 / 1000.0).collect())),
            Scalar::Negate(inner) => Ok(match self.scalar(inner)? {
                Column::Constant(value) => Column::Constant(-value),
                Column::Values(values) => Column::Values(values.into_iter().map(|value| -value).collect()),
            }),
            Scalar::Binary(op, left, right) => {
                let op: BinaryOp = *op;
                each(left, right, &move |left, right| op.evaluate(left, right))
            }
            Scalar::Min(left, right) => each(left, right, &plan::min),
            Scalar::Max(left, right) => each(left, right, &plan::max),
            Scalar::OfVector(vector) => self.only_value(vector),
        }
    }

    /// The value of the only float at each step; NaN where there is none or more than one.
    fn only_value(&self, vector: &Vector) -> Result<Column, EngineError> {
        let count = self.steps.count();
        let mut values = vec![f64::NAN; count];
        let mut seen = vec![0u8; count];
        self.vector(vector, &mut |series| {
            for (step, value) in series.floats.iter() {
                seen[step] = seen[step].saturating_add(1);
                values[step] = if seen[step] == 1 { value } else { f64::NAN };
            }
            Ok(())
        })?;
        Ok(Column::Values(values))
    }
}
