//! Takes away alerts that a silence matches.

use super::{Flush, Pipeline};
use crate::FlushAlert;

impl Pipeline {
    pub(super) fn without_silenced(&self, flush: &Flush, mut alerts: Vec<FlushAlert>) -> Vec<FlushAlert> {
        let before = alerts.len();
        alerts.retain(|alert| !self.silences.is_silenced(&alert.alert.labels, flush.now));
        if alerts.len() < before {
            self.suppressed("silence", before - alerts.len());
        }
        alerts
    }
}
