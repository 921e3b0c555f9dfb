//! What a query may use: memory, as samples and as bytes, and time.

use std::{
    iter::Sum,
    ops::Add,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use model::{Labels, Millis};

use super::EngineError;
use crate::exec::Series;

/// Samples between two looks at whether the query may go on: a few milliseconds of work.
const CHECK_EVERY: u64 = 1 << 20;

/// Bytes of a sample in a row, and of one that has its time beside it.
const ROW_BYTES: usize = size_of::<f64>();
const COLUMNS_BYTES: usize = ROW_BYTES + size_of::<Millis>();

/// What something takes of a query's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Samples as Prometheus counts them, for `--query.max-samples`.
    pub(crate) samples: usize,
    /// About how many bytes, labels included.
    pub(crate) bytes: usize,
}

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
    samples: Meter,
    bytes: Meter,
    peak_samples: AtomicUsize,
    read: AtomicU64,
    deadline: Option<Instant>,
    tokens: Vec<CancelToken>,
}

/// How much there is of something, and how much there may be.
#[derive(Debug)]
struct Meter {
    most: usize,
    current: AtomicUsize,
}

impl Memory {
    /// Samples in rows.
    pub(crate) fn of_rows(samples: usize) -> Self {
        Self { samples, bytes: samples.saturating_mul(ROW_BYTES) }
    }

    /// Samples in columns.
    pub(crate) fn of_columns(samples: usize) -> Self {
        Self { samples, bytes: samples.saturating_mul(COLUMNS_BYTES) }
    }

    /// These samples as a series with labels.
    pub(crate) fn with_labels(self, labels: &Labels) -> Self {
        Self { bytes: self.bytes.saturating_add(size_of::<Series>() + labels.heap_bytes()), ..self }
    }

    fn since(self, before: Self) -> Self {
        Self {
            samples: self.samples.saturating_sub(before.samples),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }

    fn max(self, other: Self) -> Self {
        Self { samples: self.samples.max(other.samples), bytes: self.bytes.max(other.bytes) }
    }
}

impl Add for Memory {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            samples: self.samples.saturating_add(other.samples),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

impl Meter {
    fn new(most: usize) -> Self {
        Self { most, current: AtomicUsize::new(0) }
    }

    /// What there was before; none where there would be too much.
    fn add(&self, amount: usize) -> Option<usize> {
        let add = |current: usize| current.checked_add(amount).filter(|sum| *sum <= self.most);
        self.current.fetch_update(Relaxed, Relaxed, add).ok()
    }

    fn sub(&self, amount: usize) {
        let before = self.current.fetch_sub(amount, Relaxed);
        debug_assert!(before >= amount, "BUG: more was released than charged");
    }
}

impl Budget {
    /// `most` is the most memory at once; `usize::MAX` is no bound.
    pub(crate) fn new(most: Memory, deadline: Option<Instant>, tokens: Vec<CancelToken>) -> Self {
        Self {
            samples: Meter::new(most.samples),
            bytes: Meter::new(most.bytes),
            peak_samples: AtomicUsize::new(0),
            read: AtomicU64::new(0),
            deadline,
            tokens,
        }
    }

    /// Takes memory.
    pub(crate) fn charge(&self, Memory { samples, bytes }: Memory) -> Result<(), EngineError> {
        let before = self.samples.add(samples).ok_or(EngineError::TooManySamples)?;
        self.peak_samples.fetch_max(before + samples, Relaxed);
        self.bytes.add(bytes).map(|_| ()).ok_or(EngineError::TooManyBytes(self.bytes.most))
    }

    /// Gives memory back.
    pub(crate) fn release(&self, Memory { samples, bytes }: Memory) {
        self.samples.sub(samples);
        self.bytes.sub(bytes);
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
        self.peak_samples.load(Relaxed) as u64
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }
}

/// What something that grows has taken of a query's budget; it is given back with the account.
///
/// Threads have one for their buffers, which they use again and again: they would else wait for each other at every series.
#[derive(Debug)]
pub(crate) struct Account<'b> {
    budget: &'b Budget,
    /// The most there was.
    held: Memory,
    read: u64,
}

impl<'b> Account<'b> {
    pub(crate) fn new(budget: &'b Budget) -> Self {
        Self { budget, held: Memory::default(), read: 0 }
    }

    /// Notes that a buffer was filled with `samples` from the storage.
    pub(crate) fn fill(&mut self, samples: usize) -> Result<(), EngineError> {
        self.read += samples as u64;
        self.hold(Memory::of_columns(samples))
    }

    /// Pays for memory that has grown to so much.
    pub(crate) fn hold(&mut self, memory: Memory) -> Result<(), EngineError> {
        let more = memory.since(self.held);
        if more != Memory::default() {
            self.budget.charge(more)?;
            self.held = memory.max(self.held);
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

/// Looks now and then whether the query may go on, by the samples that the windows of one series use.
pub(crate) struct Pace<'b> {
    budget: &'b Budget,
    samples: u64,
    checked_at: u64,
}

impl<'b> Pace<'b> {
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
}
