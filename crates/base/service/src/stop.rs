//! An orderly end: a token that says "stop", and groups of named tasks that are waited for.

use std::{
    borrow::Cow,
    future::Future,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, warn};

/// How often a shutdown that takes long names who is still running.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Tells a part when to stop. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

/// Makes everyone who holds a [`Stop`] of it stop.
#[derive(Debug, Clone, Default)]
pub struct Stopper(CancellationToken);

impl Stop {
    /// A token that is never triggered: for tests and programs that run to their end.
    pub fn never() -> Self {
        Self::default()
    }

    /// Waits until the stop is requested. Cancel safe.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether the stop has been requested.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A stopper for some parts below this token: they stop when it says so, or with this token.
    pub fn child(&self) -> Stopper {
        Stopper(self.0.child_token())
    }
}

impl Stopper {
    /// A stopper of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// The token to hand out.
    pub fn token(&self) -> Stop {
        Stop(self.0.clone())
    }

    /// Requests the stop.
    pub fn stop(&self) {
        self.0.cancel();
    }
}

/// Tasks that have one owner. Each has a name and a way out; [`Tasks::finish`] waits for all of them.
///
/// A task that panics is logged and stops the whole group, so that its daemon ends instead of limping on.
#[derive(Debug)]
pub struct Tasks {
    stopper: Stopper,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    tasks: Vec<(Cow<'static, str>, JoinHandle<()>)>,
    /// Length at which ended tasks are looked for: twice what was left the last time, so that spawning stays cheap.
    purge_at: usize,
}

/// Some tasks did not end in time and were aborted.
#[derive(Debug, thiserror::Error)]
#[error("still running when the time was up: {}", .0.join(", "))]
pub struct StillRunning(pub Vec<String>);

impl Tasks {
    /// A group that stops with `parent`, or before it by [`Tasks::finish`].
    pub fn new(parent: &Stop) -> Self {
        Self { stopper: parent.child(), running: Mutex::default() }
    }

    /// The group's token.
    pub fn stop(&self) -> Stop {
        self.stopper.token()
    }

    /// Asks the group to stop without waiting.
    pub fn request_stop(&self) {
        self.stopper.stop();
    }

    /// Runs a task. It gets no token by itself: hand it [`Tasks::stop`].
    pub fn spawn(&self, name: impl Into<Cow<'static, str>>, task: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let guard = PanicGuard { stopper: self.stopper.clone(), name: name.clone(), done: false };
        let handle = tokio::spawn(
            async move {
                let mut guard = guard;
                task.await;
                guard.done = true;
            }
            .in_current_span(),
        );
        let mut running = self.running.lock();
        if running.tasks.len() >= running.purge_at {
            running.tasks.retain(|(_, handle)| !handle.is_finished());
            running.purge_at = 2 * running.tasks.len().max(8);
        }
        running.tasks.push((name, handle));
    }

    /// Stops the group and waits for it, at most `deadline`; then aborts what is left. Nothing should be spawned after that.
    pub async fn finish(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.stopper.stop();
        let until = Instant::now() + deadline;
        let mut running = std::mem::take(&mut self.running.lock().tasks);
        loop {
            running.retain(|(_, handle)| !handle.is_finished());
            let Some((_, handle)) = running.first_mut() else { return Ok(()) };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if tokio::time::timeout(left.min(REPORT_INTERVAL), handle).await.is_err() {
                warn!(pending = names(&running).join(", "), "waiting for tasks to end");
            }
        }
        for (_, handle) in &running {
            handle.abort();
        }
        Err(StillRunning(names(&running)))
    }
}

fn names(running: &[(Cow<'static, str>, JoinHandle<()>)]) -> Vec<String> {
    running.iter().map(|(name, _)| name.to_string()).collect()
}

struct PanicGuard {
    stopper: Stopper,
    name: Cow<'static, str>,
    done: bool,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if !self.done && std::thread::panicking() {
            error!(task = %self.name, "BUG: task panicked, stopping");
            self.stopper.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn finish_waits_for_every_task() {
        let root = Stopper::new();
        let tasks = Tasks::new(&root.token());
        let flushed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (stop, seen) = (tasks.stop(), flushed.clone());
        tasks.spawn("flusher", async move {
            stop.requested().await;
            tokio::task::yield_now().await;
            seen.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        tasks.finish(Duration::from_secs(5)).await.expect("ends in time");
        assert!(flushed.load(std::sync::atomic::Ordering::SeqCst));
    }

    #[tokio::test(start_paused = true)]
    async fn finish_names_who_hangs() {
        let tasks = Tasks::new(&Stop::never());
        tasks.spawn("hanger", std::future::pending());
        let error = tasks.finish(Duration::from_millis(20)).await.expect_err("hangs");
        assert_eq!(error.to_string(), "still running when the time was up: hanger");
    }

    #[tokio::test]
    async fn a_panic_stops_the_group() {
        let tasks = Tasks::new(&Stop::never());
        let stop = tasks.stop();
        tasks.spawn("broken", async { panic!("on purpose") });
        stop.requested().await;
    }

    #[tokio::test]
    async fn children_stop_with_their_parent() {
        let root = Stopper::new();
        let child = root.token().child();
        root.stop();
        child.token().requested().await;
        assert!(child.token().is_requested());
    }
}
