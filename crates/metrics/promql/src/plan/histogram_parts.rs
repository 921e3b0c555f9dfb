//! Which selectors need no buckets of native histograms: those whose histograms only reach functions of their counts and sums.

use std::cell::Cell;

use super::HistogramStat;
use crate::syntax::{Aggregator, Expr, ExprKind, Operator};

/// Keeps account of that while a plan is built from the outside to the inside.
#[derive(Debug, Default)]
pub(super) struct HistogramParts(Cell<Parts>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Parts {
    /// Nothing says that less than all is enough.
    #[default]
    All,
    /// Only count and sum are looked at.
    Stats,
    /// Something in between looks at buckets, whatever is around it.
    Buckets,
}

impl HistogramParts {
    /// Whether only count and sum are looked at of the histograms of what is being built.
    pub(super) fn are_stats(&self) -> bool {
        self.0.get() == Parts::Stats
    }

    /// Builds what `expr` consists of.
    pub(super) fn inside<T>(&self, expr: &Expr, build: impl FnOnce() -> T) -> T {
        let around = self.0.get();
        self.0.set(around.inside(expr));
        let built = build();
        self.0.set(around);
        built
    }
}

impl Parts {
    fn inside(self, expr: &Expr) -> Self {
        let needs_buckets = needs_buckets(expr) || self == Self::Stats && looks_at_buckets(expr);
        if self == Self::Buckets || needs_buckets {
            return Self::Buckets;
        }
        if takes_stats(expr) { Self::Stats } else { self }
    }
}

fn takes_stats(expr: &Expr) -> bool {
    let ExprKind::Call(call) = &expr.kind else { return false };
    let stats = matches!(
        HistogramStat::named(call.function.name),
        Some(HistogramStat::Count | HistogramStat::Sum | HistogramStat::Avg)
    );
    // Of samples that go nowhere else nothing has to be taken off.
    stats && !matches!(call.args[0].unwrap_parens().kind, ExprKind::Selector(_))
}

/// Where Prometheus reads buckets, wherever below this counts and sums are taken.
fn needs_buckets(expr: &Expr) -> bool {
    match &expr.kind {
        // Its functions tell resets by buckets: of the samples in between, which were not read, there are no hints.
        ExprKind::Subquery(_) => true,
        ExprKind::Call(call) => {
            matches!(call.function.name, "histogram_quantile" | "histogram_quantiles" | "histogram_fraction")
        }
        ExprKind::Binary(binary) => matches!(binary.op, Operator::TrimUpper | Operator::TrimLower),
        _ => false,
    }
}

/// What else looks at the buckets of what it is given.
fn looks_at_buckets(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => matches!(
            HistogramStat::named(call.function.name),
            Some(HistogramStat::Stddev | HistogramStat::Stdvar)
        ),
        ExprKind::Aggregate(aggregate) => aggregate.op == Aggregator::CountValues,
        ExprKind::Binary(binary) => binary.op.is_comparison(),
        _ => false,
    }
}
