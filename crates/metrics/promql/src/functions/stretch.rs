//! By how much a change between samples is stretched to the borders of its window: the extrapolation of `rate`, `increase` and `delta`.

use model::Millis;

use crate::plan::RangeFunction;

/// A border is taken as reached when it is closer than this many average distances between samples.
const CLOSE: f64 = 1.1;

/// Where the samples of a window lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Borders {
    pub(crate) first: Millis,
    pub(crate) last: Millis,
    /// How many distances between samples there are: one less than samples.
    pub(crate) distances: usize,
}

/// What is known of a series before its first sample in a window.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Before {
    /// It was zero at this moment, which lies in the window.
    Zero(Millis),
    /// A counter whose first value is this share of the change: it is not stretched to before it would have been zero.
    Share(f64),
    Nothing,
}

/// The samples of a window and what lies between them and its borders, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    last: Millis,
    sampled: f64,
    to_start: f64,
    to_end: f64,
}

/// How the change in one window is stretched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    stretch: Stretch,
    /// The factor where nothing is known from before.
    plain: f64,
}

/// Stretches the changes of one function in windows of one length.
#[derive(Debug)]
pub(crate) struct Stretcher {
    /// What the result is divided by.
    seconds: Option<f64>,
    /// Distances of the first sample from the window's start and of the last one from its end, and how many samples: mostly all windows of
    /// a series are alike.
    known: (Millis, Millis, usize),
    placed: Placed,
}

// === impl Stretch ===

impl Stretch {
    /// For the window in `(start, end]`. A border that lies close to a sample is reached; otherwise half an average distance is added.
    #[inline]
    pub(crate) fn new(borders: &Borders, start: Millis, end: Millis) -> Self {
        let sampled = seconds(borders.last - borders.first);
        // A single sample is no distance from anything.
        let distance = if borders.distances > 0 { sampled / borders.distances as f64 } else { 0.0 };
        let reached = |gap: f64| if gap >= distance * CLOSE { distance / 2.0 } else { gap };
        Self {
            last: borders.last,
            sampled,
            to_start: reached(seconds(borders.first - start)),
            to_end: reached(seconds(end - borders.last)),
        }
    }

    /// What a change is to be multiplied by.
    pub(crate) fn factor(&self, before: Before) -> f64 {
        let Self { last, mut sampled, mut to_start, to_end } = *self;
        match before {
            Before::Zero(start) => {
                to_start = 0.0;
                sampled = seconds(last - start);
            }
            Before::Share(share) => {
                let to_zero = sampled * share;
                if to_zero < to_start {
                    to_start = to_zero;
                }
            }
            Before::Nothing => {}
        }
        if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled }
    }

    /// Whether the counter would have been zero so long before the window that it need not be calculated.
    #[inline]
    fn begins_long_before(&self, change: f64, first: f64) -> bool {
        let [zero, start] = [first * self.sampled, 2.0 * change * self.to_start];
        zero.is_finite() && zero >= start
    }
}

// === impl Stretcher ===

impl Stretcher {
    /// `range` is the length of all windows, milliseconds.
    pub(crate) fn new(function: RangeFunction, range: Millis) -> Self {
        let nothing = Stretch { last: 0, sampled: 0.0, to_start: 0.0, to_end: 0.0 };
        Self {
            seconds: (function == RangeFunction::Rate).then(|| seconds(range)),
            known: (0, 0, usize::MAX),
            placed: Placed { stretch: nothing, plain: 0.0 },
        }
    }

    /// For the window in `(start, end]` whose samples lie at these borders.
    #[inline]
    pub(crate) fn place(&mut self, borders: &Borders, (start, end): (Millis, Millis)) -> Placed {
        let place = (borders.first - start, end - borders.last, borders.distances);
        if place != self.known {
            self.known = place;
            let stretch = Stretch::new(borders, start, end);
            self.placed = Placed { stretch, plain: self.per_second(stretch.factor(Before::Nothing)) };
        }
        self.placed
    }

    /// The change of a counter from `first`, its first value in the window, if it is one; else `first` is none.
    #[inline]
    pub(crate) fn stretch(&self, change: f64, first: Option<f64>, placed: &Placed) -> f64 {
        let Placed { stretch, plain } = placed;
        let factor = match first {
            Some(first) if change > 0.0 && first >= 0.0 && !stretch.begins_long_before(change, first) => {
                self.per_second(stretch.factor(Before::Share(first / change)))
            }
            _ => *plain,
        };
        change * factor
    }

    #[inline]
    fn per_second(&self, factor: f64) -> f64 {
        match self.seconds {
            Some(seconds) => factor / seconds,
            None => factor,
        }
    }
}

#[inline]
fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the window's place says, calculated anew for each.
    fn calculated(change: f64, first: f64, borders: &Borders, (start, end): (Millis, Millis)) -> f64 {
        let before =
            if change > 0.0 && first >= 0.0 { Before::Share(first / change) } else { Before::Nothing };
        change * (Stretch::new(borders, start, end).factor(before) / ((end - start) as f64 / 1000.0))
    }

    #[test]
    fn stretches_as_if_calculated_anew() {
        let mut stretcher = Stretcher::new(RangeFunction::Rate, 300_000);
        for number in 0..2000i64 {
            let window = (number * 7_000, number * 7_000 + 300_000);
            let first = window.0 + 1 + number % 3 * 20_000;
            let borders = Borders { first, last: window.1 - number % 5 * 4_000, distances: 19 };
            for (change, value) in
                [(10.0, 0.0), (10.0, 0.5), (10.0, 1.05), (3.0, 1e9), (-2.0, 5.0), (1e300, 1e308), (0.0, 1.0)]
            {
                let want = calculated(change, value, &borders, window);
                let placed = stretcher.place(&borders, window);
                let got = stretcher.stretch(change, Some(value), &placed);
                assert_eq!(got.to_bits(), want.to_bits(), "{change} from {value} in {borders:?}");
            }
        }
    }
}
