//! Sums, differences, multiples.

use model::CounterResetHint;
use vector::CompensatedSum;

use super::{Bounds, Native};

/// Exponential and custom buckets do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IncompatibleSchemas;

/// What a reader should know about a sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AddNotes {
    /// One says there was a reset before it, the other that there was none.
    pub(crate) hints_collide: bool,
    /// Custom bounds differ; those that both have remain.
    pub(crate) bounds_reconciled: bool,
}

impl Native {
    /// Adds `other`, or subtracts it for a `sign` of −1.
    pub(crate) fn add(&mut self, other: &Self, sign: f64) -> Result<AddNotes, IncompatibleSchemas> {
        if self.uses_custom_buckets() != other.uses_custom_buckets() {
            return Err(IncompatibleSchemas);
        }
        let mut notes = AddNotes { hints_collide: self.merge_hints(other.hint), bounds_reconciled: false };
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        if self.uses_custom_buckets() {
            let mut other = other.clone();
            if self.custom_values != other.custom_values {
                notes.bounds_reconciled = true;
                let bounds = common(&self.custom_values, &other.custom_values);
                self.keep_bounds(&bounds);
                other.keep_bounds(&bounds);
            }
            add_side(&mut self.positive, &other.positive, sign);
            return Ok(notes);
        }
        let mut other = other.clone();
        self.widen_zero_buckets(&mut other);
        self.zero_count += sign * other.zero_count;
        self.reduce(other.schema);
        other.reduce(self.schema);
        add_side(&mut self.positive, &other.positive, sign);
        add_side(&mut self.negative, &other.negative, sign);
        Ok(notes)
    }

    pub(crate) fn multiply(&mut self, factor: f64) {
        self.each_count(|count| count * factor);
        if factor < 0.0 {
            self.hint = CounterResetHint::Gauge;
        }
    }

    pub(crate) fn divide(&mut self, divisor: f64) {
        self.each_count(|count| count / divisor);
        if divisor == 0.0 {
            self.positive.clear();
            self.negative.clear();
        } else if divisor < 0.0 {
            self.hint = CounterResetHint::Gauge;
        }
    }

    fn each_count(&mut self, change: impl Fn(f64) -> f64) {
        self.zero_count = change(self.zero_count);
        self.count = change(self.count);
        self.sum = change(self.sum);
        for (_, count) in self.positive.iter_mut().chain(&mut self.negative) {
            *count = change(*count);
        }
    }

    /// Whether the hints contradict each other.
    fn merge_hints(&mut self, other: CounterResetHint) -> bool {
        use CounterResetHint::{Gauge, Unknown};
        match (self.hint, other) {
            (own, other) if own == other => false,
            (_, Gauge) => {
                self.hint = Gauge;
                false
            }
            (Gauge | Unknown, _) => false,
            (_, Unknown) => {
                self.hint = Unknown;
                false
            }
            _ => {
                self.hint = Unknown;
                true
            }
        }
    }

    /// Makes the zero buckets of both equally wide, which may take a bucket or two in.
    fn widen_zero_buckets(&mut self, other: &mut Self) {
        while self.zero_threshold != other.zero_threshold {
            let threshold = self.zero_threshold.max(other.zero_threshold);
            self.widen_zero_bucket(threshold);
            other.widen_zero_bucket(threshold);
        }
    }

    fn widen_zero_bucket(&mut self, threshold: f64) {
        let (count, threshold) = self.zero_count_within(threshold);
        let keeps = |bounds: &Bounds| bounds.lower >= threshold || bounds.upper <= -threshold;
        let kept_positive: Vec<bool> = self.positive_bounds().map(|bounds| keeps(&bounds)).collect();
        let kept_negative: Vec<bool> = self.negative_bounds().map(|bounds| keeps(&bounds)).collect();
        retain(&mut self.positive, &kept_positive);
        retain(&mut self.negative, &kept_negative);
        self.zero_count = count;
        self.zero_threshold = threshold;
    }

    /// The count of a zero bucket of at least this width, and its width: it ends where a populated bucket ends.
    pub(super) fn zero_count_within(&self, threshold: f64) -> (f64, f64) {
        let mut threshold = threshold.max(self.zero_threshold);
        if threshold == self.zero_threshold {
            return (self.zero_count, threshold);
        }
        loop {
            let mut count = CompensatedSum::default();
            count.add(self.zero_count);
            let mut wider = threshold;
            for bounds in self.positive_bounds().take_while(|bounds| bounds.lower < threshold) {
                count.add(bounds.count);
                wider = wider.max(bounds.upper);
            }
            for bounds in self.negative_bounds().take_while(|bounds| bounds.upper > -threshold) {
                count.add(bounds.count);
                wider = wider.max(-bounds.lower);
            }
            if wider == threshold {
                return (count.total(), threshold);
            }
            threshold = wider;
        }
    }

    /// Merges custom buckets so that only these bounds remain.
    pub(super) fn keep_bounds(&mut self, bounds: &[f64]) {
        let mut merged: Vec<(i32, f64)> = Vec::new();
        for (index, count) in &self.positive {
            let bound = self.bound(*index);
            let target = bounds.partition_point(|kept| *kept < bound);
            let target = i32::try_from(target).unwrap_or(i32::MAX);
            match merged.last_mut() {
                Some((last, total)) if *last == target => *total += count,
                _ => merged.push((target, *count)),
            }
        }
        self.positive = merged;
        self.custom_values = bounds.to_vec();
    }
}

/// The bounds that both have; both ascend.
pub(super) fn common(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().copied().filter(|bound| right.contains(bound)).collect()
}

fn add_side(target: &mut Vec<(i32, f64)>, other: &[(i32, f64)], sign: f64) {
    if other.is_empty() {
        return;
    }
    let own = std::mem::take(target);
    let (mut own, mut other) = (own.into_iter().peekable(), other.iter().peekable());
    loop {
        match (own.peek(), other.peek()) {
            (Some((a, _)), Some((b, _))) if a < b => target.extend(own.next()),
            (Some((a, count)), Some((b, more))) if a == b => {
                target.push((*a, count + sign * more));
                own.next();
                other.next();
            }
            (_, Some((b, more))) => {
                target.push((*b, sign * more));
                other.next();
            }
            (Some(_), None) => target.extend(own.next()),
            (None, None) => break,
        }
    }
    target.retain(|(_, count)| *count != 0.0);
}

fn retain(side: &mut Vec<(i32, f64)>, kept: &[bool]) {
    let mut kept = kept.iter();
    side.retain(|_| kept.next().copied().unwrap_or(true));
}

/// The sum or mean of many histograms, compensated like sums of floats.
#[derive(Debug, Clone)]
pub(crate) struct HistogramSum {
    /// Every histogram so far; its counts are those of the sum without compensation.
    total: Native,
    /// What each number of the sum lost.
    lost: Native,
    /// Divides what is added from now on: the mean is kept instead of the sum once the sum would overflow.
    incremental: bool,
    mean: bool,
    count: f64,
    reset_seen: bool,
    no_reset_seen: bool,
    notes: AddNotes,
    incompatible: bool,
}

impl HistogramSum {
    /// Starts a sum, or a mean, with its first histogram.
    pub(crate) fn new(first: Native, mean: bool) -> Self {
        let mut lost = first.clone();
        lost.each_count(|_| 0.0);
        let mut sum = Self {
            lost,
            total: first,
            incremental: false,
            mean,
            count: 1.0,
            reset_seen: false,
            no_reset_seen: false,
            notes: AddNotes::default(),
            incompatible: false,
        };
        sum.see(sum.total.hint);
        sum
    }

    /// Adds one; whether it fits.
    pub(crate) fn add(&mut self, histogram: &Native) -> Result<(), IncompatibleSchemas> {
        if self.incompatible {
            return Ok(());
        }
        self.count += 1.0;
        self.see(histogram.hint);
        let result = self.add_number(histogram);
        self.incompatible = result.is_err();
        result
    }

    fn add_number(&mut self, histogram: &Native) -> Result<(), IncompatibleSchemas> {
        if !self.incremental {
            let (mut total, mut lost) = (self.total.clone(), self.lost.clone());
            let reconciled = compensated_add(&mut total, &mut lost, histogram)?;
            self.notes.bounds_reconciled |= reconciled;
            if !self.mean || !total.is_overflown() {
                (self.total, self.lost) = (total, lost);
                return Ok(());
            }
            self.incremental = true;
            let before = self.count - 1.0;
            self.total.each_count(|count| count / before);
            self.lost.each_count(|count| count / before);
        }
        let weight = (self.count - 1.0) / self.count;
        self.total.each_count(|count| count * weight);
        self.lost.each_count(|count| count * weight);
        let mut share = histogram.clone();
        share.each_count(|number| number / self.count);
        self.notes.bounds_reconciled |= compensated_add(&mut self.total, &mut self.lost, &share)?;
        Ok(())
    }

    /// The result and what is to be known about it; nothing when histograms did not fit.
    pub(crate) fn finish(mut self) -> (Option<Native>, AddNotes) {
        self.notes.hints_collide = self.reset_seen && self.no_reset_seen;
        if self.incompatible {
            return (None, self.notes);
        }
        if self.mean && !self.incremental {
            let count = self.count;
            self.total.each_count(|number| number / count);
            self.lost.each_count(|number| number / count);
        }
        zip_counts(&mut self.total, &mut self.lost, |number, lost| *number += *lost);
        self.total.drop_empty();
        (Some(self.total), self.notes)
    }

    fn see(&mut self, hint: CounterResetHint) {
        self.reset_seen |= hint == CounterResetHint::Reset;
        self.no_reset_seen |= hint == CounterResetHint::NotReset;
    }
}

/// Adds `histogram` to `total` and what that loses to `lost`; whether custom bounds had to be reconciled.
fn compensated_add(
    total: &mut Native,
    lost: &mut Native,
    histogram: &Native,
) -> Result<bool, IncompatibleSchemas> {
    // First all three get the same layout, then numbers are added one by one.
    let mut addend = histogram.clone();
    if total.uses_custom_buckets() != addend.uses_custom_buckets() {
        return Err(IncompatibleSchemas);
    }
    total.merge_hints(addend.hint);
    let mut reconciled = false;
    if total.uses_custom_buckets() {
        if total.custom_values != addend.custom_values {
            reconciled = true;
            let bounds = common(&total.custom_values, &addend.custom_values);
            [&mut *total, &mut *lost, &mut addend]
                .into_iter()
                .for_each(|histogram| histogram.keep_bounds(&bounds));
        }
    } else {
        total.widen_zero_buckets(&mut addend);
        lost.widen_zero_bucket(total.zero_threshold);
        lost.zero_threshold = total.zero_threshold;
        let schema = total.schema.min(addend.schema);
        [&mut *total, &mut *lost, &mut addend].into_iter().for_each(|histogram| histogram.reduce(schema));
    }
    align(&mut total.positive, &mut lost.positive, &mut addend.positive);
    align(&mut total.negative, &mut lost.negative, &mut addend.negative);
    let mut numbers = addend.numbers_mut().map(|number| *number).collect::<Vec<_>>().into_iter();
    zip_counts(total, lost, |number, lost| {
        let mut sum = CompensatedSum::from_parts(*number, *lost);
        sum.add(numbers.next().unwrap_or(0.0));
        (*number, *lost) = sum.parts();
    });
    Ok(reconciled)
}

fn zip_counts(total: &mut Native, lost: &mut Native, mut each: impl FnMut(&mut f64, &mut f64)) {
    for (number, lost) in total.numbers_mut().zip(lost.numbers_mut()) {
        each(number, lost);
    }
}

/// Gives three sides the same indices, with zeros where one had none.
fn align(a: &mut Vec<(i32, f64)>, b: &mut Vec<(i32, f64)>, c: &mut Vec<(i32, f64)>) {
    let same = |left: &[(i32, f64)], right: &[(i32, f64)]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.0 == right.0)
    };
    if same(a, b) && same(a, c) {
        return;
    }
    let mut indices: Vec<i32> = a.iter().chain(b.iter()).chain(c.iter()).map(|(index, _)| *index).collect();
    indices.sort_unstable();
    indices.dedup();
    for side in [a, b, c] {
        *side = indices
            .iter()
            .map(|index| {
                let at = side.binary_search_by_key(index, |(index, _)| *index);
                (*index, at.map_or(0.0, |at| side[at].1))
            })
            .collect();
    }
}

impl Native {
    /// All numbers that add up, always in the same order.
    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        let buckets = self.positive.iter_mut().chain(&mut self.negative).map(|(_, count)| count);
        [&mut self.count, &mut self.sum, &mut self.zero_count].into_iter().chain(buckets)
    }

    fn is_overflown(&mut self) -> bool {
        self.numbers_mut().any(|number| number.is_infinite())
    }

    fn drop_empty(&mut self) {
        self.positive.retain(|(_, count)| *count != 0.0);
        self.negative.retain(|(_, count)| *count != 0.0);
    }
}
