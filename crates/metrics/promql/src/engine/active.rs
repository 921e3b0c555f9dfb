//! The queries that run at this moment, so that they can be seen and stopped.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;

use super::CancelToken;

/// A running query.
#[derive(Debug, Clone)]
pub struct ActiveQuery {
    /// Names it while it runs.
    pub id: u64,
    /// Its text.
    pub query: String,
    /// When it began.
    pub started: Instant,
    cancel: CancelToken,
}

/// All running queries of an engine.
#[derive(Debug, Default)]
pub(super) struct ActiveQueries {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    queries: Vec<ActiveQuery>,
}

/// Takes the query off the list when dropped.
pub(super) struct ActiveGuard {
    owner: Arc<ActiveQueries>,
    id: u64,
}

impl ActiveQueries {
    pub(super) fn register(self: &Arc<Self>, query: &str, cancel: &CancelToken) -> ActiveGuard {
        let mut inner = self.inner.lock();
        inner.next_id += 1;
        let id = inner.next_id;
        inner.queries.push(ActiveQuery {
            id,
            query: query.to_owned(),
            started: Instant::now(),
            cancel: cancel.clone(),
        });
        ActiveGuard { owner: Arc::clone(self), id }
    }

    pub(super) fn list(&self) -> Vec<ActiveQuery> {
        self.inner.lock().queries.clone()
    }

    /// Whether there was such a query.
    pub(super) fn cancel(&self, id: u64) -> bool {
        let inner = self.inner.lock();
        let query = inner.queries.iter().find(|query| query.id == id);
        if let Some(query) = query {
            query.cancel.cancel();
        }
        query.is_some()
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.owner.inner.lock().queries.retain(|query| query.id != self.id);
    }
}
