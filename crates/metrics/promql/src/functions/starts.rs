//! When the counting of samples began: what that says about resets.

use model::Millis;

/// When the counting of the samples of a window began; 0 where it is not known, empty where nobody asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts<'a> {
    pub(crate) floats: &'a [Millis],
    pub(crate) histograms: &'a [Millis],
}

/// A sample's time and when its counting began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) start: Millis,
    pub(crate) time: Millis,
}

impl Counted {
    /// The sample at `at`, whose time is `time`.
    pub(crate) fn new(starts: &[Millis], at: usize, time: Millis) -> Self {
        Self { start: starts.get(at).copied().unwrap_or(0), time }
    }

    /// Whether counting began anew after the sample before.
    ///
    /// A start at the very time of the sample before is a reset of a series of differences, whose samples each count from the one before.
    /// It is none when nobody knows where `previous` began, for then the start is only said to be unknown.
    pub(crate) fn is_reset_after(self, previous: Self) -> bool {
        if self.start == 0 || self.start >= self.time || self.start < previous.time {
            return false;
        }
        self.start > previous.time || (previous.start != 0 && previous.start < previous.time)
    }

    /// Whether this sample and the one before claim the same time, though each counts from another moment.
    pub(crate) fn overlaps(self, previous: Self) -> bool {
        self.start != 0 && self.start < previous.time && self.start != previous.start
    }
}

/// Whether any two neighbours overlap.
pub(crate) fn any_overlap(starts: &[Millis], times: impl Iterator<Item = Millis>) -> bool {
    let mut previous: Option<Counted> = None;
    starts.iter().zip(times).any(|(start, time)| {
        let current = Counted { start: *start, time };
        previous.replace(current).is_some_and(|previous| current.overlaps(previous))
    })
}

#[cfg(test)]
mod tests {
    use super::Counted;

    #[test]
    fn resets_by_start() {
        let reset = |previous: (i64, i64), current: (i64, i64)| {
            let counted = |(start, time): (i64, i64)| Counted { start, time };
            counted(current).is_reset_after(counted(previous))
        };
        assert!(reset((10, 20), (25, 30)), "began anew between the samples");
        assert!(!reset((10, 20), (10, 30)), "the same counting");
        assert!(reset((10, 20), (20, 30)), "a difference");
        assert!(!reset((20, 20), (20, 30)), "an unknown start");
        assert!(!reset((0, 20), (20, 30)), "nothing known of the one before");
        assert!(!reset((10, 20), (0, 30)), "nothing known");
        assert!(!reset((10, 20), (30, 30)), "unknown, as OpenTelemetry writes it");
        assert!(!reset((25, 20), (20, 30)), "a start after its sample is none");
    }
}
