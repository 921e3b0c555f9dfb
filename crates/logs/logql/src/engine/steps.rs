//! The moments a metric query is evaluated at, in nanoseconds.

use model::{Millis, Nanos};

use super::EngineError;

/// Most moments of one query.
const MAX_STEPS: i64 = 11_000;

/// `count` moments, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    start: Nanos,
    step: i64,
    count: usize,
}

impl Steps {
    pub fn instant(at: Nanos) -> Self {
        Self { start: at, step: 1, count: 1 }
    }

    pub fn range(start: Nanos, end: Nanos, step: i64) -> Result<Self, EngineError> {
        if end < start {
            return Err(EngineError::bad_request("end timestamp must not be before or equal to start time"));
        }
        if step <= 0 {
            return Err(EngineError::bad_request(
                "zero or negative query resolution step widths are not accepted. Try a positive integer",
            ));
        }
        let steps = end.saturating_sub(start) / step;
        if steps > MAX_STEPS {
            return Err(EngineError::bad_request(
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter",
            ));
        }
        Ok(Self { start, step, count: usize::try_from(steps).unwrap_or(0) + 1 })
    }

    /// Multiples of the step that enclose these moments and `end`.
    pub fn aligned(self, end: Nanos) -> Self {
        let Self { start, step, count } = self;
        let first = start.saturating_sub(start.rem_euclid(step));
        let steps = (i128::from(end) - i128::from(first)).div_euclid(i128::from(step));
        let beyond = (i128::from(end) - i128::from(first)).rem_euclid(i128::from(step)) != 0;
        Self {
            start: first,
            step,
            count: usize::try_from(steps).map_or(count, |steps| steps + 1 + usize::from(beyond)),
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// The moment with this index.
    pub fn at(&self, index: usize) -> Nanos {
        self.start.saturating_add(self.step.saturating_mul(index as i64))
    }

    pub fn millis(&self, index: usize) -> Millis {
        self.at(index).div_euclid(1_000_000)
    }

    pub fn first(&self) -> Nanos {
        self.start
    }

    pub fn last(&self) -> Nanos {
        self.at(self.count - 1)
    }
}

/// The windows of a range aggregation: (t − interval, t] for each moment t, moved back by the offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    steps: Steps,
    pub interval: i64,
    pub offset: i64,
}

impl Windows {
    pub fn new(steps: Steps, interval: i64, offset: i64) -> Self {
        Self { steps, interval, offset }
    }

    pub fn count(&self) -> usize {
        self.steps.count
    }

    /// First and last moment, the latter exclusive, of the entries that are in any window.
    pub fn extent(&self) -> (Nanos, Nanos) {
        let shift = |at: Nanos| at.saturating_sub(self.offset);
        let start = shift(self.steps.first()).saturating_sub(self.interval).saturating_add(1);
        (start, shift(self.steps.last()).saturating_add(1))
    }

    /// First moment, exclusive, and last moment of a window.
    pub fn bounds(&self, index: usize) -> (Nanos, Nanos) {
        let end = self.steps.at(index).saturating_sub(self.offset);
        (end.saturating_sub(self.interval), end)
    }

    /// The windows an entry of this time is in: first and last.
    #[inline]
    pub fn of(&self, timestamp: Nanos) -> Option<(usize, usize)> {
        let Self { steps, interval, offset } = *self;
        let since = timestamp.saturating_add(offset).saturating_sub(steps.start);
        // Times so far out that this saturates are in no window: the steps span less than the whole range of times.
        let from = since.div_euclid(steps.step) + i64::from(since.rem_euclid(steps.step) != 0);
        let to = since.saturating_add(interval - 1).div_euclid(steps.step);
        let from = usize::try_from(from.max(0)).ok()?;
        let to = usize::try_from(to).ok()?.min(steps.count - 1);
        (from <= to).then_some((from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::{Steps, Windows};

    #[test]
    fn windows_exclude_their_start_and_include_their_end() {
        let windows = Windows::new(Steps::range(100, 130, 10).expect("steps"), 10, 0);
        assert_eq!(windows.of(90), None);
        assert_eq!(windows.of(91), Some((0, 0)));
        assert_eq!(windows.of(100), Some((0, 0)));
        assert_eq!(windows.of(101), Some((1, 1)));
        assert_eq!(windows.of(130), Some((3, 3)));
        assert_eq!(windows.of(131), None);
        assert_eq!(windows.extent(), (91, 131));
    }

    #[test]
    fn windows_overlap_leave_gaps_and_move() {
        let steps = Steps::range(100, 130, 10).expect("steps");
        assert_eq!(Windows::new(steps, 25, 0).of(101), Some((1, 2)));
        assert_eq!(Windows::new(steps, 3, 0).of(105), None);
        assert_eq!(Windows::new(steps, 3, 0).of(108), Some((1, 1)));
        assert_eq!(Windows::new(steps, 10, 50).of(50), Some((0, 0)));
        assert_eq!(Windows::new(steps, 10, -50).of(150), Some((0, 0)));
    }

    #[test]
    fn agrees_with_bounds() {
        for (interval, offset) in [(1, 0), (7, 3), (10, 0), (33, -5)] {
            let windows = Windows::new(Steps::range(100, 160, 10).expect("steps"), interval, offset);
            for timestamp in 40..220 {
                let inside: Vec<usize> = (0..windows.count())
                    .filter(|index| {
                        let (after, end) = windows.bounds(*index);
                        after < timestamp && timestamp <= end
                    })
                    .collect();
                let want = inside.first().map(|first| (*first, *inside.last().unwrap_or(first)));
                assert_eq!(windows.of(timestamp), want, "{timestamp} in {interval} offset {offset}");
            }
        }
    }

    #[test]
    fn aligned_steps_enclose_the_range() {
        let moments = |start, end| {
            let steps = Steps::range(start, end, 10).expect("steps").aligned(end);
            (0..steps.count()).map(|index| steps.at(index)).collect::<Vec<_>>()
        };
        assert_eq!(moments(100, 120), [100, 110, 120]);
        assert_eq!(moments(101, 120), [100, 110, 120]);
        assert_eq!(moments(109, 121), [100, 110, 120, 130]);
        assert_eq!(moments(-5, 5), [-10, 0, 10]);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let windows = Windows::new(Steps::instant(i64::MAX), i64::MAX, i64::MIN);
        assert_eq!(windows.of(i64::MIN), None);
        let _ = windows.extent();
        assert!(Steps::range(i64::MIN, i64::MAX, 1).is_err());
    }
}
