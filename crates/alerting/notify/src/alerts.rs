//! The alerts that are known: what was reported and is not long over.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use parking_lot::RwLock;

use crate::Alert;

/// Most alerts held, against a client that invents labels.
const MAX_ALERTS: usize = 1_000_000;

/// All alerts by fingerprint.
#[derive(Debug, Default)]
pub(crate) struct AlertStore {
    state: RwLock<State>,
    /// Most alerts of one name; 0 for any number.
    per_name_limit: usize,
}

#[derive(Debug, Default)]
struct State {
    alerts: HashMap<u64, Arc<Alert>>,
    per_name: HashMap<String, usize>,
}

impl AlertStore {
    pub fn new(per_name_limit: usize) -> Self {
        Self { state: RwLock::default(), per_name_limit }
    }

    /// Takes a report; returns the alert as it stands now, or `None` if a limit keeps it out.
    pub fn put(&self, alert: Alert, now: Timestamp) -> Option<Arc<Alert>> {
        let mut state = self.state.write();
        let fingerprint = alert.fingerprint();
        let alert = match state.alerts.get(&fingerprint) {
            Some(known) => known.merged_into(alert, now),
            None => {
                if state.alerts.len() >= MAX_ALERTS || !state.count_in(&alert, self.per_name_limit) {
                    return None;
                }
                alert
            }
        };
        let alert = Arc::new(alert);
        state.alerts.insert(fingerprint, Arc::clone(&alert));
        Some(alert)
    }

    /// Every alert, in no order.
    pub fn all(&self) -> Vec<Arc<Alert>> {
        self.state.read().alerts.values().cloned().collect()
    }

    /// Forgets the alerts that are over.
    pub fn collect_garbage(&self, now: Timestamp) {
        let mut state = self.state.write();
        let State { alerts, per_name } = &mut *state;
        alerts.retain(|_, alert| {
            let keep = !alert.is_resolved_at(now);
            if !keep && let Some(count) = per_name.get_mut(alert.name()) {
                *count -= 1;
            }
            keep
        });
        per_name.retain(|_, count| *count > 0);
    }
}

impl State {
    fn count_in(&mut self, alert: &Alert, limit: usize) -> bool {
        let count = self.per_name.entry(alert.name().to_owned()).or_default();
        if limit > 0 && *count >= limit {
            return false;
        }
        *count += 1;
        true
    }
}
