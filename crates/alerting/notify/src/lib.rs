//! From alerts to notifications: grouping, muting, deduplication, retries and the receivers themselves.
//!
//! [`Engine`] is the whole: it takes alerts, keeps them in groups by the route tree, and tells receivers about the groups. What it
//! told is in a notification log, so that a restart does not tell it again. Silences live beside it. The configuration comes as a
//! [`Setup`] and can be replaced while it runs.
//!
//! The way of a group's alerts to a receiver is the folder `pipeline`, one stage a file: `inhibit`, `time_intervals`, `silence`,
//! then for each integration `dedup`, `retry`, `set_notifies`. There is no stage that waits for peers: there is no cluster.
//!
//! It is not an API server, and it does not read configuration files: it owns the shapes of `global` and `receivers` and leaves the
//! file to its caller.

#![forbid(unsafe_code)]

mod alert;
mod alerts;
mod clock;
mod dispatch;
mod engine;
mod inhibitor;
mod log;
mod message;
mod message_value;
mod metrics;
mod notifier;
mod pipeline;
mod receivers;
mod silences;
mod snapshots;
mod templates;
mod times;

#[cfg(test)]
mod test_support;

pub use alert::{Alert, FlushAlert, InvalidAlert};
pub use clock::Clock;
pub use dispatch::AlertGroup;
pub use engine::{AlertStatus, Engine, EngineOptions, OpenError, Setup};
pub use message::{AlertData, Data, Message};
pub(crate) use notifier::FailureReason;
pub use notifier::{Integration, Notifier, NotifyError};
pub use pipeline::NotifyReason;
pub use receivers::{BuildContext, GlobalConfig, ReceiverError, ReceiverFile};
pub use silences::{Silence, SilenceError, SilenceLimits, SilenceState};
pub use snapshots::{DirSnapshots, MemorySnapshots, Snapshots};
pub use templates::{RenderError, TemplateError, Templates};
