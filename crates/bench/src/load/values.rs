//! The values of a target's series, step after step.

use super::{
    random::Random,
    series::{BUCKET_MIDDLES, Kind, Shape},
};

/// Where a share of a histogram's observations falls, bucket by bucket; a histogram has one of these.
const SPREADS: [[f64; 12]; 4] = [
    [0.02, 0.05, 0.12, 0.23, 0.24, 0.16, 0.09, 0.05, 0.025, 0.01, 0.004, 0.001],
    [0.30, 0.34, 0.20, 0.09, 0.04, 0.02, 0.006, 0.002, 0.001, 0.001, 0.0, 0.0],
    [0.0, 0.005, 0.015, 0.04, 0.10, 0.22, 0.27, 0.20, 0.09, 0.04, 0.015, 0.005],
    [0.08, 0.15, 0.22, 0.20, 0.13, 0.09, 0.06, 0.04, 0.02, 0.006, 0.003, 0.001],
];

/// The share of counters and of histograms that nothing happens to.
const IDLE_COUNTERS: f64 = 0.15;
const IDLE_HISTOGRAMS: f64 = 0.2;

/// What the series of one target are at.
#[derive(Debug)]
pub struct Target {
    random: Random,
    series: Box<[State]>,
}

/// What one series is at.
#[derive(Debug, Clone, Copy)]
struct State {
    value: f64,
    /// Of a counter: events a step. Of a gauge: the size of a step. Of a histogram's first bucket: observations a step.
    rate: f32,
    /// Of a histogram's first bucket: which of [`SPREADS`].
    spread: u8,
}

/// A histogram's new observations, while its series are gone through.
#[derive(Debug, Default)]
struct Observations {
    mean: f64,
    spread: usize,
    /// In the buckets so far.
    count: u64,
    sum: f64,
}

impl Target {
    /// Target `number` before its first step.
    pub fn new(seed: u64, number: usize, shapes: &[Shape]) -> Self {
        let mut random = Random::new(seed, number as u64);
        let series = shapes.iter().map(|shape| State::new(shape.kind, &mut random)).collect();
        Self { random, series }
    }

    /// Goes on by a step and hands over the new values in the order of `shapes`, which are those that the target was made with.
    pub fn step(&mut self, shapes: &[Shape], mut each: impl FnMut(f64)) {
        let random = &mut self.random;
        let mut new = Observations::default();
        for (state, shape) in self.series.iter_mut().zip(shapes) {
            match shape.kind {
                Kind::Constant(_) => {}
                Kind::Gauge => {
                    state.value = (state.value + random.normal().round() * f64::from(state.rate)).abs();
                }
                Kind::Counter => state.value += random.poisson(f64::from(state.rate)) as f64,
                Kind::Bucket(place) => {
                    if place == 0 {
                        let (mean, spread) = (f64::from(state.rate), usize::from(state.spread));
                        new = Observations { mean, spread, ..Observations::default() };
                    }
                    let events = random.poisson(new.mean * SPREADS[new.spread][place]);
                    new.count += events;
                    new.sum += events as f64 * BUCKET_MIDDLES[place];
                    state.value += new.count as f64;
                }
                // To the microsecond, as sums of measured times are not round numbers.
                Kind::Sum => state.value = ((state.value + new.sum) * 1e6).round() / 1e6,
                Kind::Count => state.value += new.count as f64,
            }
            each(state.value);
        }
    }
}

impl State {
    fn new(kind: Kind, random: &mut Random) -> Self {
        let mut state = Self { value: 0.0, rate: 0.0, spread: 0 };
        match kind {
            Kind::Constant(value) => state.value = value,
            Kind::Gauge => {
                state.value = random.log_normal(8.0, 2.0).floor();
                state.rate = (state.value * 0.01).floor().max(1.0) as f32;
            }
            Kind::Counter => {
                state.value = random.log_normal(8.0, 2.0).floor();
                state.rate = busy(IDLE_COUNTERS, random.log_normal(2.0, 2.0), random);
            }
            Kind::Bucket(0) => {
                state.rate = busy(IDLE_HISTOGRAMS, random.log_normal(2.0, 1.5), random);
                state.spread = (random.next() % SPREADS.len() as u64) as u8;
            }
            Kind::Bucket(_) | Kind::Sum | Kind::Count => {}
        }
        state
    }
}

/// The rate, or none for a share of the series.
fn busy(idle: f64, rate: f64, random: &mut Random) -> f32 {
    if random.uniform() < idle { 0.0 } else { rate as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::series::shapes;

    fn steps(seed: u64, number: usize, count: usize) -> Vec<Vec<f64>> {
        let shapes = shapes();
        let mut target = Target::new(seed, number, &shapes);
        let mut step = || {
            let mut values = Vec::new();
            target.step(&shapes, |value| values.push(value));
            values
        };
        (0..count).map(|_| step()).collect()
    }

    #[test]
    fn values_are_decided_by_seed_and_target() {
        assert_eq!(steps(1, 7, 5), steps(1, 7, 5));
        assert_ne!(steps(1, 7, 5), steps(2, 7, 5));
        assert_ne!(steps(1, 7, 5), steps(1, 8, 5));
    }

    #[test]
    fn counters_grow_buckets_are_cumulative_and_gauges_move() {
        let shapes = shapes();
        let steps = steps(42, 0, 50);
        let (mut moved, mut idle) = (0, 0);
        for (at, shape) in shapes.iter().enumerate() {
            let values: Vec<f64> = steps.iter().map(|step| step[at]).collect();
            assert!(values.iter().all(|value| value.is_finite() && *value >= 0.0));
            match shape.kind {
                Kind::Constant(value) => assert!(values.iter().all(|have| *have == value)),
                Kind::Gauge => moved += usize::from(values[0] != values[49]),
                Kind::Counter | Kind::Bucket(_) | Kind::Sum | Kind::Count => {
                    assert!(values.is_sorted());
                    idle += usize::from(shape.kind == Kind::Counter && values[0] == values[49]);
                }
            }
            if let Kind::Bucket(1..) = shape.kind {
                assert!(steps.iter().all(|step| step[at - 1] <= step[at]));
            }
            if shape.kind == Kind::Count {
                assert!(steps.iter().all(|step| step[at - 2] == step[at]), "the last bucket holds all");
            }
        }
        assert!(moved > 10, "{moved} gauges moved");
        assert!((1..40).contains(&idle), "{idle} idle counters");
    }
}
