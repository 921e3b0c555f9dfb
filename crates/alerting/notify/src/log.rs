//! The notification log: what was told to whom and when, so that nobody is told twice.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use service::Stop;
use tokio::sync::Notify;
use tracing::warn;

use crate::{Snapshots, snapshots};

/// The document's name.
pub(crate) const SNAPSHOT: &str = "nflog";
/// Shortest time between two writes: a burst of notifications becomes one write.
const WRITE_PAUSE: Duration = Duration::from_millis(100);

/// Who is told what: one integration of one receiver, about one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct LogKey {
    pub group_key: String,
    pub receiver: String,
    pub integration: String,
    pub index: usize,
}

/// What was told last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogEntry {
    /// Fingerprints of the alerts that fired, sorted.
    pub firing: Vec<u64>,
    /// Fingerprints of the alerts that were over, sorted.
    pub resolved: Vec<u64>,
    /// When.
    #[serde(with = "crate::times")]
    pub told_at: Timestamp,
    /// When the entry may be forgotten.
    #[serde(with = "crate::times")]
    pub expires_at: Timestamp,
}

/// The log. Changes are written to the snapshot within moments, by [`NotificationLog::run`].
pub(crate) struct NotificationLog {
    entries: Mutex<HashMap<LogKey, LogEntry>>,
    changed: Notify,
    snapshots: Arc<dyn Snapshots>,
    retention: Duration,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    entries: Vec<(LogKey, LogEntry)>,
}

impl NotificationLog {
    /// Reads the snapshot. Entries are forgotten after `retention`.
    pub fn open(snapshots: Arc<dyn Snapshots>, retention: Duration) -> io::Result<Self> {
        let document: Document = snapshots::load(&*snapshots, SNAPSHOT)?;
        let entries = Mutex::new(document.entries.into_iter().collect());
        Ok(Self { entries, changed: Notify::new(), snapshots, retention })
    }

    pub fn get(&self, key: &LogKey) -> Option<LogEntry> {
        self.entries.lock().get(key).cloned()
    }

    /// Notes that `key` was told; the entry is kept for `keep` or the retention, whichever is shorter.
    pub fn set(&self, key: LogKey, firing: Vec<u64>, resolved: Vec<u64>, now: Timestamp, keep: Duration) {
        let expires_at = now.saturating_add(keep.min(self.retention)).unwrap_or(Timestamp::MAX);
        self.entries.lock().insert(key, LogEntry { firing, resolved, told_at: now, expires_at });
        self.changed.notify_one();
    }

    pub fn collect_garbage(&self, now: Timestamp) {
        let mut entries = self.entries.lock();
        let before = entries.len();
        entries.retain(|_, entry| entry.expires_at > now);
        if entries.len() < before {
            self.changed.notify_one();
        }
    }

    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Writes changes until the stop, and then what is left.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => break,
                () = self.changed.notified() => {}
            }
            self.write().await;
            tokio::select! {
                () = stop.requested() => break,
                () = tokio::time::sleep(WRITE_PAUSE) => {}
            }
        }
        self.write().await;
    }

    async fn write(self: &Arc<Self>) {
        let log = Arc::clone(self);
        let outcome = service::spawn_blocking(move || {
            let entries = log.entries.lock().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            snapshots::save(&*log.snapshots, SNAPSHOT, &Document { entries })
        })
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = outcome {
            warn!(%error, "cannot write the notification log, a restart may notify again");
        }
    }
}
