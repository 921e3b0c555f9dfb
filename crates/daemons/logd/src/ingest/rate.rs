//! How much a tenant and a stream may send: token buckets.

use model::{Labels, Nanos};
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use rustc_hash::FxHashMap;

/// Streams whose buckets are kept before any is looked through for ones that are full again.
const KEEP: usize = 4096;

/// A tenant's buckets.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    tenant: Mutex<Option<Bucket>>,
    streams: Mutex<StreamBuckets>,
}

#[derive(Debug, Default)]
struct StreamBuckets {
    /// By the hash of their labels: streams that share one share a rate, which is of no consequence.
    buckets: FxHashMap<u64, Bucket>,
    prune_at: usize,
}

/// Tokens that come back at a rate, up to a burst.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    tokens: f64,
    rate: f64,
    burst: f64,
    filled_at: Nanos,
}

impl Rates {
    /// Takes `bytes` from the tenant's bucket, all or nothing. Rates are bytes a second.
    pub(super) fn allow(&self, bytes: usize, rate: f64, burst: f64, now: Nanos) -> bool {
        let mut slot = self.tenant.lock();
        let bucket = slot.get_or_insert_with(|| Bucket::new(rate, burst, now));
        bucket.refill(now);
        bucket.take(bytes)
    }

    /// A stream's bucket, filled up to now. Others wait while it is held.
    pub(super) fn stream(
        &self,
        labels: &Labels,
        rate: f64,
        burst: f64,
        now: Nanos,
    ) -> MappedMutexGuard<'_, Bucket> {
        let mut streams = self.streams.lock();
        streams.prune(now);
        MutexGuard::map(streams, |streams| {
            let bucket =
                streams.buckets.entry(labels.hash64()).or_insert_with(|| Bucket::new(rate, burst, now));
            bucket.refill(now);
            bucket
        })
    }
}

impl StreamBuckets {
    /// Forgets buckets that are full again, for a new one would be no different; looks only when there are twice as many as were left.
    fn prune(&mut self, now: Nanos) {
        if self.buckets.len() < self.prune_at.max(KEEP) {
            return;
        }
        self.buckets.retain(|_, bucket| {
            bucket.refill(now);
            bucket.tokens < bucket.burst
        });
        self.prune_at = self.buckets.len() * 2;
    }
}

impl Bucket {
    fn new(rate: f64, burst: f64, now: Nanos) -> Self {
        Self { tokens: burst, rate, burst, filled_at: now }
    }

    /// A clock that was set back adds nothing.
    fn refill(&mut self, now: Nanos) {
        let elapsed = now.saturating_sub(self.filled_at).max(0) as f64 / 1e9;
        self.tokens = (self.tokens + elapsed * self.rate).min(self.burst);
        self.filled_at = now;
    }

    /// Takes `bytes` if there are that many.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let allowed = bytes as f64 <= self.tokens;
        if allowed {
            self.tokens -= bytes as f64;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn all_or_nothing_and_back_at_the_rate() {
        let rates = Rates::default();
        let check = |bytes, at, want| assert_eq!(rates.allow(bytes, 10.0, 20.0, at), want, "{bytes} at {at}");
        check(21, 0, false);
        check(15, 0, true);
        check(6, 0, false);
        check(5, 0, true);
        check(5, SECOND / 4, false);
        check(10, SECOND, true);
        check(20, 100 * SECOND, true);
        check(1, 50 * SECOND, false);
    }

    #[test]
    fn buckets_of_silent_streams_are_forgotten() {
        let rates = Rates::default();
        for n in 0..KEEP * 2 {
            let labels = Labels::from_pairs([("n", n.to_string())]);
            let now = n as Nanos * SECOND;
            assert!(rates.stream(&labels, 1.0, 10.0, now).take(1));
        }
        assert!(rates.streams.lock().buckets.len() <= KEEP + 1);
    }
}
