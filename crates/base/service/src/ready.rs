//! Readiness: a daemon is ready once every part that announced itself has said so.

use std::sync::Arc;

use parking_lot::Mutex;

/// What a daemon still waits for before it answers "ready". Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(u64, String)>,
    next_id: u64,
    stopping: bool,
}

/// One part's promise to become ready. Dropping it says that it has.
#[derive(Debug)]
pub struct Latch {
    readiness: Readiness,
    id: u64,
}

impl Readiness {
    /// Ready, until someone asks to wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// Not ready until the latch is dropped. `what` tells people what is going on: `wal replay`.
    #[must_use = "dropping the latch means ready"]
    pub fn wait_for(&self, what: impl Into<String>) -> Latch {
        let mut state = self.0.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.waiting.push((id, what.into()));
        Latch { readiness: self.clone(), id }
    }

    /// From now on the answer is "stopping".
    pub fn set_stopping(&self) {
        self.0.lock().stopping = true;
    }

    /// Whether the daemon is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.0.lock().stopping
    }

    /// Whether requests can be served.
    pub fn is_ready(&self) -> bool {
        let state = self.0.lock();
        state.waiting.is_empty() && !state.stopping
    }

    /// What is being waited for.
    pub fn pending(&self) -> Vec<String> {
        self.0.lock().waiting.iter().map(|(_, what)| what.clone()).collect()
    }
}

impl Latch {
    /// Says what is going on now: `wal replay, segment 3 of 17`.
    pub fn update(&self, what: impl Into<String>) {
        let mut state = self.readiness.0.lock();
        if let Some(entry) = state.waiting.iter_mut().find(|(id, _)| *id == self.id) {
            entry.1 = what.into();
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.readiness.0.lock().waiting.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_all_parts() {
        let readiness = Readiness::new();
        let replay = readiness.wait_for("wal replay");
        let rules = readiness.wait_for("rules");
        drop(rules);
        replay.update("wal replay, segment 2");
        assert!(!readiness.is_ready());
        assert_eq!(readiness.pending(), ["wal replay, segment 2"]);
        drop(replay);
        assert!(readiness.is_ready());
        readiness.set_stopping();
        assert!(!readiness.is_ready());
    }
}
