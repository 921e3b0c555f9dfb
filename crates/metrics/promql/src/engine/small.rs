//! Which queries are so small that another thread would be longer in waking up than they take.

use model::Millis;
use storage::Queryable;

use super::{Engine, QueryOptions, TimeRange, millis};
use crate::syntax::{DurationValue, Expr, ExprKind, TimeShift};

/// The most samples that a small query looks at: some hundred microseconds of work.
const FEW: u64 = 20_000;

impl Engine {
    /// Whether a query at some times, as for [`Engine::range`] or with step 0 at `start` alone, looks at few samples for sure. Told by the
    /// lengths of lists of series, as if each had a sample every second; subqueries, and selectors that look elsewhere, are not looked into.
    pub fn is_small(
        &self,
        queryable: &dyn Queryable,
        expr: &Expr,
        (start, end, step): (Millis, Millis, Millis),
        options: &QueryOptions,
    ) -> bool {
        let lookback = millis(options.lookback_delta.unwrap_or(self.options.lookback_delta));
        let times = TimeRange { start, end, step };
        let mut samples = Some(0u64);
        expr.walk(&mut |expr| {
            samples = samples
                .and_then(|sum| Some(sum.saturating_add(most_samples(queryable, expr, times, lookback)?)))
                .filter(|sum| *sum <= FEW);
        });
        samples.is_some()
    }
}

/// The most samples that an operator looks at, without those below it; none where that is not known.
fn most_samples(queryable: &dyn Queryable, expr: &Expr, times: TimeRange, lookback: Millis) -> Option<u64> {
    let TimeRange { start, end, step } = times;
    let span = seconds(end.saturating_sub(start));
    let steps = match end.saturating_sub(start).checked_div(step) {
        Some(distances) => distances.unsigned_abs() + 1,
        None => 1,
    };
    let (selector, range, looks) = match &expr.kind {
        ExprKind::Selector(selector) => (selector, lookback, seconds(lookback).saturating_add(steps)),
        ExprKind::Matrix(matrix) => {
            let DurationValue::Millis(range) = matrix.range else { return None };
            (&matrix.selector, range, seconds(range).saturating_mul(steps + 1))
        }
        ExprKind::Subquery(_) => return None,
        // It finds series that no selector names.
        ExprKind::Call(call) if call.function.name == "info" => return None,
        _ => return Some(steps),
    };
    if selector.shift != TimeShift::default() {
        return None;
    }
    let querier = queryable.querier(start.saturating_sub(range), end).ok()?;
    let series = querier.at_most(&selector.matchers) as u64;
    Some(span.saturating_add(looks).saturating_mul(series).saturating_add(steps))
}

fn seconds(time: Millis) -> u64 {
    (time / 1000).unsigned_abs()
}
