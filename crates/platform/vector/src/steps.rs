//! The moments a query is evaluated at.

use model::Millis;

/// `count` moments, `step` milliseconds apart, the first at `start`. An instant query has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    start: Millis,
    step: Millis,
    count: usize,
}

impl Steps {
    /// One moment.
    pub fn instant(at: Millis) -> Self {
        Self { start: at, step: 1, count: 1 }
    }

    /// All moments `start + n * step` that are not after `end`; none when `end` lies before `start`.
    ///
    /// A step below one millisecond counts as one.
    pub fn range(start: Millis, end: Millis, step: Millis) -> Self {
        let step = step.max(1);
        let count = match end.checked_sub(start) {
            Some(span) if span >= 0 => {
                usize::try_from(span / step).map_or(usize::MAX, |n| n.saturating_add(1))
            }
            Some(_) => 0,
            None => usize::MAX,
        };
        Self { start, step, count }
    }

    /// The first moment.
    pub fn start(&self) -> Millis {
        self.start
    }

    /// The last moment; the start when there is none.
    pub fn end(&self) -> Millis {
        self.at(self.count.saturating_sub(1))
    }

    /// Milliseconds between two moments.
    pub fn step(&self) -> Millis {
        self.step
    }

    /// How many moments there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The moment with this index.
    #[inline]
    pub fn at(&self, index: usize) -> Millis {
        self.start.saturating_add(self.step.saturating_mul(index as i64))
    }

    /// All moments in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Millis> + use<> {
        let steps = *self;
        (0..self.count).map(move |index| steps.at(index))
    }
}

#[cfg(test)]
mod tests {
    use super::Steps;

    #[test]
    fn range_ends_at_or_before_the_end() {
        let check = |start, end, step, want: &[i64]| {
            assert_eq!(Steps::range(start, end, step).iter().collect::<Vec<_>>(), want);
        };
        check(0, 20, 10, &[0, 10, 20]);
        check(0, 19, 10, &[0, 10]);
        check(5, 5, 10, &[5]);
        check(5, 4, 10, &[]);
        check(-10, 0, 5, &[-10, -5, 0]);
        assert_eq!(Steps::range(i64::MIN, i64::MAX, 1).count(), usize::MAX);
    }
}
