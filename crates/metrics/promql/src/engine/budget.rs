//! What a query may use: samples in memory, and time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use super::EngineError;

/// Samples between two looks at whether the query may go on: a few milliseconds of work.
const CHECK_EVERY: u64 = 1 << 20;

/// Tells a running query to stop. Clones share one switch.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the query at its next check, within a few milliseconds of work.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Counts what one query uses, on all its threads.
#[derive(Debug)]
pub(crate) struct Budget {
    max_samples: usize,
    current: AtomicUsize,
    peak: AtomicUsize,
    touched: AtomicU64,
    read: AtomicU64,
    deadline: Option<Instant>,
    tokens: Vec<CancelToken>,
}

impl Budget {
    pub(crate) fn new(max_samples: usize, deadline: Option<Instant>, tokens: Vec<CancelToken>) -> Self {
        Self {
            max_samples,
            current: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            touched: AtomicU64::new(0),
            read: AtomicU64::new(0),
            deadline,
            tokens,
        }
    }

    /// Takes `samples` into memory.
    pub(crate) fn charge(&self, samples: usize) -> Result<(), EngineError> {
        let add = |current: usize| current.checked_add(samples).filter(|sum| *sum <= self.max_samples);
        let Ok(before) = self.current.fetch_update(Relaxed, Relaxed, add) else {
            return Err(EngineError::TooManySamples);
        };
        self.peak.fetch_max(before + samples, Relaxed);
        Ok(())
    }

    /// Frees `samples`.
    pub(crate) fn release(&self, samples: usize) {
        let before = self.current.fetch_sub(samples, Relaxed);
        debug_assert!(before >= samples, "BUG: more was released than charged");
    }

    /// Notes that steps used `samples`.
    pub(crate) fn touch(&self, samples: u64) {
        self.touched.fetch_add(samples, Relaxed);
    }

    /// Notes that `samples` came from the storage.
    pub(crate) fn note_read(&self, samples: u64) {
        self.read.fetch_add(samples, Relaxed);
    }

    /// Whether the query may go on.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.tokens.iter().any(CancelToken::is_canceled) {
            return Err(EngineError::Canceled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(EngineError::Timeout);
        }
        Ok(())
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Relaxed) as u64
    }

    pub(crate) fn touched(&self) -> u64 {
        self.touched.load(Relaxed)
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }
}

/// What one thread has taken of a query's budget for its buffers, which it uses again and again: threads that work for one query would else
/// wait for each other at every series.
#[derive(Debug)]
pub(crate) struct Account<'b> {
    budget: &'b Budget,
    /// Samples that the buffers had room for at most.
    held: usize,
    read: u64,
}

impl<'b> Account<'b> {
    pub(crate) fn new(budget: &'b Budget) -> Self {
        Self { budget, held: 0, read: 0 }
    }

    /// Notes that a buffer was filled with `samples` from the storage.
    pub(crate) fn fill(&mut self, samples: usize) -> Result<(), EngineError> {
        self.read += samples as u64;
        if samples > self.held {
            self.budget.charge(samples - self.held)?;
            self.held = samples;
        }
        Ok(())
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        self.budget.note_read(self.read);
        self.budget.release(self.held);
    }
}

/// Counts the samples that the windows of one series use, and looks now and then whether the query may go on.
pub(crate) struct Touched<'b> {
    budget: &'b Budget,
    samples: u64,
    checked_at: u64,
}

impl<'b> Touched<'b> {
    pub(crate) fn new(budget: &'b Budget) -> Self {
        Self { budget, samples: 0, checked_at: 0 }
    }

    #[inline]
    pub(crate) fn add(&mut self, samples: usize) -> Result<(), EngineError> {
        self.samples += samples as u64;
        if self.samples - self.checked_at >= CHECK_EVERY {
            self.checked_at = self.samples;
            return self.budget.check();
        }
        Ok(())
    }

    pub(crate) fn finish(&self) {
        self.budget.touch(self.samples);
    }
}
