//! The whole of notifying: alerts come in, receivers are told.

mod state_metrics;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use model::Labels;
use parking_lot::RwLock;
use prometheus_client::registry::Registry;
use routing::{InhibitRule, MatcherMode, RouteTree, TimeInterval};
use service::{Stop, Stopper, Tasks, report};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::{
    Alert, AlertGroup, Clock, Integration, Silence, SilenceError, SilenceLimits, Snapshots, Templates,
    alerts::AlertStore, dispatch::Dispatcher, inhibitor::Inhibitor, log::NotificationLog, metrics::Metrics,
    pipeline::Pipeline, silences::Silences,
};
use state_metrics::StateMetrics;

/// How often expired silences and log entries are forgotten.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How the engine runs, whatever its configuration.
#[derive(Clone)]
pub struct EngineOptions {
    /// What time it is.
    pub clock: Clock,
    /// Where silences and the notification log are kept.
    pub snapshots: Arc<dyn Snapshots>,
    /// How long expired silences, and notifications at most, are remembered.
    pub retention: Duration,
    /// How often alerts that are over are forgotten.
    pub alert_gc_interval: Duration,
    /// Most alerts of one name; 0 for any number.
    pub per_alertname_limit: usize,
    /// How many and how large silences may be.
    pub silence_limits: SilenceLimits,
    /// Which names labels may have.
    pub mode: MatcherMode,
    /// How long after the start nothing is sent.
    pub start_delay: Duration,
    /// Where this daemon is reached, for links.
    pub external_url: Arc<str>,
}

/// A configuration as the engine uses it.
pub struct Setup {
    /// Which alert goes where.
    pub tree: Arc<RouteTree>,
    /// What delivers, by the receiver's name.
    pub receivers: HashMap<String, Vec<Integration>>,
    /// Which alerts mute others.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Time intervals by name.
    pub time_intervals: HashMap<String, Vec<TimeInterval>>,
    /// The templates that receivers may call.
    pub templates: Templates,
}

/// Whether someone is told about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertStatus {
    /// IDs of silences that match it.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts that mute it.
    pub inhibited_by: Vec<u64>,
}

/// The state on disk cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the {what}")]
pub struct OpenError {
    what: &'static str,
    source: io::Error,
}

/// Takes alerts and notifies receivers. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    options: EngineOptions,
    alerts: AlertStore,
    silences: Arc<Silences>,
    log: Arc<NotificationLog>,
    metrics: Metrics,
    /// `None` until the first setup, and while one replaces another.
    running: RwLock<Option<Running>>,
    /// Held while a setup replaces another.
    applying: tokio::sync::Mutex<()>,
    start_at: Instant,
    stopper: Stopper,
}

struct Running {
    dispatcher: Dispatcher,
    inhibitor: Arc<Inhibitor>,
    tree: Arc<RouteTree>,
}

// === impl Engine ===

impl Engine {
    /// Reads silences and the notification log. Nothing is sent before [`Engine::apply`].
    pub fn open(options: EngineOptions, registry: &mut Registry) -> Result<Self, OpenError> {
        let fail = |what| move |source| OpenError { what, source };
        let log = NotificationLog::open(Arc::clone(&options.snapshots), options.retention)
            .map_err(fail("notification log"))?;
        let silences = Silences::open(
            Arc::clone(&options.snapshots),
            options.clock.clone(),
            options.retention,
            options.silence_limits,
            options.mode,
        )
        .map_err(fail("silences"))?;
        let engine = Self(Arc::new(Inner {
            alerts: AlertStore::new(options.per_alertname_limit),
            silences: Arc::new(silences),
            log: Arc::new(log),
            metrics: Metrics::register(registry),
            running: RwLock::new(None),
            applying: tokio::sync::Mutex::new(()),
            start_at: Instant::now() + options.start_delay,
            stopper: Stopper::new(),
            options,
        }));
        registry.register_collector(Box::new(StateMetrics(Arc::downgrade(&engine.0))));
        Ok(engine)
    }

    /// Puts a configuration in force. Groups are formed anew of the alerts that are known; the notification log sees to it that
    /// nobody is told twice.
    pub async fn apply(&self, setup: Setup) {
        let Inner { options, alerts, silences, log, metrics, running, applying, start_at, stopper } =
            &*self.0;
        let Setup { tree, receivers, inhibit_rules, time_intervals, templates } = setup;
        let _applying = applying.lock().await;
        let old = running.write().take();
        if let Some(old) = old {
            old.dispatcher.finish().await;
        }
        let inhibitor = Arc::new(Inhibitor::new(inhibit_rules));
        let pipeline = Arc::new(Pipeline {
            receivers,
            inhibitor: Arc::clone(&inhibitor),
            silences: Arc::clone(silences),
            log: Arc::clone(log),
            time_intervals,
            templates,
            external_url: Arc::clone(&options.external_url),
            metrics: metrics.clone(),
        });
        metrics.groups.set(0);
        // Under the lock, so that no alert comes between the look at those known and the dispatcher's being there for more.
        let mut running = running.write();
        if stopper.token().is_requested() {
            return;
        }
        let dispatcher =
            Dispatcher::start(Arc::clone(&tree), pipeline, options.clock.clone(), *start_at, stopper);
        let known = alerts.all();
        known.iter().for_each(|alert| inhibitor.observe(alert));
        known.iter().for_each(|alert| dispatcher.insert(alert));
        *running = Some(Running { dispatcher, inhibitor, tree });
    }

    /// Takes valid alerts; returns how many a limit kept out.
    pub fn put(&self, alerts: impl IntoIterator<Item = Alert>) -> usize {
        let running = self.0.running.read();
        let now = self.0.options.clock.now();
        let mut kept_out = 0;
        let mut taken = Vec::new();
        for alert in alerts {
            match self.0.alerts.put(alert, now) {
                Some(alert) => taken.push(alert),
                None => kept_out += 1,
            }
        }
        if let Some(running) = &*running {
            // Those that mute first: others of the same report may be muted by them.
            taken.iter().for_each(|alert| running.inhibitor.observe(alert));
            taken.iter().for_each(|alert| running.dispatcher.insert(alert));
        }
        if kept_out > 0 {
            self.0.metrics.alerts_limited.inc_by(kept_out as u64);
            warn!(alerts = kept_out, "alerts are not taken because of a limit");
        }
        kept_out
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.0.options.clock.now()
    }

    /// Which names labels may have, and how matchers are written.
    pub fn mode(&self) -> MatcherMode {
        self.0.options.mode
    }

    /// The route tree in force; `None` while it is being replaced.
    pub fn tree(&self) -> Option<Arc<RouteTree>> {
        self.0.running.read().as_ref().map(|running| Arc::clone(&running.tree))
    }

    /// Every alert that is known, in no order.
    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        self.0.alerts.all()
    }

    /// Groups by labels, then receiver, of the receivers that `of_receiver` takes, with the alerts that `keep` takes. Both run under
    /// locks of the engine: they must be quick and not call it.
    pub fn groups(
        &self,
        of_receiver: impl Fn(&str) -> bool,
        keep: impl Fn(&Alert) -> bool,
    ) -> Vec<AlertGroup> {
        match &*self.0.running.read() {
            Some(running) => running.dispatcher.groups(of_receiver, keep),
            None => Vec::new(),
        }
    }

    /// What mutes alerts with these labels now.
    pub fn status(&self, labels: &Labels) -> AlertStatus {
        self.0.status(labels, self.now())
    }

    /// Every silence, by ID.
    pub fn silences(&self) -> Vec<Arc<Silence>> {
        self.0.silences.all()
    }

    /// The silence of an ID.
    pub fn silence(&self, id: &str) -> Option<Arc<Silence>> {
        self.0.silences.get(id)
    }

    /// Makes or changes a silence; see [`Silence`]. Returns its ID. It is stored when this returns.
    pub async fn set_silence(&self, silence: Silence) -> Result<String, SilenceError> {
        self.0.silences.set(silence).await
    }

    /// Ends a silence now. It is stored when this returns.
    pub async fn expire_silence(&self, id: &str) -> Result<(), SilenceError> {
        self.0.silences.expire(id).await
    }

    /// Keeps house until the stop, or until a part of it panics: writes the notification log, forgets what is over. Then stops notifying and writes what is left.
    pub async fn run(self, stop: Stop) {
        let writing = Tasks::new(&Stop::never());
        writing.spawn("notification log", Arc::clone(&self.0.log).run(writing.stop()));
        let mut alerts_over =
            tokio::time::interval(self.0.options.alert_gc_interval.max(Duration::from_secs(1)));
        let mut maintenance = tokio::time::interval(MAINTENANCE_INTERVAL);
        let (stopped, written) = (self.0.stopper.token(), writing.stop());
        loop {
            tokio::select! {
                () = stop.requested() => break,
                () = stopped.requested() => break,
                () = written.requested() => break,
                _ = alerts_over.tick() => self.forget_alerts(),
                _ = maintenance.tick() => self.forget_silences_and_log().await,
            }
        }
        self.0.stopper.stop();
        let running = self.0.running.write().take();
        if let Some(running) = running {
            running.dispatcher.finish().await;
        }
        // After the last notification, so that it is in the log.
        if let Err(error) = writing.finish(Duration::from_secs(10)).await {
            error!(%error, "the notification log may not be complete");
        }
    }

    fn forget_alerts(&self) {
        let now = self.now();
        self.0.alerts.collect_garbage(now);
        if let Some(running) = &*self.0.running.read() {
            running.inhibitor.collect_garbage(now);
        }
    }

    async fn forget_silences_and_log(&self) {
        self.0.log.collect_garbage(self.now());
        if let Err(error) = self.0.silences.collect_garbage().await {
            warn!(error = report(&error), "expired silences are kept");
        }
    }
}

impl Inner {
    fn status(&self, labels: &Labels, now: Timestamp) -> AlertStatus {
        let running = self.running.read();
        let inhibited = running.as_ref().and_then(|running| running.inhibitor.inhibited_by(labels, now));
        AlertStatus {
            silenced_by: self.silences.silenced_by(labels, now),
            inhibited_by: inhibited.into_iter().collect(),
        }
    }

    /// How many alerts fire, and how many of them someone hears of: active, suppressed.
    fn count_alerts(&self) -> (usize, usize) {
        let now = self.options.clock.now();
        let firing = self.alerts.all().into_iter().filter(|alert| !alert.is_resolved_at(now));
        let (mut active, mut suppressed) = (0, 0);
        for alert in firing {
            if self.status(&alert.labels, now).is_suppressed() { suppressed += 1 } else { active += 1 }
        }
        (active, suppressed)
    }

    fn count_silences(&self) -> BTreeMap<&'static str, i64> {
        let now = self.options.clock.now();
        let mut counts = BTreeMap::from([("active", 0), ("pending", 0), ("expired", 0)]);
        for silence in self.silences.all() {
            *counts.entry(silence.state(now).as_str()).or_default() += 1;
        }
        counts
    }
}

impl AlertStatus {
    /// Whether nobody is told.
    pub fn is_suppressed(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }
}
