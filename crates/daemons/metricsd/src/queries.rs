//! The queries that wait for their turn or run, so that they can be seen and stopped. As many run at a time as `--query.max-concurrency`
//! says; those of rules take no turn, their groups have a limit of their own.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use promql::CancelToken;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// All queries of the daemon that are not answered yet.
#[derive(Debug)]
pub(crate) struct Queries {
    turns: Arc<Semaphore>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next_id: u64,
    by_id: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    query: Arc<str>,
    state: QueryState,
    asked: Instant,
    cancel: CancelToken,
    /// Wakes the query while it waits.
    canceled: Arc<Notify>,
}

/// What an open query does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryState {
    /// It waits until another one ends.
    Waiting,
    /// It is evaluated.
    Running,
}

/// An open query, as it is shown.
#[derive(Debug)]
pub(crate) struct OpenQuery {
    /// Names it while it is open.
    pub id: u64,
    pub query: Arc<str>,
    pub state: QueryState,
    /// Since it was asked.
    pub age: Duration,
}

/// Why a query did not get its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoTurn {
    #[error("query timed out in query queue")]
    Timeout,
    #[error("query was canceled in query queue")]
    Canceled,
}

/// A query that runs. It is on the list and has its turn until this is dropped: keep it with the work, not with who waits for it.
#[derive(Debug)]
pub(crate) struct Running {
    _listed: Listed,
    _turn: Option<OwnedSemaphorePermit>,
}

/// Takes a query off the list when dropped.
#[derive(Debug)]
struct Listed {
    queries: Arc<Queries>,
    id: u64,
    canceled: Arc<Notify>,
}

impl Queries {
    /// A list of which `turns` run at a time.
    pub fn new(turns: usize) -> Arc<Self> {
        Arc::new(Self { turns: Arc::new(Semaphore::new(turns.max(1))), open: Mutex::default() })
    }

    /// Waits for a query's turn, at most for `timeout`; without time left there is none, as in the original.
    pub async fn wait(
        self: &Arc<Self>,
        query: &str,
        timeout: Duration,
        cancel: &CancelToken,
    ) -> Result<Running, NoTurn> {
        if timeout.is_zero() {
            return Err(NoTurn::Timeout);
        }
        let listed = self.list_as(QueryState::Waiting, query, cancel);
        let turn = tokio::select! {
            // Whoever is stopped does not run, even where its turn has come.
            biased;
            () = listed.canceled.notified() => return Err(NoTurn::Canceled),
            turn = self.turns.clone().acquire_owned() => turn.map_err(|_| NoTurn::Canceled)?,
            () = tokio::time::sleep(timeout) => return Err(NoTurn::Timeout),
        };
        if let Some(entry) = self.open.lock().by_id.get_mut(&listed.id) {
            entry.state = QueryState::Running;
        }
        Ok(Running { _listed: listed, _turn: Some(turn) })
    }

    /// Lists a query that runs at once.
    pub fn run(self: &Arc<Self>, query: &str, cancel: &CancelToken) -> Running {
        Running { _listed: self.list_as(QueryState::Running, query, cancel), _turn: None }
    }

    /// All open queries, the oldest first.
    pub fn list(&self) -> Vec<OpenQuery> {
        let open = self.open.lock();
        let shown = |(id, entry): (&u64, &Entry)| OpenQuery {
            id: *id,
            query: entry.query.clone(),
            state: entry.state,
            age: entry.asked.elapsed(),
        };
        open.by_id.iter().map(shown).collect()
    }

    /// Stops a query; whether there was one with this number.
    pub fn cancel(&self, id: u64) -> bool {
        let open = self.open.lock();
        let Some(entry) = open.by_id.get(&id) else { return false };
        entry.cancel.cancel();
        entry.canceled.notify_one();
        true
    }

    fn list_as(self: &Arc<Self>, state: QueryState, query: &str, cancel: &CancelToken) -> Listed {
        let canceled = Arc::new(Notify::new());
        let entry = Entry {
            query: query.into(),
            state,
            asked: Instant::now(),
            cancel: cancel.clone(),
            canceled: canceled.clone(),
        };
        let mut open = self.open.lock();
        open.next_id += 1;
        let id = open.next_id;
        open.by_id.insert(id, entry);
        Listed { queries: self.clone(), id, canceled }
    }
}

impl QueryState {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.queries.open.lock().by_id.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn states(queries: &Queries) -> Vec<(u64, QueryState)> {
        queries.list().iter().map(|query| (query.id, query.state)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn one_waits_until_the_other_ends() {
        let queries = Queries::new(1);
        let token = CancelToken::new();
        let first = queries.wait("a", LONG, &token).await.expect("free");
        let second = tokio::spawn({
            let (queries, token) = (queries.clone(), token.clone());
            async move { queries.wait("b", LONG, &token).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(states(&queries), [(1, QueryState::Running), (2, QueryState::Waiting)]);
        drop(first);
        let second = second.await.expect("joins").expect("its turn");
        assert_eq!(states(&queries), [(2, QueryState::Running)]);
        drop(second);
        assert!(queries.list().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_the_time_or_when_it_is_stopped() {
        let queries = Queries::new(1);
        let token = CancelToken::new();
        let _running = queries.run("of a rule takes no turn", &token);
        let _first = queries.wait("a", LONG, &token).await.expect("free");
        assert_eq!(queries.wait("b", LONG, &token).await.err(), Some(NoTurn::Timeout));
        assert_eq!(queries.wait("c", Duration::ZERO, &token).await.err(), Some(NoTurn::Timeout));
        let own = CancelToken::new();
        let waiting = tokio::spawn({
            let (queries, own) = (queries.clone(), own.clone());
            async move { queries.wait("d", LONG, &own).await.err() }
        });
        tokio::task::yield_now().await;
        let id = queries.list().last().expect("listed").id;
        assert!(queries.cancel(id) && own.is_canceled());
        assert_eq!(waiting.await.expect("joins"), Some(NoTurn::Canceled));
        assert!(!queries.cancel(id) && !token.is_canceled());
    }
}
