//! Sorts alerts into groups and flushes each group when it is its turn.
//!
//! One task keeps the times of all groups; each flush is a task of its own, at most one a group and [`MAX_FLUSHES`] in all.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use model::Labels;
use parking_lot::Mutex;
use routing::{Route, RouteId, RouteTree};
use service::{Stop, Stopper, Tasks};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tracing::{debug, error};

use crate::{
    Alert, Clock, FlushAlert,
    alert::notification_order,
    pipeline::{Flush, Pipeline},
};

/// Most flushes at a time; more wait for their turn.
const MAX_FLUSHES: usize = 2048;
/// Most groups, against labels that make one of each alert.
const MAX_GROUPS: usize = 500_000;
/// How long flushes under way may take to finish when the dispatcher stops.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// A group of alerts as it stands.
#[derive(Debug, Clone)]
pub struct AlertGroup {
    /// Its receiver.
    pub receiver: String,
    /// The labels that make it.
    pub labels: Labels,
    /// The labels of its route, templates run.
    pub route_labels: BTreeMap<String, String>,
    /// Its alerts, in the order of notifications.
    pub alerts: Vec<Arc<Alert>>,
    /// The time intervals that muted it when it was its turn last.
    pub muted_by: Vec<String>,
}

/// Groups under one configuration. Stopped and replaced when that changes.
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    tasks: Tasks,
}

struct Shared {
    tree: Arc<RouteTree>,
    pipeline: Arc<Pipeline>,
    clock: Clock,
    groups: Mutex<Groups>,
    changed: Notify,
    slots: Arc<Semaphore>,
    /// Nothing is flushed before.
    start_at: Instant,
}

#[derive(Default)]
struct Groups {
    by_key: HashMap<GroupId, Group>,
    /// When groups are due; entries of groups that are gone or due at another time are passed over.
    due: BinaryHeap<Reverse<(Instant, GroupId)>>,
}

/// What tells a group from others: its route and its labels.
type GroupId = (RouteId, Labels);

struct Group {
    route: Arc<Route>,
    alerts: HashMap<u64, Arc<Alert>>,
    due: Instant,
    flushing: bool,
    muted_by: Vec<String>,
}

// === impl Dispatcher ===

impl Dispatcher {
    /// Starts the task that keeps the times. `engine` stops it as well as [`Dispatcher::finish`] does, and is stopped if a flush
    /// panics.
    pub fn start(
        tree: Arc<RouteTree>,
        pipeline: Arc<Pipeline>,
        clock: Clock,
        start_at: Instant,
        engine: &Stopper,
    ) -> Self {
        let shared = Arc::new(Shared {
            tree,
            pipeline,
            clock,
            groups: Mutex::default(),
            changed: Notify::new(),
            slots: Arc::new(Semaphore::new(MAX_FLUSHES)),
            start_at,
        });
        let tasks = Tasks::new(&engine.token());
        // The group's end waits for flushes too: the timer owns them.
        tasks.spawn("group timer", run(Arc::clone(&shared), tasks.stop(), engine.clone()));
        Self { shared, tasks }
    }

    /// Sorts an alert into the groups of all routes that match.
    pub fn insert(&self, alert: &Arc<Alert>) {
        for route in self.shared.tree.matching(&alert.labels) {
            self.shared.insert(route, alert);
        }
    }

    /// Stops; flushes under way get a moment to finish.
    pub async fn finish(self) {
        if let Err(error) = self.tasks.finish(STOP_DEADLINE + Duration::from_secs(1)).await {
            error!(%error, "notifications under way were cut off");
        }
    }

    /// The groups of the receivers that `of_receiver` takes, with the alerts that `keep` takes; those without any are left out.
    pub fn groups(
        &self,
        of_receiver: impl Fn(&str) -> bool,
        keep: impl Fn(&Alert) -> bool,
    ) -> Vec<AlertGroup> {
        let mut found = Vec::new();
        {
            let groups = self.shared.groups.lock();
            for ((_, labels), group) in &groups.by_key {
                if !of_receiver(&group.route.options.receiver) {
                    continue;
                }
                let alerts: Vec<_> = group.alerts.values().filter(|alert| keep(alert)).cloned().collect();
                if !alerts.is_empty() {
                    found.push((Arc::clone(&group.route), labels.clone(), alerts, group.muted_by.clone()));
                }
            }
        }
        let mut groups: Vec<AlertGroup> = found
            .into_iter()
            .map(|(route, labels, alerts, muted_by)| self.shared.describe(&route, labels, alerts, muted_by))
            .collect();
        groups.sort_by(|a, b| (&a.labels, &a.receiver).cmp(&(&b.labels, &b.receiver)));
        groups
    }
}

// === impl Shared ===

impl Shared {
    fn insert(&self, route: &Arc<Route>, alert: &Arc<Alert>) {
        let id = (route.id, route.group_labels(&alert.labels));
        let mut groups = self.groups.lock();
        if let Some(group) = groups.by_key.get_mut(&id) {
            group.alerts.insert(alert.fingerprint(), Arc::clone(alert));
            return;
        }
        if groups.by_key.len() >= MAX_GROUPS {
            drop(groups);
            self.pipeline.metrics.group_limit_reached.inc();
            error!(
                alert = alert.name(),
                limit = MAX_GROUPS,
                "too many aggregation groups, the alert is not notified"
            );
            return;
        }
        let wait = route.options.group_wait;
        let wait_ends = alert.starts_at.saturating_add(wait).unwrap_or(Timestamp::MAX);
        // An alert that has been firing for longer than the wait was waited for elsewhere.
        let wait = if wait_ends < self.clock.now() { Duration::ZERO } else { wait };
        let due = (Instant::now() + wait).max(self.start_at);
        let group = Group {
            route: Arc::clone(route),
            alerts: HashMap::from([(alert.fingerprint(), Arc::clone(alert))]),
            due,
            flushing: false,
            muted_by: Vec::new(),
        };
        groups.by_key.insert(id.clone(), group);
        groups.due.push(Reverse((due, id)));
        self.pipeline.metrics.groups.set(groups.by_key.len() as i64);
        drop(groups);
        self.changed.notify_one();
    }

    /// Takes the groups that are due for flushing; also tells when the next one will be.
    fn take_due(&self, now: Instant) -> (Vec<(GroupId, Flush)>, Option<Instant>) {
        let mut groups = self.groups.lock();
        let Groups { by_key, due } = &mut *groups;
        let mut flushes = Vec::new();
        while let Some(Reverse((at, _))) = due.peek() {
            if *at > now {
                return (flushes, Some(*at));
            }
            let Some(Reverse((at, id))) = due.pop() else { break };
            let Some(group) = by_key.get_mut(&id).filter(|group| group.due == at && !group.flushing) else {
                continue;
            };
            group.flushing = true;
            group.due = now + group.route.options.group_interval;
            let flush = self.flush_of(group, &id.1);
            flushes.push((id, flush));
        }
        (flushes, None)
    }

    fn flush_of(&self, group: &Group, group_labels: &Labels) -> Flush {
        let now = self.clock.now();
        let mut alerts: Vec<FlushAlert> = group
            .alerts
            .values()
            .map(|alert| FlushAlert { alert: Arc::clone(alert), resolved: alert.is_resolved_at(now) })
            .collect();
        alerts.sort_by(|a, b| notification_order(&a.alert.labels, &b.alert.labels));
        Flush {
            group_key: group.route.group_key(group_labels),
            route: Arc::clone(&group.route),
            group_labels: group_labels.clone(),
            now,
            alerts,
        }
    }

    async fn flush(self: Arc<Self>, id: GroupId, flush: Flush, stop: Stop, _slot: OwnedSemaphorePermit) {
        debug!(group_key = flush.group_key, alerts = flush.alerts.len(), "flushing");
        let outcome = self.pipeline.run(&flush, &stop).await;
        let mut groups = self.groups.lock();
        let Groups { by_key, due } = &mut *groups;
        let Some(group) = by_key.get_mut(&id) else { return };
        group.flushing = false;
        group.muted_by = outcome.muted_by;
        if outcome.delivered {
            // Those that are over have been told to be, unless they fired again meanwhile.
            for FlushAlert { alert, .. } in flush.alerts.iter().filter(|alert| alert.resolved) {
                let fingerprint = alert.fingerprint();
                if group.alerts.get(&fingerprint).is_some_and(|now| Arc::ptr_eq(now, alert)) {
                    group.alerts.remove(&fingerprint);
                }
            }
        }
        if group.alerts.is_empty() {
            by_key.remove(&id);
            self.pipeline.metrics.groups.set(by_key.len() as i64);
            return;
        }
        due.push(Reverse((group.due, id)));
        drop(groups);
        self.changed.notify_one();
    }

    fn describe(
        &self,
        route: &Arc<Route>,
        labels: Labels,
        mut alerts: Vec<Arc<Alert>>,
        muted_by: Vec<String>,
    ) -> AlertGroup {
        alerts.sort_by(|a, b| notification_order(&a.labels, &b.labels));
        let route_labels = if route.options.labels.is_empty() {
            BTreeMap::new()
        } else {
            let now = self.clock.now();
            let flush = Flush {
                route: Arc::clone(route),
                group_key: route.group_key(&labels),
                group_labels: labels.clone(),
                now,
                alerts: alerts
                    .iter()
                    .map(|alert| FlushAlert { alert: Arc::clone(alert), resolved: alert.is_resolved_at(now) })
                    .collect(),
            };
            self.pipeline.route_labels(&flush, &flush.alerts)
        };
        AlertGroup { receiver: route.options.receiver.clone(), labels, route_labels, alerts, muted_by }
    }
}

/// Flushes groups when they are due, until the stop; then waits for the flushes under way.
async fn run(shared: Arc<Shared>, stop: Stop, engine: Stopper) {
    let flushes = Tasks::new(&stop);
    let flushing = flushes.stop();
    loop {
        let (due, next) = shared.take_due(Instant::now());
        for (id, flush) in due {
            let slot = tokio::select! {
                () = stop.requested() => break,
                slot = Arc::clone(&shared.slots).acquire_owned() => slot,
            };
            let Ok(slot) = slot else { break };
            flushes.spawn("flush", Arc::clone(&shared).flush(id, flush, flushes.stop(), slot));
        }
        let wait = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = flushing.requested() => break,
            () = shared.changed.notified() => {}
            () = wait => {}
        }
    }
    if !stop.is_requested() {
        // A flush panicked: its group would never be told again.
        engine.stop();
    }
    if let Err(error) = flushes.finish(STOP_DEADLINE).await {
        debug!(%error, "flushes did not end in time");
    }
}
