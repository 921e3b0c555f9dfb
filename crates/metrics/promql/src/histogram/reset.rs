//! Whether a counter started anew between two histograms.

use model::CounterResetHint;

use super::{Native, arithmetic::common};

/// Whether `current` cannot have grown out of `previous`. Hints are believed.
pub(crate) fn is_reset(current: &Native, previous: &Native) -> bool {
    match current.hint {
        CounterResetHint::Reset => return true,
        CounterResetHint::NotReset => return false,
        CounterResetHint::Unknown | CounterResetHint::Gauge => {}
    }
    if current.count < previous.count {
        return true;
    }
    if current.uses_custom_buckets() {
        if !previous.uses_custom_buckets() {
            return true;
        }
        if current.custom_values != previous.custom_values {
            let bounds = common(&current.custom_values, &previous.custom_values);
            let (mut current, mut previous) = (current.clone(), previous.clone());
            current.keep_bounds(&bounds);
            previous.keep_bounds(&bounds);
            return shrinks(&current.positive, &previous.positive);
        }
    }
    if current.schema > previous.schema || current.zero_threshold < previous.zero_threshold {
        return true;
    }
    let (zero_count, threshold) = previous.zero_count_within(current.zero_threshold);
    if threshold != current.zero_threshold || current.zero_count < zero_count {
        return true;
    }
    // What lies inside the zero bucket is compared by its count already.
    let mut previous = previous.clone();
    let threshold = current.zero_threshold;
    if threshold > 0.0 {
        let schema = previous.clone();
        for side in [&mut previous.positive, &mut previous.negative] {
            side.retain(|(index, _)| schema.bound(*index) > threshold);
        }
    }
    previous.reduce(current.schema);
    shrinks(&current.positive, &previous.positive) || shrinks(&current.negative, &previous.negative)
}

/// Whether any bucket holds less than before.
fn shrinks(current: &[(i32, f64)], previous: &[(i32, f64)]) -> bool {
    previous.iter().any(|(index, before)| {
        let now = current.binary_search_by_key(index, |(index, _)| *index).map_or(0.0, |at| current[at].1);
        now < *before
    })
}
