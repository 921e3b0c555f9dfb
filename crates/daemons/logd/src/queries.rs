//! Turns for queries: so many run at a time, so many of a tenant may wait, the others are sent away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use logql::engine::Cancel;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hands out turns. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct QueryGate {
    running: Arc<Semaphore>,
    outstanding: Arc<Mutex<FxHashMap<String, usize>>>,
    max_outstanding: usize,
}

/// A query's turn. It ends when this is dropped, which must be when the work has ended and not before.
#[derive(Debug)]
pub(crate) struct Turn {
    _running: OwnedSemaphorePermit,
    _place: Place,
}

/// A tenant's place in the queue or at work.
#[derive(Debug)]
struct Place {
    outstanding: Arc<Mutex<FxHashMap<String, usize>>>,
    tenant: String,
}

/// Why there is no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// The tenant has too many queries waiting.
    TooMany,
    /// The time was up before the turn came.
    Timeout,
}

/// A running query's end from outside: its client left or its time is up. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    cancel: Cancel,
    stopped: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

/// Why a query has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MustStop {
    /// Its client left.
    Cancelled,
    /// Its time is up.
    Timeout,
}

/// Stops a query when its request goes away.
#[derive(Debug)]
pub(crate) struct StopOnDrop(pub Running);

impl QueryGate {
    /// `max_running` queries at a time, beside them `max_outstanding` of a tenant.
    pub fn new(max_running: usize, max_outstanding: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(max_running.max(1))),
            outstanding: Arc::default(),
            max_outstanding: max_outstanding.max(1),
        }
    }

    /// Waits for a turn.
    pub async fn enter(&self, tenant: &str, limit: Option<Duration>) -> Result<Turn, NoTurn> {
        let place = self.place(tenant).ok_or(NoTurn::TooMany)?;
        let acquired = self.running.clone().acquire_owned();
        let acquired = match limit {
            Some(limit) => tokio::time::timeout(limit, acquired).await.map_err(|_| NoTurn::Timeout)?,
            None => acquired.await,
        };
        // The semaphore is never closed.
        let running = acquired.map_err(|_| NoTurn::Timeout)?;
        Ok(Turn { _running: running, _place: place })
    }

    fn place(&self, tenant: &str) -> Option<Place> {
        let mut outstanding = self.outstanding.lock();
        let count = outstanding.entry(tenant.to_owned()).or_default();
        if *count >= self.max_outstanding {
            return None;
        }
        *count += 1;
        Some(Place { outstanding: self.outstanding.clone(), tenant: tenant.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut outstanding = self.outstanding.lock();
        if let Some(count) = outstanding.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                outstanding.remove(&self.tenant);
            }
        }
    }
}

impl Running {
    /// Stops at the deadline.
    pub fn until(deadline: Option<Instant>) -> Self {
        let cancel = deadline.map_or_else(Cancel::new, Cancel::at);
        Self { cancel, stopped: Arc::default(), deadline }
    }

    /// For the query engine.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// For everyone else: to be asked now and then.
    pub fn check(&self) -> Result<(), MustStop> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(MustStop::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(MustStop::Timeout);
        }
        Ok(())
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
        self.0.cancel.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_tenant_cannot_fill_the_queue() {
        let gate = QueryGate::new(1, 2);
        let short = Some(Duration::from_millis(5));
        let first = gate.enter("a", short).await.expect("a turn");
        assert_eq!(gate.enter("a", short).await.err(), Some(NoTurn::Timeout));
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter("a", None).await.map(drop) }
        });
        testkit::eventually("the second to wait", || async {
            (gate.outstanding.lock().get("a") == Some(&2)).then_some(())
        })
        .await;
        assert_eq!(gate.enter("a", short).await.err(), Some(NoTurn::TooMany));
        assert_eq!(gate.enter("b", short).await.err(), Some(NoTurn::Timeout));
        drop(first);
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
        assert!(gate.outstanding.lock().is_empty());
    }
}
