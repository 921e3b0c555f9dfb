//! One alert of an alerting rule.

use model::{Labels, Millis};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// Its expression has no result for it.
    Inactive,
    /// Its expression has a result, for less than the rule's `for`.
    Pending,
    /// It fires.
    Firing,
}

impl AlertState {
    /// As the API and the `ALERTS` series name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// One alert. Times are milliseconds; `None` where the moment has not come.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Where it stands.
    pub state: AlertState,
    /// The sample's labels, the rule's, and `alertname`.
    pub labels: Labels,
    /// The rule's annotations, expanded.
    pub annotations: Labels,
    /// The expression's value when it last had one.
    pub value: f64,
    /// Since when the expression has had a result for it.
    pub active_at: Millis,
    /// When it began to fire.
    pub fired_at: Option<Millis>,
    /// When it was resolved.
    pub resolved_at: Option<Millis>,
    /// When it was last sent to Alertmanagers.
    pub last_sent_at: Option<Millis>,
    /// Until when Alertmanagers should take it as firing without hearing of it again.
    pub valid_until: Millis,
    /// Since when only `keep_firing_for` keeps it firing.
    pub keep_firing_since: Option<Millis>,
}

impl Alert {
    /// Whether it is due to be sent: firing or just resolved, and not sent within the resend delay.
    pub(crate) fn needs_sending(&self, now: Millis, resend_delay: Millis) -> bool {
        if self.state == AlertState::Pending {
            return false;
        }
        match (self.last_sent_at, self.resolved_at) {
            (None, _) => true,
            (Some(sent), Some(resolved)) if resolved > sent => true,
            (Some(sent), _) => sent + resend_delay < now,
        }
    }
}
