//! The load: series like a fleet's, their values over time, and the remote write requests that carry them.
//!
//! Everything follows from a [`Plan`]: the same plan gives the same bytes, on any machine and however the work is spread over connections.
//! A body never changes its layout, so it is encoded once; from then on only values and times are put in its places.

mod body;
mod file;
mod random;
mod series;
mod values;

pub use body::{Body, Generator};
pub use file::BodyFile;
pub use series::{PATHS, SERIES_PER_TARGET, SERVICES};

/// Time between two samples of a series, milliseconds.
pub const STEP: i64 = 15_000;

/// Which samples there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Number of series.
    pub series: usize,
    /// Samples of each series.
    pub steps: u32,
    /// Time of the last sample, milliseconds since the Unix epoch.
    pub end: i64,
    /// Decides every value that is drawn.
    pub seed: u64,
}

/// One connection's share of a load: bodies in the order they must be sent in.
pub trait Lane: Send {
    /// The next body; `None` after the last.
    fn next(&mut self) -> anyhow::Result<Option<Body>>;
}

impl Plan {
    /// Time of the first sample.
    pub fn start(&self) -> i64 {
        self.end - i64::from(self.steps.saturating_sub(1)) * STEP
    }

    /// All samples.
    pub fn samples(&self) -> u64 {
        self.series as u64 * u64::from(self.steps)
    }

    /// How many targets have a series called `up`, which is the last of a target's.
    pub fn targets(&self) -> usize {
        self.series / SERIES_PER_TARGET
    }

    /// The grid point of [`STEP`] at or before a time.
    pub fn align(time: i64) -> i64 {
        time.div_euclid(STEP) * STEP
    }
}

/// The names of all metrics.
#[cfg(test)]
pub fn names() -> Vec<String> {
    series::shapes().into_iter().map(|mut shape| shape.labels.swap_remove(0).1).collect()
}

#[cfg(test)]
mod tests;
