//! Threads that help queries.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

/// Threads beside the ones that queries are called on, for all queries together: so many that all processors are busy, not more.
///
/// They stay, since a query over some hundred series takes little more time than starting a thread.
#[derive(Debug)]
pub(crate) struct Helpers {
    count: usize,
    /// Started by the first query that has use for them, since many an engine only reads queries; none where that cannot be.
    pool: OnceLock<Option<ThreadPool>>,
    free: AtomicUsize,
}

/// Threads that a query has; they are given back with it.
pub(crate) struct TakenHelpers<'h> {
    helpers: &'h Helpers,
    count: usize,
}

impl Helpers {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, pool: OnceLock::new(), free: AtomicUsize::new(count) }
    }

    /// Takes as many as are free, at most `most`.
    pub(crate) fn take(&self, most: usize) -> TakenHelpers<'_> {
        let mut count = 0;
        if most > 0 {
            let rest = |free: usize| Some(free.saturating_sub(most));
            let free = self.free.fetch_update(Relaxed, Relaxed, rest).unwrap_or(0);
            count = free.min(most);
        }
        TakenHelpers { helpers: self, count }
    }

    fn pool(&self) -> Option<&ThreadPool> {
        let build = || {
            let name = |_| "query".to_owned();
            ThreadPoolBuilder::new().num_threads(self.count).thread_name(name).build().ok()
        };
        self.pool.get_or_init(build).as_ref()
    }
}

impl TakenHelpers<'_> {
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Does `work` on the calling thread while each of the helpers does `help`; all have ended when it returns. A panic of one of them goes
    /// on in the calling thread.
    pub(crate) fn beside<R>(&self, help: impl Fn() + Sync, work: impl FnOnce() -> R) -> R {
        // Alone the query takes longer, that is all. For the builder, no threads would mean one a processor.
        let Some(pool) = Some(self.helpers).filter(|_| self.count > 0).and_then(Helpers::pool) else {
            return work();
        };
        pool.in_place_scope(|scope| {
            for _ in 0..self.count {
                scope.spawn(|_| help());
            }
            work()
        })
    }
}

impl Drop for TakenHelpers<'_> {
    fn drop(&mut self) {
        self.helpers.free.fetch_add(self.count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Helpers;

    #[test]
    fn are_given_back() {
        let helpers = Helpers::new(3);
        let two = helpers.take(2);
        let rest = helpers.take(usize::MAX);
        assert_eq!((two.count(), rest.count(), helpers.take(1).count()), (2, 1, 0));
        drop(rest);
        assert_eq!((helpers.take(0).count(), helpers.take(5).count()), (0, 1));
        drop(two);
        assert_eq!(helpers.take(5).count(), 3);
    }
}
