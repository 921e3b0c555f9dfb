mod fixed;

use std::{path::Path, sync::Arc, time::Duration};

use config::SourceFile;
use fixed::FixedEvaluator;
use http::StatusCode;
use model::{Labels, Millis, is_stale};
use prometheus_client::registry::Registry;
use service::Stopper;
use testkit::{HttpRecorder, eventually};

use super::*;
use crate::{group::Evaluation, metrics::RuleMetrics};

const MINUTE: Millis = 60_000;

/// A group that is evaluated by hand.
struct Bench {
    evaluator: Arc<FixedEvaluator>,
    group: Group,
    metrics: RuleMetrics,
    context: ExpandContext,
}

impl Bench {
    fn new(rules: &str) -> Self {
        let source: RuleFile =
            serde_yaml::from_str(&format!("groups: [{{name: g, interval: 1m, rules: {rules}}}]"))
                .expect("yaml");
        let group =
            Group::new("a.yml".into(), source.groups[0].clone(), Duration::from_secs(60), Duration::ZERO);
        let external_labels = Labels::from_pairs([("cluster", "c1")]);
        Self {
            evaluator: Arc::new(FixedEvaluator::default()),
            group,
            metrics: RuleMetrics::register(&mut Registry::default(), "prometheus"),
            context: ExpandContext { external_labels, external_url: "http://p:9090/x".into() },
        }
    }

    fn at(&self, at: Millis) -> Vec<Alert> {
        let evaluator: Arc<dyn Evaluator> = self.evaluator.clone();
        let evaluation = Evaluation {
            evaluator: &evaluator,
            context: &self.context,
            metrics: &self.metrics,
            resend_delay: Duration::from_secs(60),
            outage_tolerance: Duration::from_secs(3600),
            grace_period: Duration::from_secs(600),
        };
        self.group.evaluate(&evaluation, at).into_iter().map(|(_, alert)| alert).collect()
    }

    fn state(&self) -> AlertState {
        self.group.status().rules[0].state
    }
}

#[test]
fn recording_rules_write_and_end_series() {
    let bench = Bench::new("[{record: 'job:up', expr: up, labels: {team: a}}]");
    bench.evaluator.set("up", &[(&[("__name__", "up"), ("job", "x")], 3.0)]);
    bench.at(MINUTE);
    let stored = bench.evaluator.take_stored();
    assert_eq!(stored[0].1[0].labels.to_string(), r#"{__name__="job:up", job="x", team="a"}"#);
    bench.evaluator.set("up", &[]);
    bench.at(2 * MINUTE);
    let stored = bench.evaluator.take_stored();
    assert!(is_stale(stored[0].1[0].value));
    assert_eq!(stored[0].0, 2 * MINUTE);
}

#[test]
fn a_failing_rule_is_shown_and_its_series_stay() {
    let bench = Bench::new("[{record: a, expr: up}]");
    bench.at(MINUTE);
    let status = bench.group.status();
    assert_eq!(
        (status.rules[0].health, status.rules[0].last_error.as_str()),
        (RuleHealth::Err, "no such expression: up")
    );
}

#[test]
fn alerts_pend_fire_and_resolve() {
    let bench = Bench::new(
        "[{alert: Down, expr: e, for: 2m, labels: {severity: page, who: '{{ $labels.job }}'}, \
         annotations: {text: '{{ $labels.job }} is {{ $value | humanize }} in {{ $externalLabels.cluster }}'}}]",
    );
    bench.evaluator.set("e", &[(&[("job", "x")], 1500.0)]);
    assert!(bench.at(MINUTE).is_empty());
    assert_eq!(bench.state(), AlertState::Pending);
    assert!(bench.at(2 * MINUTE).is_empty());
    let sent = bench.at(3 * MINUTE);
    assert_eq!(bench.state(), AlertState::Firing);
    assert_eq!(sent[0].labels.to_string(), r#"{alertname="Down", job="x", severity="page", who="x"}"#);
    assert_eq!(sent[0].annotations.value("text"), "x is 1.5k in c1");
    assert_eq!((sent[0].fired_at, sent[0].valid_until), (Some(3 * MINUTE), 3 * MINUTE + 4 * MINUTE));
    let mut shown = bench.evaluator.take_stored().pop().expect("stored").1;
    assert!(is_stale(shown.pop().expect("the pending series ends").value));
    let names: Vec<_> = shown
        .iter()
        .map(|sample| {
            (
                sample.labels.metric_name().to_owned(),
                sample.labels.value("alertstate").to_owned(),
                sample.value,
            )
        })
        .collect();
    assert_eq!(
        names,
        [("ALERTS_FOR_STATE".into(), String::new(), 60.0), ("ALERTS".into(), "firing".into(), 1.0)]
    );
    // Not sent again before the resend delay has passed.
    assert!(bench.at(4 * MINUTE).is_empty());
    assert_eq!(bench.at(5 * MINUTE).len(), 1);
    bench.evaluator.set("e", &[]);
    let resolved = bench.at(6 * MINUTE);
    assert_eq!((resolved[0].state, resolved[0].resolved_at), (AlertState::Inactive, Some(6 * MINUTE)));
    assert_eq!(bench.state(), AlertState::Inactive);
    // Told again for a quarter of an hour, then forgotten.
    assert_eq!(bench.at(8 * MINUTE).len(), 1);
    assert!(bench.at(22 * MINUTE).is_empty());
}

#[test]
fn alerts_keep_firing_for_a_while() {
    let bench = Bench::new("[{alert: A, expr: e, keep_firing_for: 3m}]");
    bench.evaluator.set("e", &[(&[], 1.0)]);
    bench.at(MINUTE);
    bench.evaluator.set("e", &[]);
    bench.at(2 * MINUTE);
    bench.at(4 * MINUTE);
    assert_eq!(bench.state(), AlertState::Firing);
    bench.at(5 * MINUTE);
    assert_eq!(bench.state(), AlertState::Inactive);
}

#[test]
fn pending_alerts_find_their_state_after_a_restart() {
    let bench = Bench::new("[{alert: A, expr: e, for: 30m}]");
    bench.evaluator.set("e", &[(&[("job", "x")], 1.0)]);
    let labels = Labels::from_pairs([("__name__", "ALERTS_FOR_STATE"), ("alertname", "A"), ("job", "x")]);
    // Active for 15 minutes, then the daemon was away for 5.
    bench.evaluator.set_newest(vec![(labels, 100 * MINUTE, (85 * MINUTE / 1000) as f64)]);
    bench.at(105 * MINUTE);
    let active_at = bench.group.status().rules[0].alerts[0].active_at;
    assert_eq!(active_at, 90 * MINUTE);
    bench.at(119 * MINUTE);
    assert_eq!(bench.state(), AlertState::Pending);
    bench.at(120 * MINUTE);
    assert_eq!(bench.state(), AlertState::Firing);
}

#[test]
fn limits_and_broken_templates() {
    let bench = Bench::new("[{alert: A, expr: e, annotations: {t: '{{ template \"none\" }}'}}]");
    bench.evaluator.set("e", &[(&[("a", "1")], 1.0)]);
    assert!(bench.at(MINUTE)[0].annotations.value("t").starts_with("<error expanding template: "));
}

fn check(text: &str) -> Result<RuleFile, String> {
    let source = SourceFile { path: "r.yml".into(), text: text.into() };
    parse_rule_file(&source, &FixedEvaluator::default()).map_err(|error| error.to_string())
}

#[test]
fn mistakes_are_named() {
    let error = |text: &str| check(text).expect_err(text);
    assert_eq!(
        error("groups: [{name: a, rules: [{expr: x}]}]"),
        "r.yml: group \"a\", rule 1, \"\": one of 'record' or 'alert' must be set"
    );
    assert_eq!(
        error("groups: [{name: a}, {name: a}]"),
        "r.yml: groupname: \"a\" is repeated in the same file"
    );
    assert!(
        error("groups: [{name: a, rules: [{alert: b, record: c, expr: x}]}]")
            .contains("only one of 'record' and 'alert' must be set")
    );
    assert!(
        error("groups: [{name: a, rules: [{record: c, expr: x, for: 1m}]}]")
            .contains("invalid field 'for' in recording rule")
    );
    assert!(
        error("groups: [{name: a, rules: [{alert: c, expr: 'bad('}]}]")
            .contains("could not parse expression: ")
    );
    assert!(
        error("groups: [{name: a, rules: [{alert: c, expr: x, annotations: {t: '{{ $x }}'}}]}]")
            .contains("undefined variable")
    );
    assert_eq!(
        error("groups: [{nam: a}]"),
        "r.yml:1:11: groups[0]: unknown field `nam`, expected one of `name`, `interval`, `query_offset`, `limit`, `labels`, `rules`, `partial_response_strategy`"
    );
}

#[test]
fn rule_files_of_the_peers_are_read() {
    let Some(dir) = testkit::conformance_dir("rules") else { return };
    let mut files = 0;
    for folder in ["", "rulefmt-testdata"] {
        for entry in std::fs::read_dir(dir.join(folder)).expect("folder") {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            if path.is_dir() || !name.contains(".y") {
                continue;
            }
            // Their expressions are for the parsers of the query languages to judge.
            let expression_only = name.contains("bad_expr");
            let source = SourceFile::read(&path).expect("readable");
            let outcome = parse_rule_file(&source, &FixedEvaluator::lenient());
            assert_eq!(
                outcome.is_ok(),
                !name.contains(".bad.") || expression_only || is_legacy_only(&name),
                "{name}: {:?}",
                outcome.err()
            );
            files += 1;
        }
    }
    assert!(files > 20, "{files}");
}

/// Bad only where names are held to the older, narrower form.
fn is_legacy_only(name: &str) -> bool {
    Path::new(name).to_string_lossy().starts_with("legacy_validation")
}

#[tokio::test]
async fn alerts_reach_alertmanagers() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = HttpRecorder::answering(|_| (StatusCode::SERVICE_UNAVAILABLE, String::new())).await;
    let block: AlertmanagerConfig = serde_yaml::from_str(&format!(
        "{{path_prefix: /am, static_configs: [{{targets: ['{}']}}]}}",
        server.address()
    ))
    .expect("yaml");
    let notifier =
        Notifier::new(NotifierOptions { batch_size: 2, ..Default::default() }, &mut Registry::default());
    let relabel: Vec<relabel::RelabelConfig> =
        serde_yaml::from_str("[{regex: replica, action: labeldrop}]").expect("yaml");
    let checked = NotifierConfig::check(&relabel, &[block], Path::new("")).expect("valid");
    notifier.apply(checked, Labels::from_pairs([("cluster", "c"), ("replica", "r")]));
    let alert = |name: &str| Notification {
        labels: Labels::from_pairs([("alertname", name)]),
        annotations: Labels::from_pairs([("text", "hi")]),
        starts_at: 1_700_000_000_123,
        ends_at: 1_700_000_240_123,
        generator_url: "http://p/graph?g0.expr=up&g0.tab=1".into(),
    };
    notifier.send(vec![alert("a"), alert("b"), alert("c")]);
    server.wait_for(1).await;
    server.answer(|_| (StatusCode::OK, String::new()));
    let bodies = eventually("all three", || async {
        let taken: Vec<String> = server
            .requests()
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect();
        taken.iter().any(|body| body.contains("\"alertname\":\"c\"")).then_some(taken)
    })
    .await;
    assert_eq!(server.requests()[0].uri.path(), "/am/api/v2/alerts");
    assert_eq!(bodies[0], bodies[1], "a refused batch is sent again");
    assert_eq!(
        bodies.last().map(String::as_str),
        Some(
            r#"[{"labels":{"alertname":"c","cluster":"c"},"annotations":{"text":"hi"},"startsAt":"2023-11-14T22:13:20.123Z","endsAt":"2023-11-14T22:17:20.123Z","generatorURL":"http://p/graph?g0.expr=up&g0.tab=1"}]"#
        )
    );
    assert_eq!(notifier.alertmanagers()[0].as_str(), server.url("/am/api/v2/alerts"));
    notifier.finish(Duration::from_secs(5)).await.expect("ends");
}

#[tokio::test]
async fn groups_run_and_a_reload_keeps_alerts() {
    let stopper = Stopper::new();
    let evaluator = Arc::new(FixedEvaluator::default());
    evaluator.set("e", &[(&[], 1.0)]);
    let notifier = Notifier::new(NotifierOptions::default(), &mut Registry::default());
    let manager = Manager::new(
        evaluator.clone(),
        notifier,
        ManagerOptions::default(),
        &mut Registry::default(),
        &stopper.token(),
    );
    let file = |hold: &str| -> Vec<(std::path::PathBuf, RuleFile)> {
        let text =
            format!("groups: [{{name: g, interval: 20ms, rules: [{{alert: A, expr: e, for: {hold}}}]}}]");
        vec![("a.yml".into(), serde_yaml::from_str(&text).expect("yaml"))]
    };
    let apply =
        |files| manager.apply(files, Duration::from_secs(60), Duration::ZERO, ExpandContext::default());
    apply(file("1h"));
    let first_active = eventually("pending", || async {
        manager.groups()[0].rules[0].alerts.first().map(|alert| alert.active_at)
    })
    .await;
    apply(file("0s"));
    let alert = eventually("firing", || async {
        manager.groups()[0].rules[0].alerts.first().filter(|alert| alert.state == AlertState::Firing).cloned()
    })
    .await;
    assert_eq!(alert.active_at, first_active);
    apply(Vec::new());
    eventually("ended", || async {
        evaluator
            .stored()
            .iter()
            .any(|(_, samples)| samples.iter().any(|sample| is_stale(sample.value)))
            .then_some(())
    })
    .await;
    stopper.stop();
    manager.stop(Duration::from_secs(5)).await.expect("ends");
}
