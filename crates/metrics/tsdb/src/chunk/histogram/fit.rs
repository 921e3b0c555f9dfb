//! Whether a histogram can follow the last one of a chunk, by Prometheus' rules.

use model::{CounterResetHint, Span, SpanUnion, is_stale};

use super::{
    Lanes,
    flavor::{Flavor, SideView, Value, View},
    lane::Lane,
    layout::Layout,
};

/// How a sample fits to a chunk.
pub(super) enum Fit {
    /// It can be appended; for the positive and the negative buckets, what is missing on either side, if anything.
    Fits([Option<SpanUnion>; 2]),
    /// It needs a new chunk.
    Not(Misfit),
}

/// Why a sample does not fit to a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The counter started anew; other bounds of custom buckets count as that too.
    Reset,
    /// Another resolution or zero bucket, or the series was stale: there may have been a reset.
    Unlike,
    /// A gauge behind a counter, or the other way round.
    Gauge,
}

/// Finds out how `sample` fits to a chunk with `flags`, `layout` and the values of its last sample.
pub(super) fn fit<F: Flavor>(
    flags: CounterResetHint,
    layout: &Layout,
    last: &Lanes<F::Lane>,
    sample: &View<'_, Value<F>>,
) -> Fit {
    let gauge = sample.hint == CounterResetHint::Gauge;
    let found = if gauge != (flags == CounterResetHint::Gauge) {
        Err(Misfit::Gauge)
    } else if gauge {
        fit_gauge(layout, last.sum.value(), sample)
    } else {
        fit_counter::<F>(layout, last, sample)
    };
    found.map_or_else(Fit::Not, Fit::Fits)
}

fn fit_counter<F: Flavor>(
    layout: &Layout,
    last: &Lanes<F::Lane>,
    sample: &View<'_, Value<F>>,
) -> Result<[Option<SpanUnion>; 2], Misfit> {
    if sample.hint == CounterResetHint::Reset {
        return Err(Misfit::Reset);
    }
    if is_stale(sample.sum) {
        return Ok([None, None]);
    }
    if is_stale(last.sum.value()) {
        return Err(Misfit::Unlike);
    }
    if F::below(sample.count, last.count.value()) {
        return Err(Misfit::Reset);
    }
    if !layout.agrees(sample) {
        return Err(Misfit::Unlike);
    }
    if !layout.agrees_on_bounds(sample) || F::below(sample.zero_count, last.zero_count.value()) {
        return Err(Misfit::Reset);
    }
    let [positive, negative] = &sample.sides;
    Ok([
        grown::<F>(&layout.spans[0], &last.buckets[0], positive)?,
        grown::<F>(&layout.spans[1], &last.buckets[1], negative)?,
    ])
}

fn fit_gauge<V>(
    layout: &Layout,
    last_sum: f64,
    sample: &View<'_, V>,
) -> Result<[Option<SpanUnion>; 2], Misfit> {
    if is_stale(sample.sum) {
        return Ok([None, None]);
    }
    if is_stale(last_sum) || !layout.agrees(sample) || !layout.agrees_on_bounds(sample) {
        return Err(Misfit::Unlike);
    }
    let [positive, negative] = &sample.sides;
    Ok([joined(&layout.spans[0], positive.spans), joined(&layout.spans[1], negative.spans)])
}

/// The union of two layouts, if they differ.
fn joined(chunk: &[Span], sample: &[Span]) -> Option<SpanUnion> {
    if chunk == sample {
        return None;
    }
    Some(SpanUnion::of(chunk, sample)).filter(|union| union.left_is_short() || union.right_is_short())
}

/// [`joined`], after a look for resets: no bucket may count less than before, and none may be gone but an empty one.
fn grown<F: Flavor>(
    spans: &[Span],
    last: &[F::Lane],
    sample: &SideView<'_, Value<F>>,
) -> Result<Option<SpanUnion>, Misfit> {
    let zero = Value::<F>::default();
    let observations = |previous: &mut Value<F>, stored: Value<F>| {
        *previous = F::absolute(*previous, stored);
        Some(*previous)
    };
    let before = last.iter().map(Lane::value).scan(zero, observations);
    let now = sample.buckets.iter().copied().scan(zero, observations);
    if spans == sample.spans {
        return if before.zip(now).any(|(before, now)| before > now) { Err(Misfit::Reset) } else { Ok(None) };
    }
    let union = SpanUnion::of(spans, sample.spans);
    let mut now = union.right.iter().zip(now).peekable();
    for (at, before) in union.left.iter().zip(before) {
        while now.next_if(|(other, _)| *other < at).is_some() {}
        let reset = match now.peek() {
            Some((other, now)) if *other == at => before > *now,
            _ => before != zero,
        };
        if reset {
            return Err(Misfit::Reset);
        }
    }
    drop(now);
    Ok(Some(union).filter(|union| union.left_is_short() || union.right_is_short()))
}
