//! Failed logins, counted: after five for a name, the next five minutes refuse it, as Grafana does.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::clock::Clock;

/// Failures that are allowed within the window.
const MAX_FAILURES: usize = 5;
/// How long a failure counts.
pub(super) const WINDOW_MS: i64 = 5 * 60 * 1000;
/// Names that are watched at a time; the one that failed longest ago makes room.
const MAX_NAMES: usize = 4096;

pub(super) struct LoginLimit {
    failures: Mutex<HashMap<String, Vec<i64>>>,
    clock: Clock,
}

impl LoginLimit {
    pub(super) fn new(clock: Clock) -> Self {
        Self { failures: Mutex::default(), clock }
    }

    /// Whether the name may try.
    pub(super) fn allows(&self, name: &str) -> bool {
        let since = self.clock.now_ms() - WINDOW_MS;
        let failures = self.failures.lock();
        failures
            .get(&key(name))
            .is_none_or(|times| times.iter().filter(|time| **time > since).count() < MAX_FAILURES)
    }

    pub(super) fn note_failure(&self, name: &str) {
        let now = self.clock.now_ms();
        let mut failures = self.failures.lock();
        let key = key(name);
        if failures.len() >= MAX_NAMES && !failures.contains_key(&key) {
            failures.retain(|_, times| times.last().is_some_and(|time| *time > now - WINDOW_MS));
            if failures.len() >= MAX_NAMES {
                let oldest = failures.iter().min_by_key(|(_, times)| times.last().copied());
                if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                    failures.remove(&oldest);
                }
            }
        }
        let times = failures.entry(key).or_default();
        times.retain(|time| *time > now - WINDOW_MS);
        if times.len() < MAX_FAILURES {
            times.push(now);
        }
    }

    pub(super) fn note_success(&self, name: &str) {
        self.failures.lock().remove(&key(name));
    }
}

fn key(name: &str) -> String {
    name.chars().take(100).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    #[test]
    fn five_failures_close_the_door_for_five_minutes() {
        let seconds = Arc::new(AtomicU64::new(1_000_000));
        let now = seconds.clone();
        let limit =
            LoginLimit::new(Clock::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))));
        for _ in 0..5 {
            assert!(limit.allows("admin"));
            limit.note_failure("Admin");
        }
        assert!(!limit.allows("ADMIN"));
        assert!(limit.allows("other"));
        seconds.fetch_add(301, Ordering::SeqCst);
        assert!(limit.allows("admin"));
        limit.note_failure("admin");
        limit.note_success("admin");
        assert!(limit.failures.lock().is_empty());
    }

    #[test]
    fn the_table_is_bounded() {
        let limit = LoginLimit::new(Clock::system());
        for number in 0..MAX_NAMES + 10 {
            limit.note_failure(&number.to_string());
        }
        assert_eq!(limit.failures.lock().len(), MAX_NAMES);
    }
}
