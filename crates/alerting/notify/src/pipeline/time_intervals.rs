//! Holds a whole group back while its route is muted, or not active.

use super::{Flush, Pipeline};

impl Pipeline {
    /// The time intervals that hold the group back; none if it may go on. Outside of all its active intervals it is those that do.
    pub(super) fn muted_by_time(&self, flush: &Flush, alerts: usize) -> Vec<String> {
        let options = &flush.route.options;
        if !options.active_time_intervals.is_empty()
            && !options.active_time_intervals.iter().any(|name| self.is_in(name, flush))
        {
            self.suppressed("active_time_interval", alerts);
            return options.active_time_intervals.clone();
        }
        let muted: Vec<String> =
            options.mute_time_intervals.iter().filter(|name| self.is_in(name, flush)).cloned().collect();
        if !muted.is_empty() {
            self.suppressed("mute_time_interval", alerts);
        }
        muted
    }

    fn is_in(&self, name: &str, flush: &Flush) -> bool {
        let intervals = self.time_intervals.get(name);
        intervals.is_some_and(|intervals| intervals.iter().any(|interval| interval.contains(flush.now)))
    }
}
