//! Alerts and engines for tests.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::Labels;

use crate::{Alert, FlushAlert};

/// The moment at which tests' clocks start.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("in range")
}

/// An alert that has just begun and is not over for an hour.
pub(crate) fn alert(labels: &[(&str, &str)]) -> Alert {
    Alert {
        labels: Labels::from_pairs(labels.iter().copied()),
        annotations: BTreeMap::new(),
        starts_at: start(),
        ends_at: start() + std::time::Duration::from_secs(3600),
        generator_url: "http://prometheus/graph?g0.expr=up".into(),
        updated_at: start(),
        timeout: false,
    }
}

pub(crate) fn flush_alert(labels: &[(&str, &str)], resolved: bool) -> FlushAlert {
    FlushAlert { alert: Arc::new(alert(labels)), resolved }
}

/// A notifier that remembers what it was told and fails as often as asked.
#[derive(Default)]
pub(crate) struct Recorder {
    told: parking_lot::Mutex<Vec<crate::Message>>,
    failures: parking_lot::Mutex<Vec<crate::NotifyError>>,
}

impl Recorder {
    /// The next notifications fail with these, the last one first.
    pub fn fail_with(&self, failures: Vec<crate::NotifyError>) {
        *self.failures.lock() = failures;
    }

    /// What was told since the last call, each as `reason: status job,job` with `job!` for alerts that are over.
    pub fn take(&self) -> Vec<String> {
        self.told.lock().drain(..).map(|message| summary(&message)).collect()
    }
}

fn summary(message: &crate::Message) -> String {
    let data = &message.data;
    let alerts = data.alerts.iter().map(|alert| {
        let over = if alert.status == "resolved" { "!" } else { "" };
        format!("{}{over}", alert.labels.get("job").map_or("-", String::as_str))
    });
    format!("{}: {} {}", data.notification_reason, data.status, alerts.collect::<Vec<_>>().join(","))
}

#[async_trait::async_trait]
impl crate::Notifier for Recorder {
    async fn notify(&self, message: &crate::Message) -> Result<(), crate::NotifyError> {
        let failure = self.failures.lock().pop();
        match failure {
            Some(failure) => Err(failure),
            None => {
                self.told.lock().push(message.clone());
                Ok(())
            }
        }
    }
}

/// An engine on the runtime's clock, with one receiver `a` for everything.
pub(crate) struct Bench {
    pub engine: crate::Engine,
    pub recorder: Arc<Recorder>,
    pub clock: crate::Clock,
    pub tasks: service::Tasks,
    registry: prometheus_client::registry::Registry,
}

impl Bench {
    /// Starts an engine with a route in YAML, and sections beside it.
    pub async fn start(snapshots: &Arc<crate::MemorySnapshots>, clock: &crate::Clock, yaml: &str) -> Self {
        let mut registry = prometheus_client::registry::Registry::default();
        let options = crate::EngineOptions {
            clock: clock.clone(),
            snapshots: Arc::clone(snapshots) as Arc<dyn crate::Snapshots>,
            retention: std::time::Duration::from_secs(120 * 3600),
            alert_gc_interval: std::time::Duration::from_secs(1800),
            per_alertname_limit: 0,
            silence_limits: crate::SilenceLimits::default(),
            mode: routing::MatcherMode::Fallback,
            start_delay: std::time::Duration::ZERO,
            external_url: "http://am".into(),
        };
        let engine = crate::Engine::open(options, &mut registry).expect("opens");
        let recorder = Arc::new(Recorder::default());
        let tasks = service::Tasks::new(&service::Stop::never());
        tasks.spawn("engine", engine.clone().run(tasks.stop()));
        let bench = Self { engine, recorder, clock: clock.clone(), tasks, registry };
        bench.apply(yaml).await;
        bench
    }

    /// Replaces the configuration.
    pub async fn apply(&self, yaml: &str) {
        #[derive(serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[derive(Default)]
        struct Sections {
            route: routing::RouteFile,
            inhibit_rules: Vec<routing::InhibitRuleFile>,
            time_intervals: std::collections::HashMap<String, Vec<routing::TimeInterval>>,
            send_resolved: Option<bool>,
        }
        let sections: Sections = config::parse(std::path::Path::new("test.yml"), yaml).expect("sections");
        let mut warnings = config::Warnings::new();
        let mode = routing::MatcherMode::Fallback;
        let tree = routing::RouteTree::build(&sections.route, mode, &mut warnings).expect("a tree");
        let integration = crate::Integration {
            name: "webhook",
            index: 0,
            send_resolved: sections.send_resolved.unwrap_or(true),
            notifier: Arc::clone(&self.recorder) as Arc<dyn crate::Notifier>,
        };
        let rules = sections.inhibit_rules.iter().map(|rule| rule.compile(mode, &mut warnings));
        self.engine
            .apply(crate::Setup {
                tree: Arc::new(tree),
                receivers: [("a".to_owned(), vec![integration])].into(),
                inhibit_rules: rules.collect::<Result<_, _>>().expect("rules"),
                time_intervals: sections.time_intervals,
                templates: crate::Templates::empty(),
            })
            .await;
    }

    /// Reports an alert `Down` of a job that fires for some seconds from now on.
    pub fn fire(&self, job: &str, seconds: u64) {
        self.report(&[("alertname", "Down"), ("job", job)], seconds);
    }

    pub fn report(&self, labels: &[(&str, &str)], seconds: u64) {
        let now = self.clock.now();
        let mut alert = alert(labels);
        alert.starts_at = now;
        alert.updated_at = now;
        alert.ends_at = now + std::time::Duration::from_secs(seconds);
        self.engine.put([alert]);
    }

    /// Reports that the alert of a job is over.
    pub fn resolve(&self, job: &str) {
        let now = self.clock.now();
        let mut alert = alert(&[("alertname", "Down"), ("job", job)]);
        alert.updated_at = now;
        alert.ends_at = now;
        self.engine.put([alert]);
    }

    /// Lets time pass, and what is due happen.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        // Paused time stands still while tasks have work: what became due at this very moment is done after a moment more.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }

    pub async fn stop(self) {
        self.tasks.finish(std::time::Duration::from_secs(30)).await.expect("stops");
    }

    pub fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("encodes");
        text
    }
}
