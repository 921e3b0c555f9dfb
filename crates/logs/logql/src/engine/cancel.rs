//! Stopping a query.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::EngineError;

/// Tells a running query to stop: its client left, someone killed it, or its time is up. Clones share the switch.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    stopped: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// Never stops by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops at a moment.
    pub fn at(deadline: Instant) -> Self {
        Self { stopped: Arc::default(), deadline: Some(deadline) }
    }

    /// Stops the query soon: within a batch or a few thousand rows.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Fails when the query has to stop.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(EngineError::cancelled());
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(EngineError::timeout());
        }
        Ok(())
    }
}
