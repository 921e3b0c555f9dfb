//! What time it is, as told by whoever runs the engine.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// Tells the time. Cheap to clone. Waiting is the runtime's: tests pause both together, see [`Clock::following_runtime`].
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock of the caller's.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Shows `start` now and goes on with the runtime's time, which tests can pause and which then jumps over waits.
    pub fn following_runtime(start: Timestamp) -> Self {
        let origin = tokio::time::Instant::now();
        Self::new(move || start + origin.elapsed())
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
