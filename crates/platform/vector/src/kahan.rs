//! Sums and means that lose no small numbers beside large ones.
//!
//! Compensated summation after Kahan in Neumaier's form, and a mean that falls back to an incremental form when the sum overflows.
//! Prometheus computes `sum`, `avg` and their `_over_time` forms so; results have to agree to the last digits.

/// A running sum with its compensation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        (self.sum, self.lost) = add(value, self.sum, self.lost);
    }

    /// A sum that was taken apart by [`CompensatedSum::parts`].
    pub fn from_parts(sum: f64, lost: f64) -> Self {
        Self { sum, lost }
    }

    /// The plain sum and what it lost so far.
    pub fn parts(self) -> (f64, f64) {
        (self.sum, self.lost)
    }

    /// The sum so far.
    #[inline]
    pub fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// A running mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    /// The sum, or the mean itself once the sum would overflow.
    value: f64,
    lost: f64,
    count: f64,
    incremental: bool,
}

impl Mean {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            // The first number is taken as it is: an infinity here is no overflow.
            self.value = value;
            return;
        }
        if !self.incremental {
            let (sum, lost) = add(value, self.value, self.lost);
            if !sum.is_infinite() {
                (self.value, self.lost) = (sum, lost);
                return;
            }
            self.incremental = true;
            self.value /= self.count - 1.0;
            self.lost /= self.count - 1.0;
        }
        let weight = (self.count - 1.0) / self.count;
        (self.value, self.lost) = add(value / self.count, weight * self.value, weight * self.lost);
    }

    /// The mean so far; NaN of nothing.
    #[inline]
    pub fn value(self) -> f64 {
        if self.incremental {
            self.value + self.lost
        } else {
            self.value / self.count + self.lost / self.count
        }
    }
}

/// What [`CompensatedSum`] has after another number, as long as all are finite: without a branch, for several sums side by side, since one addition
/// has to wait for the one before it but not for those of another sum. A sum that is not finite in the end has to be made by
/// [`CompensatedSum`].
#[inline]
pub fn add_finite((sum, lost): (f64, f64), value: f64) -> (f64, f64) {
    let total = sum + value;
    let (large, small) = if sum.abs() >= value.abs() { (sum, value) } else { (value, sum) };
    (total, lost + ((large - total) + small))
}

/// The sum of `sum` and `value`, and what it lost on top of `lost`.
#[inline]
pub(crate) fn add(value: f64, sum: f64, lost: f64) -> (f64, f64) {
    let total = sum + value;
    let lost = if total.is_infinite() {
        0.0
    } else if sum.abs() >= value.abs() {
        lost + ((sum - total) + value)
    } else {
        lost + ((value - total) + sum)
    };
    (total, lost)
}

#[cfg(test)]
mod tests {
    use super::{CompensatedSum, Mean};

    fn sum(values: &[f64]) -> f64 {
        let mut sum = CompensatedSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.total()
    }

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::default();
        values.iter().for_each(|value| mean.add(*value));
        mean.value()
    }

    #[test]
    fn small_numbers_survive_large_ones() {
        assert_eq!(sum(&[2.0, 8.0, 1e100, -1e100]), 10.0);
        assert_eq!(mean(&[1.0, 1e100, 1.0, -1e100]), 0.5);
    }

    #[test]
    fn infinities_stay() {
        assert_eq!(sum(&[1.0, f64::INFINITY, 2.0]), f64::INFINITY);
        assert_eq!(mean(&[0.0, f64::INFINITY, f64::INFINITY]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(mean(&[f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(mean(&[]).is_nan());
    }

    #[test]
    fn mean_does_not_overflow() {
        let big = f64::MAX / 1.8;
        assert_eq!(mean(&[big; 4]), big);
        assert_eq!(mean(&[-big, -big, big, big]), 0.0);
        assert_eq!(mean(&[52.0; 12]), 52.0);
    }
}
