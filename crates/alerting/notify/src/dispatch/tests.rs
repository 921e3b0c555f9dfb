use std::sync::Arc;

use http::StatusCode;

use crate::{
    Clock, MemorySnapshots, NotifyError, Silence, SilenceState,
    test_support::{Bench, start},
};

const ROUTE: &str = "route: {receiver: a, group_by: [alertname], group_wait: 10s, group_interval: 60s, repeat_interval: 5m}\n";

async fn bench(yaml: &str) -> Bench {
    Bench::start(&Arc::default(), &Clock::following_runtime(start()), yaml).await
}

#[tokio::test(start_paused = true)]
async fn a_group_is_told_once_after_its_wait() {
    let bench = bench(ROUTE).await;
    bench.fire("x", 3600);
    bench.pass(5).await;
    bench.fire("y", 3600);
    assert!(bench.recorder.take().is_empty());
    bench.pass(5).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x,y"]);
    // Reported again and again, told once.
    for _ in 0..3 {
        bench.fire("x", 3600);
        bench.pass(60).await;
    }
    assert!(bench.recorder.take().is_empty());
    bench.fire("z", 3600);
    bench.pass(60).await;
    assert_eq!(bench.recorder.take(), ["new alerts added: firing x,y,z"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_has_not_changed_is_repeated() {
    let bench = bench(ROUTE).await;
    bench.fire("x", 36_000);
    bench.pass(10).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    bench.pass(295).await;
    assert!(bench.recorder.take().is_empty());
    bench.pass(90).await;
    assert_eq!(bench.recorder.take(), ["repeat interval elapsed: firing x"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn resolved_alerts_are_told_and_forgotten() {
    let bench = bench(ROUTE).await;
    bench.fire("x", 36_000);
    bench.fire("y", 36_000);
    bench.pass(10).await;
    bench.recorder.take();
    bench.resolve("x");
    bench.pass(60).await;
    assert_eq!(bench.recorder.take(), ["some alerts resolved: firing x!,y"]);
    bench.resolve("y");
    bench.pass(60).await;
    assert_eq!(bench.recorder.take(), ["all alerts resolved: resolved y!"]);
    assert!(bench.engine.groups(|_| true, |_| true).is_empty());
    // It fires again: a new group, told anew.
    bench.fire("y", 36_000);
    bench.pass(10).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing y"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_nobody_reports_any_more_resolves_itself() {
    let bench = bench(ROUTE).await;
    bench.fire("x", 30);
    bench.pass(10).await;
    bench.pass(60).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x", "all alerts resolved: resolved x!"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_over_before_anyone_heard_of_it_is_not_told() {
    let bench = bench(ROUTE).await;
    bench.fire("x", 5);
    bench.pass(20).await;
    assert!(bench.recorder.take().is_empty());
    assert!(bench.engine.groups(|_| true, |_| true).is_empty());
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_want_resolved_alerts_gets_none() {
    let bench = bench(&format!("{ROUTE}send_resolved: false\n")).await;
    bench.fire("x", 36_000);
    bench.pass(10).await;
    bench.recorder.take();
    bench.resolve("x");
    bench.pass(60).await;
    assert!(bench.recorder.take().is_empty());
    bench.fire("x", 36_000);
    bench.pass(10).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_if_that_may_help() {
    let bench = bench(ROUTE).await;
    let status = |status| NotifyError::Status { status, details: String::new() };
    bench.recorder.fail_with(vec![status(StatusCode::BAD_GATEWAY), status(StatusCode::SERVICE_UNAVAILABLE)]);
    bench.fire("x", 36_000);
    bench.pass(15).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    // One that does not: given up until the next turn.
    bench.recorder.fail_with(vec![status(StatusCode::FORBIDDEN)]);
    bench.fire("y", 36_000);
    bench.pass(60).await;
    assert!(bench.recorder.take().is_empty());
    let metrics = bench.metrics();
    for line in [
        "alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"authError\"} 1",
        "alertmanager_notifications_total{integration=\"webhook\"} 2",
        "alertmanager_notification_requests_total{integration=\"webhook\"} 4",
        "alertmanager_notification_requests_failed_total{integration=\"webhook\"} 3",
        "alertmanager_alerts{state=\"active\"} 2",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    bench.pass(60).await;
    assert_eq!(bench.recorder.take(), ["new alerts added: firing x,y"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_or_reload_does_not_tell_again() {
    let snapshots = Arc::new(MemorySnapshots::default());
    let clock = Clock::following_runtime(start());
    let bench = Bench::start(&snapshots, &clock, ROUTE).await;
    bench.fire("x", 36_000);
    bench.pass(10).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    bench.apply(ROUTE).await;
    bench.pass(120).await;
    assert!(bench.recorder.take().is_empty());
    // Without an orderly end: the log was written soon after the notification.
    let again = Bench::start(&snapshots, &clock, ROUTE).await;
    again.fire("x", 36_000);
    again.pass(120).await;
    assert!(again.recorder.take().is_empty());
    again.resolve("x");
    again.pass(60).await;
    assert_eq!(again.recorder.take(), ["all alerts resolved: resolved x!"]);
    again.stop().await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_fires_for_long_is_told_at_once() {
    let bench = bench(ROUTE).await;
    let mut alert = crate::test_support::alert(&[("alertname", "Old"), ("job", "x")]);
    alert.starts_at = start() - std::time::Duration::from_secs(600);
    bench.engine.put([alert]);
    bench.pass(0).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn firing_alerts_mute_others() {
    let rules = "inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [alertname]}]\n";
    let bench =
        bench(&format!("{}{rules}", ROUTE.replace("group_by: [alertname]", "group_by: ['...']"))).await;
    bench.report(&[("alertname", "A"), ("job", "muted"), ("severity", "warning")], 36_000);
    bench.report(&[("alertname", "A"), ("job", "source"), ("severity", "critical")], 30);
    bench.report(&[("alertname", "B"), ("job", "other"), ("severity", "warning")], 36_000);
    bench.pass(10).await;
    let mut told = bench.recorder.take();
    told.sort();
    assert_eq!(told, ["first notification: firing other", "first notification: firing source"]);
    assert!(bench.metrics().contains("alertmanager_alerts{state=\"suppressed\"} 1"));
    assert!(bench.metrics().contains("alertmanager_notifications_suppressed_total{reason=\"inhibition\"} 1"));
    bench.pass(120).await;
    let told = bench.recorder.take();
    assert!(told.contains(&"first notification: firing muted".to_owned()), "{told:?}");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn silences_hold_notifications_back() {
    let bench = bench(ROUTE).await;
    let now = bench.clock.now();
    let silence = Silence {
        id: String::new(),
        matchers: vec![model::Matcher::equal("job", "x")],
        starts_at: now,
        ends_at: now + std::time::Duration::from_secs(100),
        updated_at: now,
        created_by: "me".into(),
        comment: String::new(),
        annotations: Default::default(),
    };
    let id = bench.engine.set_silence(silence).await.expect("set");
    bench.fire("x", 36_000);
    bench.fire("y", 36_000);
    bench.pass(10).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing y"]);
    bench.pass(120).await;
    assert_eq!(bench.recorder.take(), ["new alerts added: firing x,y"]);
    let silence = bench.engine.silence(&id).expect("kept");
    assert_eq!(silence.state(bench.clock.now()), SilenceState::Expired);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn time_intervals_hold_routes_back() {
    // The clock starts on a Tuesday at 22:13:20 UTC.
    let route = "route: {receiver: a, group_wait: 10s, group_interval: 60s, \
                 routes: [{mute_time_intervals: [late]}]}\n\
                 time_intervals: {late: [{times: [{start_time: '22:00', end_time: '22:15'}]}]}\n";
    let bench = bench(route).await;
    bench.fire("x", 36_000);
    bench.pass(20).await;
    assert!(bench.recorder.take().is_empty());
    let groups = bench.engine.groups(|_| true, |_| true);
    assert_eq!(groups[0].muted_by, ["late"]);
    bench.pass(120).await;
    assert_eq!(bench.recorder.take(), ["first notification: firing x"]);
    assert!(bench.engine.groups(|_| true, |_| true)[0].muted_by.is_empty());
    bench.apply(&route.replace("mute_time_intervals", "active_time_intervals")).await;
    bench.fire("y", 36_000);
    bench.pass(300).await;
    assert!(bench.recorder.take().is_empty());
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn route_labels_are_rendered_a_group() {
    let route = "route: {receiver: a, group_by: [alertname], group_wait: 1s, labels: \
                 {reason: '{{ .GroupLabels.alertname }}', text: 'It is {{ routeLabels \"reason\" }}', bad: '{{ .Nothing }}'}}\n";
    let bench = bench(route).await;
    bench.fire("x", 36_000);
    bench.pass(1).await;
    let groups = bench.engine.groups(|_| true, |_| true);
    let labels: Vec<_> =
        groups[0].route_labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("reason", "Down"), ("text", "It is Down")]);
    bench.stop().await;
}
