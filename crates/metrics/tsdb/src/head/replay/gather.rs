//! Keeps samples back until several of a series are there.
//!
//! The log has one sample of each series after another, and so many series fit into no cache of a processor: who appended them in this
//! order would wait for memory at each. Here they are gathered by neighbouring numbers, whose series fit well, for some samples of each.
//! It takes 48 bytes a series, a small part of what the series itself does.

use model::Millis;
use rustc_hash::FxHashMap;

use crate::wal::record::RefSample;

/// Numbers that are neighbours.
pub(super) const SPAN: u64 = 1024;
/// Samples a series that are kept.
const KEPT: usize = 3;
/// Most samples of a span.
pub(super) const MOST: usize = SPAN as usize * KEPT;

/// The samples, by spans of numbers.
#[derive(Default)]
pub(super) struct Gathered {
    positions: FxHashMap<u64, usize>,
    spans: Vec<Span>,
    /// The span that was used last: its number and position.
    last: Option<(u64, usize)>,
}

/// Samples of neighbours, in the order of the log.
#[derive(Default)]
struct Span {
    number: u64,
    series: usize,
    samples: Vec<Packed>,
    /// What the times of the samples are counted from.
    base: Millis,
}

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    Kept,
    /// There is no room: the samples of this span are to be taken out first.
    Full(usize),
    /// None of its neighbours is a series.
    Nobody,
}

struct Packed {
    /// Within the span.
    number: u32,
    /// Milliseconds since `base`.
    time: i32,
    value: f64,
}

// === impl Gathered ===

impl Gathered {
    /// The number has a series from now on.
    pub(super) fn add_series(&mut self, series_ref: u64) {
        let number = series_ref / SPAN;
        let position = *self.positions.entry(number).or_insert_with(|| {
            self.spans.push(Span { number, ..Span::default() });
            self.spans.len() - 1
        });
        self.spans[position].series += 1;
    }

    #[inline]
    pub(super) fn push(&mut self, sample: RefSample) -> Pushed {
        match self.span_of(sample.series_ref) {
            None => Pushed::Nobody,
            Some(span) if self.spans[span].push(sample) => Pushed::Kept,
            Some(span) => Pushed::Full(span),
        }
    }

    /// Number of spans, each of which is empty most of the time where series are few.
    pub(super) fn spans(&self) -> usize {
        self.spans.len()
    }

    /// A number of the span, and how many samples it has.
    pub(super) fn describe(&self, span: usize) -> (u64, usize) {
        let Span { number, samples, .. } = &self.spans[span];
        (number * SPAN, samples.len())
    }

    /// Takes the samples of a span out, in the order they came in.
    pub(super) fn take(&mut self, span: usize) -> impl Iterator<Item = RefSample> {
        let Span { number, samples, base, .. } = &mut self.spans[span];
        let (first, base) = (*number * SPAN, *base);
        samples.drain(..).map(move |Packed { number, time, value }| RefSample {
            series_ref: first + u64::from(number),
            timestamp: base.wrapping_add(time.into()),
            value,
        })
    }

    /// Gives back the memory of spans that are empty.
    pub(super) fn shrink(&mut self) {
        for span in self.spans.iter_mut().filter(|span| span.samples.is_empty()) {
            span.samples = Vec::new();
        }
    }

    /// The span of a number, if it has any series.
    #[inline]
    pub(super) fn span_of(&mut self, series_ref: u64) -> Option<usize> {
        let number = series_ref / SPAN;
        match self.last {
            Some((last, position)) if last == number => Some(position),
            _ => {
                let position = *self.positions.get(&number)?;
                self.last = Some((number, position));
                Some(position)
            }
        }
    }
}

// === impl Span ===

impl Span {
    /// False where the sample has no place.
    #[inline]
    fn push(&mut self, sample: RefSample) -> bool {
        let RefSample { series_ref, timestamp, value } = sample;
        if self.samples.is_empty() {
            self.base = timestamp;
        }
        let Ok(time) = i32::try_from(timestamp.wrapping_sub(self.base)) else { return false };
        if self.samples.len() == self.samples.capacity() {
            let room = self.series.saturating_mul(KEPT).clamp(1, MOST);
            if self.samples.len() >= room {
                return false;
            }
            self.samples.reserve_exact(room - self.samples.len());
        }
        self.samples.push(Packed { number: (series_ref % SPAN) as u32, time, value });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(series_ref: u64, timestamp: Millis) -> RefSample {
        RefSample { series_ref, timestamp, value: timestamp as f64 }
    }

    fn take(gathered: &mut Gathered, series_ref: u64) -> Vec<RefSample> {
        let span = gathered.span_of(series_ref).unwrap();
        gathered.take(span).collect()
    }

    fn with_series(numbers: &[u64]) -> Gathered {
        let mut gathered = Gathered::default();
        numbers.iter().for_each(|number| gathered.add_series(*number));
        gathered
    }

    #[test]
    fn gives_back_what_came_in_by_neighbours_and_in_order() {
        let mut gathered = with_series(&[1, 2, 5000, 5001]);
        let samples = [sample(1, 5), sample(5000, 7), sample(2, 4), sample(1, 6), sample(5001, -3)];
        for sample in samples {
            assert_eq!(gathered.push(sample), Pushed::Kept);
        }
        assert_eq!(gathered.push(sample(10_000, 5)), Pushed::Nobody);
        assert_eq!(take(&mut gathered, 2), [samples[0], samples[2], samples[3]]);
        assert_eq!(take(&mut gathered, 5000), [samples[1], samples[4]]);
        assert!(take(&mut gathered, 1).is_empty());
        assert_eq!(gathered.spans(), 2);
    }

    #[test]
    fn keeps_no_more_than_some_samples_a_series() {
        let mut gathered = with_series(&[1, 2, u64::MAX]);
        let kept = (0..).take_while(|time| gathered.push(sample(1, *time)) == Pushed::Kept).count();
        assert_eq!(kept, 2 * KEPT);
        for time in 0..KEPT as Millis {
            assert_eq!(gathered.push(sample(u64::MAX, time)), Pushed::Kept);
        }
        let Pushed::Full(span) = gathered.push(sample(u64::MAX, 100)) else { panic!("it has no room") };
        assert_eq!(gathered.describe(span), (u64::MAX - (SPAN - 1), KEPT));
        assert_eq!(gathered.take(span).next(), Some(sample(u64::MAX, 0)));
    }

    #[test]
    fn times_far_apart_do_not_go_together() {
        let mut gathered = with_series(&[1, 2]);
        let samples = [sample(1, Millis::MIN), sample(1, 0), sample(2, Millis::MAX)];
        for sample in samples {
            if let Pushed::Full(span) = gathered.push(sample) {
                assert_eq!(gathered.take(span).count(), 1);
                assert_eq!(gathered.push(sample), Pushed::Kept);
            }
        }
        assert_eq!(take(&mut gathered, 1), [samples[2]]);
    }
}
