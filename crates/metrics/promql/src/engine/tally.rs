//! Counts the samples that steps use.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Samples that the steps of an evaluation use. Each step counts all that it looks at, as if it were a query of its own, whatever is read
/// but once for several.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    total: AtomicU64,
    by_step: Option<Box<[AtomicU64]>>,
}

impl Tally {
    /// One that tells what each of so many steps used.
    pub(crate) fn by_step(steps: usize) -> Self {
        Self { by_step: Some((0..steps).map(|_| AtomicU64::new(0)).collect()), ..Self::default() }
    }

    /// An empty one for what is evaluated at the same steps.
    pub(crate) fn for_part(&self) -> Self {
        match &self.by_step {
            Some(steps) => Self::by_step(steps.len()),
            None => Self::default(),
        }
    }

    /// Adds samples: their number, and that of each step, which is only looked at where it is told apart.
    pub(crate) fn add(&self, samples: usize, steps: impl IntoIterator<Item = (usize, usize)>) {
        self.total.fetch_add(samples as u64, Relaxed);
        let Some(by_step) = &self.by_step else { return };
        for (step, samples) in steps {
            by_step[step].fetch_add(samples as u64, Relaxed);
        }
    }

    /// Adds the samples of one step to each of `steps`.
    pub(crate) fn add_to_each(&self, samples: u64, steps: usize) {
        self.total.fetch_add(samples.saturating_mul(steps as u64), Relaxed);
        for step in self.by_step.iter().flatten() {
            step.fetch_add(samples, Relaxed);
        }
    }

    /// Adds what a part at the same steps used.
    pub(crate) fn add_part(&self, part: &Self) {
        self.total.fetch_add(part.total(), Relaxed);
        for (step, samples) in self.by_step.iter().flatten().zip(part.by_step.iter().flatten()) {
            step.fetch_add(samples.load(Relaxed), Relaxed);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// What each step used; nothing where steps are not told apart.
    pub(crate) fn steps(&self) -> impl Iterator<Item = u64> {
        self.by_step.iter().flatten().map(|samples| samples.load(Relaxed))
    }
}
