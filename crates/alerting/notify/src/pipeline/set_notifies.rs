//! Notes in the log what an integration was told.

use super::{Flush, Pipeline, dedup::Decision};

impl Pipeline {
    /// The entry is kept for twice the repeat interval: by then it is written anew, or the group is gone.
    pub(super) fn set_notifies(&self, flush: &Flush, decision: Decision) {
        let Decision { key, firing, resolved, .. } = decision;
        let keep = flush.route.options.repeat_interval.saturating_mul(2);
        self.log.set(key, firing, resolved, flush.now, keep);
    }
}
