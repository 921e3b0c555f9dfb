//! What a query may use: samples in memory, and time.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::EngineError;

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
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts what one query uses. One thread owns it.
#[derive(Debug)]
pub(crate) struct Budget {
    max_samples: usize,
    current: Cell<usize>,
    peak: Cell<usize>,
    touched: Cell<u64>,
    read: Cell<u64>,
    deadline: Option<Instant>,
    tokens: Vec<CancelToken>,
}

impl Budget {
    pub(crate) fn new(max_samples: usize, deadline: Option<Instant>, tokens: Vec<CancelToken>) -> Self {
        Self {
            max_samples,
            current: Cell::new(0),
            peak: Cell::new(0),
            touched: Cell::new(0),
            read: Cell::new(0),
            deadline,
            tokens,
        }
    }

    /// Takes `samples` into memory.
    pub(crate) fn charge(&self, samples: usize) -> Result<(), EngineError> {
        let current = self.current.get().saturating_add(samples);
        if current > self.max_samples {
            return Err(EngineError::TooManySamples);
        }
        self.current.set(current);
        self.peak.set(self.peak.get().max(current));
        Ok(())
    }

    /// Frees `samples`.
    pub(crate) fn release(&self, samples: usize) {
        self.current.set(self.current.get().saturating_sub(samples));
    }

    /// Notes that steps used `samples`.
    pub(crate) fn touch(&self, samples: u64) {
        self.touched.set(self.touched.get() + samples);
    }

    /// Notes that `samples` came from the storage.
    pub(crate) fn note_read(&self, samples: u64) {
        self.read.set(self.read.get() + samples);
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
        self.peak.get() as u64
    }

    pub(crate) fn touched(&self) -> u64 {
        self.touched.get()
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.get()
    }
}
