//! What people who use the server should know now: shown by the API for as long as it holds, and told to those who follow it live.

use std::{collections::VecDeque, sync::Arc};

use model::Millis;
use parking_lot::Mutex;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use tokio::sync::broadcast::{self, error::RecvError};

/// Notifications that wait for a follower that does not read; older ones are dropped.
const WAITING: usize = 16;

pub(crate) const RELOAD_FAILED: &str = "Configuration reload has failed.";
pub(crate) const STARTING: &str = "Prometheus is starting and replaying the write-ahead log (WAL).";
pub(crate) const STOPPING: &str = "Prometheus is shutting down and gracefully stopping all operations.";

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub text: &'static str,
    /// When it began to hold, or was said again.
    pub date: Millis,
    /// Whether it still holds.
    pub active: bool,
}

/// All that holds, and who follows.
#[derive(Debug)]
pub(crate) struct Notifications {
    max_followers: usize,
    inner: Mutex<Inner>,
    followers: Gauge,
    sent: Counter,
    dropped: Counter,
}

#[derive(Debug)]
struct Inner {
    active: Vec<Notification>,
    /// None once the daemon ends: followers are sent away.
    sender: Option<broadcast::Sender<Notification>>,
}

/// One who is told what holds, and what changes from then on.
#[derive(Debug)]
pub(crate) struct Follower {
    notifications: Arc<Notifications>,
    first: VecDeque<Notification>,
    receiver: broadcast::Receiver<Notification>,
}

impl Notifications {
    /// None so far; metrics under Prometheus' names.
    pub fn new(max_followers: usize, registry: &mut Registry) -> Arc<Self> {
        let inner = Inner { active: Vec::new(), sender: Some(broadcast::Sender::new(WAITING)) };
        let notifications = Self {
            max_followers,
            inner: Mutex::new(inner),
            followers: Gauge::default(),
            sent: Counter::default(),
            dropped: Counter::default(),
        };
        registry.register(
            "prometheus_api_notification_active_subscribers",
            "The current number of active notification subscribers",
            notifications.followers.clone(),
        );
        registry.register(
            "prometheus_api_notification_updates_sent",
            "Total number of notification updates sent",
            notifications.sent.clone(),
        );
        registry.register(
            "prometheus_api_notification_updates_dropped",
            "Total number of notification updates dropped",
            notifications.dropped.clone(),
        );
        Arc::new(notifications)
    }

    /// From now on `text` holds; said again it has a new date.
    pub fn add(&self, text: &'static str, now: Millis) {
        let mut inner = self.inner.lock();
        inner.active.retain(|known| known.text != text);
        let notification = Notification { text, date: now, active: true };
        inner.active.push(notification.clone());
        inner.tell(notification);
    }

    /// `text` does not hold any more.
    pub fn remove(&self, text: &'static str) {
        let mut inner = self.inner.lock();
        if let Some(at) = inner.active.iter().position(|known| known.text == text) {
            let gone = inner.active.remove(at);
            inner.tell(Notification { active: false, ..gone });
        }
    }

    /// What holds now.
    pub fn active(&self) -> Vec<Notification> {
        self.inner.lock().active.clone()
    }

    /// Sends all followers away, once they have what was said.
    pub fn close(&self) {
        self.inner.lock().sender = None;
    }

    /// One more follower, if there may be one.
    pub fn follow(self: &Arc<Self>) -> Option<Follower> {
        let inner = self.inner.lock();
        let sender = inner.sender.as_ref()?;
        if sender.receiver_count() >= self.max_followers {
            return None;
        }
        self.followers.inc();
        Some(Follower {
            notifications: self.clone(),
            first: inner.active.clone().into(),
            receiver: sender.subscribe(),
        })
    }
}

impl Inner {
    fn tell(&self, notification: Notification) {
        if let Some(sender) = &self.sender {
            // It fails where nobody follows.
            let _ = sender.send(notification);
        }
    }
}

impl Follower {
    /// The next one to be told; `None` at the daemon's end.
    pub async fn next(&mut self) -> Option<Notification> {
        if let Some(notification) = self.first.pop_front() {
            return Some(notification);
        }
        loop {
            match self.receiver.recv().await {
                Ok(notification) => {
                    self.notifications.sent.inc();
                    return Some(notification);
                }
                Err(RecvError::Lagged(missed)) => {
                    self.notifications.dropped.inc_by(missed);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.notifications.followers.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn followers_are_told_what_holds_and_what_changes() {
        let notifications = Notifications::new(1, &mut Registry::default());
        notifications.add(STARTING, 1);
        notifications.add(RELOAD_FAILED, 2);
        let mut follower = notifications.follow().expect("the first");
        assert!(notifications.follow().is_none());
        notifications.remove(STARTING);
        notifications.add(RELOAD_FAILED, 3);
        notifications.close();
        let mut told = Vec::new();
        while let Some(Notification { text, date, active }) = follower.next().await {
            told.push((text, date, active));
        }
        assert_eq!(
            told,
            [(STARTING, 1, true), (RELOAD_FAILED, 2, true), (STARTING, 1, false), (RELOAD_FAILED, 3, true)]
        );
        assert_eq!(notifications.active().len(), 1);
        assert!(notifications.follow().is_none());
    }
}
