//! The time, as the host tells it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::gotime::Time;

/// What time it is, and which zone counts as local.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    local: TimeZone,
}

impl Clock {
    /// A clock of the host's.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, local: TimeZone) -> Clock {
        Clock { now: Arc::new(now), local }
    }

    /// The system's clock and zone.
    pub fn system() -> Clock {
        Clock::new(Timestamp::now, TimeZone::system())
    }

    /// A clock that stands still, in UTC.
    pub fn fixed(now: Timestamp) -> Clock {
        Clock::new(move || now, TimeZone::UTC)
    }

    /// The time, in the local zone.
    pub fn now(&self) -> Time {
        Time::new((self.now)(), self.local.clone())
    }

    /// The local zone.
    pub fn local(&self) -> &TimeZone {
        &self.local
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("local", &self.local).finish_non_exhaustive()
    }
}
