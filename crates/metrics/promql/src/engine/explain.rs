//! What each operator of a query did and took, for who asks why a query is slow or empty.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use vector::{Rank, Reduce};

use crate::{
    exec::Series,
    plan::{AggregateOp, RangeKind, RangeSource, Vector, VectorKind},
    syntax::Span,
};

/// An operator of a query, and what it took at all steps together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedOperator {
    /// What it is: `selector`, `rate`, `sum` …; `query` is all of it.
    pub operator: &'static str,
    /// Its part of the query.
    pub expr: String,
    /// Series that it handed on.
    pub series: u64,
    /// Samples of those series.
    pub samples: u64,
    /// About how many bytes the series had that it handed on: 8 a step, with and without sample, and their labels. They are not all in
    /// memory at once.
    pub bytes: u64,
    /// Samples that it read from the storage.
    pub samples_read: u64,
    /// Wall time, without that of its inputs. Threads that help are not counted: it is how long the query waited for it.
    pub time: Duration,
    /// What it got its series from.
    pub inputs: Vec<ExplainedOperator>,
}

/// Keeps account of the operators while a query runs. All but reading happens on the query's own thread, so at each moment one operator is
/// at work.
#[derive(Debug)]
pub(crate) struct Profile(Mutex<State>);

#[derive(Debug)]
struct State {
    operators: Vec<Operator>,
    current: usize,
    since: Instant,
    /// Samples that the query had read then.
    read: u64,
}

#[derive(Debug)]
struct Operator {
    /// The operator that takes its series.
    outer: usize,
    /// Where its plan is: an operator of a subquery runs more than once.
    plan: usize,
    operator: &'static str,
    span: Span,
    series: u64,
    samples: u64,
    bytes: u64,
    samples_read: u64,
    time: Duration,
}

/// The whole query.
const ROOT: usize = 0;

// === impl Profile ===

impl Profile {
    pub(crate) fn new() -> Self {
        let root = Operator::new(ROOT, 0, "query", Span::default());
        Self(Mutex::new(State { operators: vec![root], current: ROOT, since: Instant::now(), read: 0 }))
    }

    /// An operator begins; returns it and the one that was at work.
    pub(crate) fn enter(&self, vector: &Vector, read: u64) -> (usize, usize) {
        let mut state = self.0.lock();
        let outer = state.current;
        let plan = std::ptr::from_ref(vector) as usize;
        let known = state.operators.iter().rposition(|known| known.plan == plan && known.outer == outer);
        let operator = known.unwrap_or(state.operators.len());
        if known.is_none() {
            state.operators.push(Operator::new(outer, plan, name(vector), vector.span));
        }
        state.switch(operator, read);
        (operator, outer)
    }

    /// Another operator is at work from now on; `read` is how many samples the query has read.
    pub(crate) fn switch(&self, to: usize, read: u64) {
        self.0.lock().switch(to, read);
    }

    /// An operator hands a series on to `outer`, which is at work from now on.
    pub(crate) fn hand_on(&self, operator: usize, outer: usize, series: &Series, read: u64) {
        let mut state = self.0.lock();
        let operator = &mut state.operators[operator];
        operator.series += 1;
        operator.samples += series.sample_count() as u64;
        operator.bytes += series.memory().bytes as u64;
        state.switch(outer, read);
    }

    /// The operators of `query`, the whole of it first.
    pub(crate) fn finish(self, query: &str, read: u64) -> ExplainedOperator {
        let mut state = self.0.into_inner();
        state.switch(ROOT, read);
        let mut explained: Vec<Option<ExplainedOperator>> =
            state.operators.iter().map(|operator| Some(operator.explained(query))).collect();
        // Those that came later are inputs of those before.
        for at in (ROOT + 1..explained.len()).rev() {
            let Some(mut operator) = explained[at].take() else { continue };
            operator.inputs.reverse();
            if let Some(outer) = &mut explained[state.operators[at].outer] {
                outer.inputs.push(operator);
            }
        }
        let mut root = explained.swap_remove(ROOT).unwrap_or_else(|| state.operators[ROOT].explained(query));
        root.inputs.reverse();
        root
    }
}

impl State {
    fn switch(&mut self, to: usize, read: u64) {
        let now = Instant::now();
        let operator = &mut self.operators[self.current];
        operator.time += now - self.since;
        operator.samples_read += read - self.read;
        (self.current, self.since, self.read) = (to, now, read);
    }
}

impl Operator {
    fn new(outer: usize, plan: usize, operator: &'static str, span: Span) -> Self {
        Self {
            outer,
            plan,
            operator,
            span,
            series: 0,
            samples: 0,
            bytes: 0,
            samples_read: 0,
            time: Duration::ZERO,
        }
    }

    fn explained(&self, query: &str) -> ExplainedOperator {
        let expr = match self.outer == ROOT && self.plan == 0 {
            true => query,
            false => query.get(self.span.start..self.span.end).unwrap_or_default(),
        };
        ExplainedOperator {
            operator: self.operator,
            expr: expr.trim().to_owned(),
            series: self.series,
            samples: self.samples,
            bytes: self.bytes,
            samples_read: self.samples_read,
            time: self.time,
            inputs: Vec::new(),
        }
    }
}

/// What an operator is called.
fn name(vector: &Vector) -> &'static str {
    match &vector.kind {
        VectorKind::Selector(_) => "selector",
        VectorKind::Range(call) => match &call.source {
            RangeSource { kind: RangeKind::Selector(_), .. } => call.function.name(),
            RangeSource { kind: RangeKind::Subquery { .. }, .. } => "function over subquery",
        },
        VectorKind::Math { .. } => "function of values",
        VectorKind::Timestamp(_) => "timestamp",
        VectorKind::StartTimestamp(_) => "start_timestamp",
        VectorKind::Info(_) => "info",
        VectorKind::Negate(_) => "negation",
        VectorKind::Aggregate(aggregate) => match &aggregate.op {
            AggregateOp::Reduce(Reduce::Sum) => "sum",
            AggregateOp::Reduce(Reduce::Avg) => "avg",
            AggregateOp::Reduce(Reduce::Min) => "min",
            AggregateOp::Reduce(Reduce::Max) => "max",
            AggregateOp::Reduce(Reduce::Count) => "count",
            AggregateOp::Reduce(Reduce::Group) => "group",
            AggregateOp::Reduce(Reduce::Stddev) => "stddev",
            AggregateOp::Reduce(Reduce::Stdvar) => "stdvar",
            AggregateOp::Rank(Rank::Largest, _) => "topk",
            AggregateOp::Rank(Rank::Smallest, _) => "bottomk",
            AggregateOp::Quantile(_) => "quantile",
            AggregateOp::CountValues(_) => "count_values",
            AggregateOp::LimitK(_) => "limitk",
            AggregateOp::LimitRatio(_) => "limit_ratio",
        },
        VectorKind::Binary(_) => "join",
        VectorKind::ScalarBinary(_) => "operation with a number",
        VectorKind::Set { .. } => "set operation",
        VectorKind::Quantiles(_) => "histogram_quantile",
        VectorKind::Fraction { .. } => "histogram_fraction",
        VectorKind::HistogramStat(..) => "histogram statistic",
        VectorKind::Absent { .. } => "absent",
        VectorKind::Relabel { .. } => "change of labels",
        VectorKind::Sort { .. } => "sort",
        VectorKind::OfScalar(_) => "vector",
        VectorKind::Invariant(_) => "same at each step",
        VectorKind::Repeated { .. } => "same as elsewhere",
    }
}
