//! Aggregations that a query contains more than once, as in `a / (a + b)`: they are computed once.
//!
//! Only aggregations: their results are kept until the query ends, and others may be large.

use std::cell::Cell;

use rustc_hash::FxHashMap;

use crate::syntax::{Expr, ExprKind};

/// What occurs more than once, by its text.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    ids: FxHashMap<String, usize>,
    /// Whether what is being built is part of something that is computed once anyway, or at steps of its own.
    inside: Cell<bool>,
}

impl Repeated {
    pub(super) fn of(expr: &Expr) -> Self {
        let mut aggregations = 0;
        expr.walk(&mut |expr| aggregations += usize::from(matches!(expr.kind, ExprKind::Aggregate(_))));
        let mut counts = FxHashMap::default();
        if aggregations > 1 {
            count(expr, &mut counts);
        }
        let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
        let ids = repeated.enumerate().map(|(id, (text, _))| (text, id)).collect();
        Self { ids, inside: Cell::new(false) }
    }

    /// Builds an aggregation; tells its number if it occurs more than once. Of histograms, all or `only_stats` are looked at: it is not the
    /// same then.
    pub(super) fn build<T>(
        &self,
        expr: &Expr,
        only_stats: bool,
        build: impl FnOnce() -> T,
    ) -> (Option<usize>, T) {
        if self.ids.is_empty() || self.inside.get() {
            return (None, build());
        }
        let id = self.ids.get(&expr.to_string()).map(|id| 2 * id + usize::from(only_stats));
        (id, if id.is_some() { self.inside(build) } else { build() })
    }

    /// Builds something of which no part is to be computed once.
    pub(super) fn inside<T>(&self, build: impl FnOnce() -> T) -> T {
        let before = self.inside.replace(true);
        let built = build();
        self.inside.set(before);
        built
    }
}

fn count(expr: &Expr, counts: &mut FxHashMap<String, usize>) {
    match &expr.kind {
        // Its steps are others.
        ExprKind::Subquery(_) => return,
        ExprKind::Aggregate(_) => *counts.entry(expr.to_string()).or_default() += 1,
        _ => {}
    }
    expr.children().into_iter().for_each(|child| count(child, counts));
}
