//! A group of rules, evaluated together and in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use model::{Labels, Millis, STALE_NAN};
use parking_lot::Mutex;
use tracing::{debug, warn};

use crate::{
    Alert, AlertState, AlertingRule, Evaluator, ExpandContext, GroupFile, RecordingRule, ResultSample,
    RuleNode,
    alerting_rule::{Alerts, millis},
    metrics::{GroupLabels, RuleMetrics},
};

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// It records.
    Recording(RecordingRule),
    /// It alerts.
    Alerting(AlertingRule),
}

/// How a rule's last evaluation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleHealth {
    /// Not evaluated yet.
    #[default]
    Unknown,
    /// It succeeded.
    Ok,
    /// It failed.
    Err,
}

impl RuleHealth {
    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Err => "err",
        }
    }
}

/// A rule and how it stands, for the API.
#[derive(Debug, Clone)]
pub struct RuleStatus {
    /// The rule.
    pub rule: Rule,
    /// How the last evaluation went.
    pub health: RuleHealth,
    /// Why it failed; empty where it did not.
    pub last_error: String,
    /// When it began, milliseconds; 0 before the first.
    pub last_evaluation: Millis,
    /// How long it took.
    pub evaluation_time: Duration,
    /// The alerts of an alerting rule that are pending or firing.
    pub alerts: Vec<Alert>,
    /// The worst of their states.
    pub state: AlertState,
}

/// A group and how it stands, for the API.
#[derive(Debug, Clone)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// The file it is in.
    pub file: PathBuf,
    /// How often it is evaluated.
    pub interval: Duration,
    /// Most results of one rule; 0 means any.
    pub limit: u64,
    /// When the last evaluation began, milliseconds; 0 before the first.
    pub last_evaluation: Millis,
    /// How long it took.
    pub evaluation_time: Duration,
    /// Its rules in order.
    pub rules: Vec<RuleStatus>,
}

/// A group of rules with the state of its alerts.
pub struct Group {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) interval: Duration,
    offset: Duration,
    limit: u64,
    rules: Vec<Rule>,
    /// As written: what a reload compares.
    source: GroupFile,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rules: Vec<RuleState>,
    last_evaluation: Millis,
    evaluation_time: Duration,
}

#[derive(Default)]
struct RuleState {
    health: RuleHealth,
    last_error: String,
    last_evaluation: Millis,
    evaluation_time: Duration,
    alerts: Alerts,
    /// What the rule wrote last time: what is missing now gets a staleness marker.
    written: BTreeSet<Labels>,
}

/// What an evaluation needs besides the group.
pub(crate) struct Evaluation<'a> {
    pub evaluator: &'a Arc<dyn Evaluator>,
    pub context: &'a ExpandContext,
    pub metrics: &'a RuleMetrics,
    pub resend_delay: Duration,
    pub outage_tolerance: Duration,
    pub grace_period: Duration,
}

impl Group {
    /// A group as its file says.
    pub(crate) fn new(
        file: PathBuf,
        source: GroupFile,
        default_interval: Duration,
        default_offset: Duration,
    ) -> Self {
        let interval = source.interval.map_or(default_interval, |set| set.0).max(Duration::from_millis(1));
        let rules: Vec<Rule> = source.rules.iter().map(|rule| Rule::of(rule, &source.labels)).collect();
        let states = rules.iter().map(|_| RuleState::default()).collect();
        Self {
            name: source.name.clone(),
            file,
            interval,
            offset: source.query_offset.map_or(default_offset, |set| set.0),
            limit: source.limit.unwrap_or_default(),
            rules,
            source,
            state: Mutex::new(State { rules: states, ..State::default() }),
        }
    }

    /// Whether a running group can go on unchanged in place of `other`.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.source == other.source && self.interval == other.interval && self.offset == other.offset
    }

    /// Takes over alerts and written series of the rules that the group before had too.
    pub(crate) fn take_over(&self, before: &Self) {
        let mut old = before.state.lock();
        let mut new = self.state.lock();
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, rule) in before.rules.iter().enumerate() {
            by_name.entry(rule.name()).or_default().push(at);
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let Some(candidates) = by_name.get_mut(rule.name()) else { continue };
            let same = |candidate: &usize| before.rules[*candidate].is_compatible(rule);
            if let Some(found) = candidates.iter().position(same) {
                let from = candidates.remove(found);
                new.rules[at] = std::mem::take(&mut old.rules[from]);
            }
        }
    }

    /// There is nothing from before a restart to look for.
    pub(crate) fn set_restored(&self) {
        for rule in &mut self.state.lock().rules {
            rule.alerts.set_restored();
        }
    }

    /// The label of the group's metrics.
    pub(crate) fn metric_labels(&self) -> GroupLabels {
        GroupLabels { rule_group: format!("{};{}", self.file.display(), self.name) }
    }

    /// Where in the interval the group's moments lie, the same after a restart.
    pub(crate) fn phase(&self) -> Millis {
        let interval = millis(self.interval);
        let key = Labels::from_pairs([("file", self.file.to_string_lossy().as_ref()), ("name", &self.name)])
            .fingerprint();
        (key % interval as u64) as Millis
    }

    /// Evaluates all rules in order at one moment; returns the alerts that are due to be sent, by expression. Blocks.
    pub(crate) fn evaluate(&self, evaluation: &Evaluation<'_>, at: Millis) -> Vec<(String, Alert)> {
        let started = Instant::now();
        let labels = self.metric_labels();
        let mut due = Vec::new();
        let mut samples_written = 0;
        for number in 0..self.rules.len() {
            samples_written += self.evaluate_rule(evaluation, number, at, &labels, &mut due);
        }
        let elapsed = started.elapsed();
        let mut state = self.state.lock();
        state.last_evaluation = at;
        state.evaluation_time = elapsed;
        let metrics = evaluation.metrics;
        metrics.group_duration.observe(elapsed.as_secs_f64());
        metrics.interval.get_or_create(&labels).set(self.interval.as_secs_f64());
        metrics.last_evaluation.get_or_create(&labels).set(at as f64 / 1000.0);
        metrics.last_duration.get_or_create(&labels).set(elapsed.as_secs_f64());
        metrics.rules.get_or_create(&labels).set(self.rules.len() as f64);
        metrics.last_samples.get_or_create(&labels).set(samples_written as f64);
        due
    }

    fn evaluate_rule(
        &self,
        evaluation: &Evaluation<'_>,
        number: usize,
        at: Millis,
        labels: &GroupLabels,
        due: &mut Vec<(String, Alert)>,
    ) -> usize {
        let Evaluation { evaluator, context, metrics, .. } = evaluation;
        let started = Instant::now();
        // The alerts are taken out for the time of the evaluation, so that the API does not wait for a slow query.
        let mut alerts = self.state.lock().rules[number].alerts.clone();
        let offset = millis(self.offset);
        let outcome = match &self.rules[number] {
            Rule::Recording(rule) => rule.evaluate(evaluator.as_ref(), at - offset, self.limit),
            Rule::Alerting(rule) => rule.evaluate(evaluator, context, &mut alerts, at, offset, self.limit),
        };
        if let Rule::Alerting(rule) = &self.rules[number] {
            if outcome.is_ok() && !alerts.is_restored() {
                let restored = rule.restore(
                    evaluator.as_ref(),
                    &mut alerts,
                    at,
                    evaluation.outage_tolerance,
                    evaluation.grace_period,
                );
                if let Err(error) = restored {
                    warn!(alert = rule.name, %error, "cannot restore the state of alerts from before the start");
                }
            }
            if outcome.is_ok() {
                let taken = alerts.take_due(at, millis(evaluation.resend_delay), millis(self.interval));
                due.extend(taken.into_iter().map(|alert| (rule.expression.clone(), alert)));
            }
        }
        let elapsed = started.elapsed();
        metrics.evaluation_duration.observe(elapsed.as_secs_f64());
        metrics.evaluations.get_or_create(labels).inc();
        let stored = match outcome {
            Ok(samples) => self.store(evaluator.as_ref(), number, at - offset, samples),
            Err(error) => Err(error.to_string()),
        };
        let mut state = self.state.lock();
        let rule = &mut state.rules[number];
        rule.alerts = alerts;
        rule.last_evaluation = at;
        rule.evaluation_time = elapsed;
        match stored {
            Ok(count) => {
                rule.health = RuleHealth::Ok;
                rule.last_error.clear();
                count
            }
            Err(error) => {
                metrics.failures.get_or_create(labels).inc();
                warn!(file = %self.file.display(), group = self.name, rule = self.rules[number].name(), error, "rule evaluation failed");
                rule.health = RuleHealth::Err;
                rule.last_error = error;
                0
            }
        }
    }

    /// Stores results, with staleness markers for what the rule no longer has.
    fn store(
        &self,
        evaluator: &dyn Evaluator,
        number: usize,
        at: Millis,
        mut samples: Vec<ResultSample>,
    ) -> Result<usize, String> {
        let count = samples.len();
        let written: BTreeSet<Labels> = samples.iter().map(|sample| sample.labels.clone()).collect();
        {
            let state = self.state.lock();
            let gone = state.rules[number].written.difference(&written);
            samples.extend(gone.map(|labels| ResultSample { labels: labels.clone(), value: STALE_NAN }));
        }
        if !samples.is_empty() {
            evaluator.store(at, &samples).map_err(|error| error.to_string())?;
        }
        self.state.lock().rules[number].written = written;
        Ok(count)
    }

    /// Ends the group's series with staleness markers: it is gone from the configuration. Blocks.
    pub(crate) fn end(&self, evaluator: &dyn Evaluator, at: Millis) {
        let mut state = self.state.lock();
        let samples: Vec<ResultSample> = state
            .rules
            .iter_mut()
            .flat_map(|rule| std::mem::take(&mut rule.written))
            .map(|labels| ResultSample { labels, value: STALE_NAN })
            .collect();
        if !samples.is_empty()
            && let Err(error) = evaluator.store(at, &samples)
        {
            debug!(%error, group = self.name, "staleness markers of a removed group not stored");
        }
    }

    /// How the group stands.
    pub fn status(&self) -> GroupStatus {
        let state = self.state.lock();
        let rules = self.rules.iter().zip(&state.rules).map(|(rule, state)| RuleStatus {
            rule: rule.clone(),
            health: state.health,
            last_error: state.last_error.clone(),
            last_evaluation: state.last_evaluation,
            evaluation_time: state.evaluation_time,
            alerts: state.alerts.active().cloned().collect(),
            state: AlertingRule::state(&state.alerts),
        });
        GroupStatus {
            name: self.name.clone(),
            file: self.file.clone(),
            interval: self.interval,
            limit: self.limit,
            last_evaluation: state.last_evaluation,
            evaluation_time: state.evaluation_time,
            rules: rules.collect(),
        }
    }
}

impl Rule {
    /// The rule as written, with the labels of its group, over which its own win.
    fn of(node: &RuleNode, group_labels: &BTreeMap<String, String>) -> Self {
        let mut labels = group_labels.clone();
        labels.extend(node.labels.clone());
        match (&node.record, &node.alert) {
            (Some(record), _) if !record.is_empty() => Self::Recording(RecordingRule {
                name: record.clone(),
                expression: node.expr.clone(),
                labels: Labels::from_pairs(&labels),
            }),
            (_, alert) => Self::Alerting(AlertingRule {
                name: alert.clone().unwrap_or_default(),
                expression: node.expr.clone(),
                hold: node.hold.unwrap_or_default().0,
                keep_firing_for: node.keep_firing_for.unwrap_or_default().0,
                labels,
                annotations: node.annotations.clone(),
            }),
        }
    }

    /// The recorded metric's or the alert's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Recording(rule) => &rule.name,
            Self::Alerting(rule) => &rule.name,
        }
    }

    /// The expression.
    pub fn expression(&self) -> &str {
        match self {
            Self::Recording(rule) => &rule.expression,
            Self::Alerting(rule) => &rule.expression,
        }
    }

    /// Whether state of this rule still means something for the other: same kind, same labels.
    fn is_compatible(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Recording(a), Self::Recording(b)) => a.labels == b.labels,
            (Self::Alerting(a), Self::Alerting(b)) => a.labels == b.labels,
            _ => false,
        }
    }
}
