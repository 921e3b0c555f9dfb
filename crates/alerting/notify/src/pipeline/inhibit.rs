//! Takes away alerts that are muted by others that fire.

use super::{Flush, Pipeline};
use crate::FlushAlert;

impl Pipeline {
    pub(super) fn without_inhibited(&self, flush: &Flush, mut alerts: Vec<FlushAlert>) -> Vec<FlushAlert> {
        let before = alerts.len();
        alerts.retain(|alert| self.inhibitor.inhibited_by(&alert.alert.labels, flush.now).is_none());
        if alerts.len() < before {
            self.suppressed("inhibition", before - alerts.len());
        }
        alerts
    }
}
