//! Which alerts are muted by others that fire.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use model::Labels;
use parking_lot::RwLock;
use routing::InhibitRule;

use crate::Alert;

/// Rules, each with the alerts that may mute others under it.
#[derive(Debug, Default)]
pub(crate) struct Inhibitor(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    rule: InhibitRule,
    /// Source alerts by fingerprint, under the labels that a target must share.
    sources: RwLock<HashMap<Labels, HashMap<u64, Arc<Alert>>>>,
}

impl Inhibitor {
    pub fn new(rules: Vec<InhibitRule>) -> Self {
        Self(rules.into_iter().map(|rule| Rule { rule, sources: RwLock::default() }).collect())
    }

    /// Takes note of a new or changed alert.
    pub fn observe(&self, alert: &Arc<Alert>) {
        for Rule { rule, sources } in &self.0 {
            if rule.is_source(&alert.labels) {
                let shared = rule.shared(&alert.labels);
                sources.write().entry(shared).or_default().insert(alert.fingerprint(), Arc::clone(alert));
            }
        }
    }

    /// The fingerprint of an alert that mutes one with these labels. An alert that matches both sides of a rule is not muted by
    /// another that does, itself included.
    pub fn inhibited_by(&self, labels: &Labels, now: Timestamp) -> Option<u64> {
        self.0.iter().find_map(|Rule { rule, sources }| {
            if !rule.is_target(labels) {
                return None;
            }
            let two_sided = rule.is_source(labels);
            let sources = sources.read();
            let candidates = sources.get(&rule.shared(labels))?;
            candidates
                .iter()
                .filter(|(_, source)| !source.is_resolved_at(now))
                .find(|(_, source)| !(two_sided && rule.is_target(&source.labels)))
                .map(|(fingerprint, _)| *fingerprint)
        })
    }

    /// Forgets the alerts that are over.
    pub fn collect_garbage(&self, now: Timestamp) {
        for Rule { sources, .. } in &self.0 {
            sources.write().retain(|_, alerts| {
                alerts.retain(|_, alert| !alert.is_resolved_at(now));
                !alerts.is_empty()
            });
        }
    }
}
