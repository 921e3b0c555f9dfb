use std::time::Duration;

use jiff::Timestamp;

use super::{NotifyReason, dedup::Situation};
use crate::log::LogEntry;

/// What was told last: firing, resolved, seconds ago.
type Told<'a> = (&'a [u64], &'a [u64], u64);

fn reason(told: Option<Told<'_>>, firing: &[u64], resolved: &[u64], send_resolved: bool) -> NotifyReason {
    let now = Timestamp::from_second(1_700_000_000).expect("in range");
    let entry = told.map(|(firing, resolved, ago)| LogEntry {
        firing: firing.to_vec(),
        resolved: resolved.to_vec(),
        told_at: now - Duration::from_secs(ago),
        expires_at: now,
    });
    let repeat_interval = Duration::from_secs(600);
    Situation { firing, resolved, send_resolved, repeat_interval, now }.reason(entry.as_ref())
}

#[test]
fn receivers_are_told_what_they_do_not_know() {
    use NotifyReason::*;
    let check = |told: Option<Told<'_>>, firing: &[u64], resolved: &[u64], want: NotifyReason| {
        assert_eq!(reason(told, firing, resolved, true), want, "{told:?} {firing:?} {resolved:?}");
    };
    // Nothing told yet.
    check(None, &[2, 3, 4], &[], FirstNotification);
    check(None, &[], &[2], DoNotNotify);
    check(None, &[], &[], DoNotNotify);
    // Firing alerts, as known or not.
    check(Some((&[1, 2, 3], &[], 0)), &[1, 2], &[], DoNotNotify);
    check(Some((&[1, 2, 3], &[], 0)), &[2, 3, 4], &[], NewAlertsInGroup);
    check(Some((&[], &[1], 0)), &[1], &[], FirstNotification);
    // Resolved ones.
    check(Some((&[1, 2], &[], 0)), &[1], &[2], NewResolvedAlerts);
    check(Some((&[1, 2], &[2], 0)), &[1], &[2], DoNotNotify);
    check(Some((&[1, 2], &[2], 0)), &[], &[1, 2], AllAlertsResolved);
    check(Some((&[], &[1, 2], 0)), &[], &[1, 2], DoNotNotify);
    check(Some((&[], &[1], 0)), &[], &[2], DoNotNotify);
    // Repetition.
    check(Some((&[1], &[], 600)), &[1], &[], DoNotNotify);
    check(Some((&[1], &[], 601)), &[1], &[], RepeatIntervalElapsed);
    check(Some((&[], &[1], 601)), &[], &[1], DoNotNotify);
}

#[test]
fn who_does_not_want_resolved_alerts_is_told_only_the_last() {
    let check = |told: Told<'_>, firing: &[u64], resolved: &[u64], want: NotifyReason| {
        assert_eq!(reason(Some(told), firing, resolved, false), want, "{told:?} {firing:?} {resolved:?}");
    };
    check((&[1, 2], &[], 0), &[1], &[2], NotifyReason::DoNotNotify);
    // The log has to forget that it fires.
    check((&[1], &[], 0), &[], &[1], NotifyReason::AllAlertsResolved);
}
