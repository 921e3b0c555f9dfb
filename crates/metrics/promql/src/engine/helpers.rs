//! Threads that help queries.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many threads queries may start beside their own, all together: so many that all processors are busy, not more.
#[derive(Debug)]
pub(crate) struct Helpers {
    free: AtomicUsize,
}

/// Threads that a query may start; they are given back with it.
pub(crate) struct TakenHelpers<'h> {
    helpers: &'h Helpers,
    count: usize,
}

impl Helpers {
    pub(crate) fn new(count: usize) -> Self {
        Self { free: AtomicUsize::new(count) }
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
}

impl TakenHelpers<'_> {
    pub(crate) fn count(&self) -> usize {
        self.count
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
