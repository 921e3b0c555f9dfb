//! All groups of all rule files: each with its own task, changed in place by a reload.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::Millis;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use service::{StillRunning, Stop, Stopper, Tasks};
use tokio::sync::Semaphore;
use tracing::error;

use crate::{
    Evaluator, ExpandContext, Group, GroupStatus, Notification, Notifier, RuleFile, alerting_rule::millis,
    group::Evaluation, metrics::RuleMetrics,
};

/// Settings that do not change while the daemon runs.
#[derive(Debug, Clone)]
pub struct ManagerOptions {
    /// `--rules.alert.for-outage-tolerance`: how long the daemon may have been down for alerts to find their state again.
    pub outage_tolerance: Duration,
    /// `--rules.alert.for-grace-period`: the least time an alert stays pending after a restart.
    pub grace_period: Duration,
    /// `--rules.alert.resend-delay`: pause between two sendings of a firing alert.
    pub resend_delay: Duration,
    /// `--rules.max-concurrent-evals`: groups that are evaluated at a time.
    pub max_concurrent: usize,
    /// What the metrics' names begin with: `prometheus`, `loki`.
    pub metric_prefix: &'static str,
}

impl Default for ManagerOptions {
    fn default() -> Self {
        Self {
            outage_tolerance: Duration::from_secs(3600),
            grace_period: Duration::from_secs(600),
            resend_delay: Duration::from_secs(60),
            max_concurrent: 4,
            metric_prefix: "prometheus",
        }
    }
}

/// Evaluates rule groups.
pub struct Manager {
    shared: Arc<Shared>,
    groups: Mutex<BTreeMap<(PathBuf, String), Running>>,
    tasks: Tasks,
    shutdown: Stop,
    started: Mutex<bool>,
}

struct Shared {
    evaluator: Arc<dyn Evaluator>,
    notifier: Arc<Notifier>,
    options: ManagerOptions,
    metrics: RuleMetrics,
    permits: Semaphore,
    context: Mutex<Arc<ExpandContext>>,
}

struct Running {
    group: Arc<Group>,
    stopper: Stopper,
}

impl Manager {
    /// A manager without groups.
    pub fn new(
        evaluator: Arc<dyn Evaluator>,
        notifier: Arc<Notifier>,
        options: ManagerOptions,
        registry: &mut Registry,
        shutdown: &Stop,
    ) -> Self {
        let metrics = RuleMetrics::register(registry, options.metric_prefix);
        let permits = Semaphore::new(options.max_concurrent.max(1));
        let shared = Shared { evaluator, notifier, options, metrics, permits, context: Mutex::default() };
        Self {
            shared: Arc::new(shared),
            groups: Mutex::default(),
            tasks: Tasks::new(&Stop::never()),
            shutdown: shutdown.clone(),
            started: Mutex::new(false),
        }
    }

    /// Puts rule files in force. Groups that did not change go on; changed ones keep their alerts; what is gone ends.
    pub fn apply(
        &self,
        files: Vec<(PathBuf, RuleFile)>,
        interval: Duration,
        query_offset: Duration,
        context: ExpandContext,
    ) {
        *self.shared.context.lock() = Arc::new(context);
        let is_first = !std::mem::replace(&mut *self.started.lock(), true);
        let mut groups = self.groups.lock();
        let mut before = std::mem::take(&mut *groups);
        for (file, contents) in files {
            for source in contents.groups {
                let group = Group::new(file.clone(), source, interval, query_offset);
                let key = (file.clone(), group.name.clone());
                match before.remove(&key) {
                    Some(running) if running.group.is_same(&group) => {
                        groups.insert(key, running);
                        continue;
                    }
                    Some(changed) => {
                        // The old task ends without ending the series; its evaluation under way is the last before the new one's.
                        group.take_over(&changed.group);
                        changed.stopper.stop();
                    }
                    None if is_first => {}
                    None => group.set_restored(),
                }
                let group = Arc::new(group);
                let stopper = self.shutdown.child();
                let evaluating = evaluate_until(self.shared.clone(), group.clone(), stopper.token());
                self.tasks.spawn(format!("rule group {}", group.name), evaluating);
                groups.insert(key, Running { group, stopper });
            }
        }
        for running in before.into_values() {
            running.stopper.stop();
            self.shared.metrics.forget(&running.group.metric_labels());
            let shared = self.shared.clone();
            self.tasks.spawn(format!("end of rule group {}", running.group.name), async move {
                let ending = move || running.group.end(shared.evaluator.as_ref(), now());
                if let Err(error) = service::spawn_blocking(ending).await {
                    error!(%error, "BUG: ending a rule group panicked");
                }
            });
        }
    }

    /// How all groups stand, by file and name.
    pub fn groups(&self) -> Vec<GroupStatus> {
        let groups: Vec<Arc<Group>> =
            self.groups.lock().values().map(|running| running.group.clone()).collect();
        groups.iter().map(|group| group.status()).collect()
    }

    /// Waits for evaluations under way to end. Call it after the shutdown was requested, before the storage closes.
    pub async fn stop(&self, deadline: Duration) -> Result<(), StillRunning> {
        for running in self.groups.lock().values() {
            running.stopper.stop();
        }
        self.tasks.finish(deadline).await
    }
}

async fn evaluate_until(shared: Arc<Shared>, group: Arc<Group>, stop: Stop) {
    let interval = millis(group.interval).max(1);
    let mut due = {
        let now = now();
        let base = now - now.rem_euclid(interval) + group.phase();
        if base >= now { base } else { base + interval }
    };
    let labels = group.metric_labels();
    // Counters begin at zero, so that the first failure is an increase.
    for counter in [&shared.metrics.evaluations, &shared.metrics.failures, &shared.metrics.iterations_missed]
    {
        drop(counter.get_or_create(&labels));
    }
    let evaluator = shared.evaluator.clone().for_group(&group.file, &group.name);
    loop {
        let wait = Duration::from_millis((due - now()).max(0) as u64);
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(wait) => {}
        }
        let Ok(permit) = shared.permits.acquire().await else { return };
        let (at, evaluated, group, evaluator) = (due, shared.clone(), group.clone(), evaluator.clone());
        let alerts = service::spawn_blocking(move || {
            let context = evaluated.context.lock().clone();
            let evaluation = Evaluation {
                evaluator: &evaluator,
                context: &context,
                metrics: &evaluated.metrics,
                resend_delay: evaluated.options.resend_delay,
                outage_tolerance: evaluated.options.outage_tolerance,
                grace_period: evaluated.options.grace_period,
            };
            let external_url = context.external_url.trim_end_matches('/').to_owned();
            let due = group.evaluate(&evaluation, at);
            due.iter()
                .map(|(expression, alert)| Notification::of(alert, expression, &external_url))
                .collect::<Vec<_>>()
        })
        .await;
        drop(permit);
        match alerts {
            Ok(alerts) => shared.notifier.send(alerts),
            Err(error) => error!(%error, "BUG: rule evaluation panicked"),
        }
        shared.metrics.iterations.get_or_create(&labels).inc();
        due += interval;
        let missed = (now() - due) / interval;
        if missed > 0 {
            shared.metrics.iterations_missed.get_or_create(&labels).inc_by(missed as u64);
            shared.metrics.iterations.get_or_create(&labels).inc_by(missed as u64);
            due += missed * interval;
        }
    }
}

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
