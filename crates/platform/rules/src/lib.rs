//! Recording and alerting rules, in the form that metrics and logs share.
//!
//! The engine knows no query language: a daemon gives it an [`Evaluator`] (PromQL over the time series database, LogQL over the log
//! store) and says where results go. [`Manager`] runs the groups of all rule files; [`Notifier`] sends alerts to Alertmanagers.
//! Sources: Prometheus docs/configuration, `recording_rules`, `alerting_rules`; reference behaviour of its `rules` and `notifier`.

#![forbid(unsafe_code)]

mod alert;
mod alerting_rule;
mod evaluator;
mod expand;
mod file;
mod group;
mod manager;
mod metrics;
mod notifier;
mod recording_rule;

#[cfg(test)]
mod tests;

pub use alert::{Alert, AlertState};
pub use alerting_rule::AlertingRule;
pub use evaluator::{EvalError, Evaluator, ResultSample, StoreError};
pub use expand::ExpandContext;
pub use file::{GroupFile, RuleFile, RuleFileError, RuleNode, load_rule_files, parse_rule_file};
pub use group::{Group, GroupStatus, Rule, RuleHealth, RuleStatus};
pub use manager::{Manager, ManagerOptions};
pub use notifier::{
    AlertmanagerConfig, Notification, Notifier, NotifierConfig, NotifierConfigError, NotifierOptions,
};
pub use recording_rule::RecordingRule;
