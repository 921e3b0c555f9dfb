use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::Outcome;

fn tree(yaml: &str) -> Result<RouteTree, String> {
    let file: RouteFile = config::parse(Path::new("a.yml"), yaml).map_err(|error| error.to_string())?;
    RouteTree::build(&file, MatcherMode::Fallback, &mut Warnings::new()).map_err(|error| error.to_string())
}

fn receivers(tree: &RouteTree, labels: &[(&str, &str)]) -> Vec<String> {
    let labels = Labels::from_pairs(labels.iter().copied());
    let matching: Vec<String> =
        tree.matching(&labels).iter().map(|route| route.options.receiver.clone()).collect();
    let explained: Vec<String> = tree.explain(&labels).receivers().map(str::to_owned).collect();
    assert_eq!(matching, explained, "the explanation of {labels}");
    matching
}

const TREE: &str = "
receiver: notify-def
routes:
- matchers: ['{owner=\"team-A\"}']
  receiver: notify-A
  routes:
  - {match: {env: testing}, receiver: notify-testing, group_by: [...]}
  - {matchers: [env=\"production\"], receiver: notify-productionA, group_wait: 1m, continue: true}
  - {match_re: {env: 'produ.*'}, receiver: notify-productionB, group_wait: 30s, group_interval: 5m, repeat_interval: 1h}
  - {matchers: [wait=~long], group_wait: 2m}
- match_re: {owner: 'team-(B|C)'}
  group_by: [foo, bar]
  group_wait: 2m
  receiver: notify-BC
";

#[test]
fn takes_the_first_child_that_matches_depth_first() {
    let tree = tree(TREE).expect("valid");
    let check =
        |labels: &[(&str, &str)], want: &[&str]| assert_eq!(receivers(&tree, labels), want, "{labels:?}");
    check(&[], &["notify-def"]);
    check(&[("owner", "team-A")], &["notify-A"]);
    check(&[("owner", "team-A"), ("env", "unset")], &["notify-A"]);
    check(&[("owner", "team-A"), ("env", "testing")], &["notify-testing"]);
    check(&[("owner", "team-A"), ("env", "production")], &["notify-productionA", "notify-productionB"]);
    check(&[("owner", "team-A"), ("wait", "long")], &["notify-A"]);
    check(&[("owner", "team-B")], &["notify-BC"]);
    check(&[("owner", "team-BC")], &["notify-def"]);
}

#[test]
fn options_are_inherited() {
    let tree = tree(TREE).expect("valid");
    let options = |labels: &[(&str, &str)]| {
        let labels = Labels::from_pairs(labels.iter().copied());
        tree.matching(&labels).last().expect("a route").options.clone()
    };
    let default = options(&[]);
    assert_eq!(default.group_wait, Duration::from_secs(30));
    assert_eq!(default.group_interval, Duration::from_secs(300));
    assert_eq!(default.repeat_interval, Duration::from_secs(4 * 3600));
    let testing = options(&[("owner", "team-A"), ("env", "testing")]);
    assert!(testing.group_by_all);
    let waiting = options(&[("owner", "team-A"), ("wait", "long")]);
    assert_eq!((waiting.receiver.as_str(), waiting.group_wait), ("notify-A", Duration::from_secs(120)));
    assert_eq!(options(&[("owner", "team-C")]).group_by, ["bar", "foo"]);
}

#[test]
fn keys_name_route_and_group() {
    let tree = tree(TREE).expect("valid");
    let labels = Labels::from_pairs([("owner", "team-B"), ("foo", "a\"b"), ("x", "y")]);
    let route = tree.matching(&labels)[0];
    assert_eq!(route.key, r#"{}/{owner=~"team-(B|C)"}"#);
    let group = route.group_labels(&labels);
    assert_eq!(route.group_key(&group), r#"{}/{owner=~"team-(B|C)"}:{foo="a\"b"}"#);
    assert_eq!(tree.root().group_key(&Labels::empty()), "{}:{}");
}

#[test]
fn explains_every_route() {
    let tree = tree(TREE).expect("valid");
    let explanation = tree.explain(&Labels::from_pairs([("owner", "team-A"), ("env", "testing")]));
    let outcomes: Vec<_> = explanation.steps.iter().map(|step| &step.outcome).collect();
    assert_eq!(
        outcomes,
        [
            &Outcome::Passes,
            &Outcome::Passes,
            &Outcome::Notifies,
            &Outcome::NotReached,
            &Outcome::NotReached,
            &Outcome::NotReached,
            &Outcome::NotReached,
        ]
    );
    let text = tree.explain(&Labels::from_pairs([("owner", "team-D")])).to_string();
    assert!(text.starts_with("{} notifies notify-def\n"), "{text}");
    assert!(
        text.contains("  {owner=~\"team-(B|C)\"} refuses: owner=~\"team-(B|C)\" does not hold, the label is \"team-D\"\n"),
        "{text}"
    );
}

#[test]
fn mistakes_are_told_in_the_original_words() {
    let check = |yaml: &str, want: &str| assert_eq!(tree(yaml).expect_err(yaml), want, "{yaml}");
    check("{}", "root route must specify a default receiver");
    check("{receiver: a, matchers: [a=b]}", "root route must not have any matchers");
    check("{receiver: a, match: {a: b}}", "root route must not have any matchers");
    check("{receiver: a, continue: true}", "cannot have continue in root route");
    check("{receiver: a, mute_time_intervals: [x]}", "root route must not have any mute time intervals");
    check("{receiver: a, active_time_intervals: [x]}", "root route must not have any active time intervals");
    check(
        "{receiver: a, group_by: ['...', b]}",
        "cannot have wildcard group_by (`...`) and other labels at the same time",
    );
    check("{receiver: a, group_by: [b, b]}", "duplicated label \"b\" in group_by");
    check("{receiver: a, group_by: ['']}", "invalid label name \"\" in group_by list");
    check("{receiver: a, group_interval: 0s}", "group_interval cannot be zero");
    check("{receiver: a, repeat_interval: 0s}", "repeat_interval cannot be zero");
    check("{receiver: a, routes: [{match: {1a: b}}]}", "invalid label name \"1a\"");
    check("{receiver: a, routes: [{match_re: {a: }}]}", "invalid regexp value for \"a\"");
    check(
        "receiver: a\nroutes:\n- matchers: ['a']\n",
        "a.yml:3:13: routes[0].matchers: bad matcher format: a",
    );
    let error = tree("receiver: a\nrepeat: 1h\n").expect_err("unknown");
    assert!(error.starts_with("a.yml:2:1: unknown field `repeat`"), "{error}");
}

#[test]
fn names_must_exist() {
    let tree = tree("{receiver: a, routes: [{receiver: b, mute_time_intervals: [c]}]}").expect("valid");
    let check = |receivers: &[&str], intervals: &[&str]| {
        tree.check_names(|name| receivers.contains(&name), |name| intervals.contains(&name))
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(&["a"], &["c"]), Err("undefined receiver \"b\" used in route".into()));
    assert_eq!(check(&["a", "b"], &[]), Err("undefined time interval \"c\" used in route".into()));
    assert_eq!(check(&["a", "b"], &["c"]), Ok(()));
}

/// The route of a whole configuration file.
#[derive(Deserialize)]
struct File {
    route: RouteFile,
}

#[test]
fn example_of_the_documentation() {
    let Some(dir) = testkit::conformance_dir("alertmanager") else { return };
    let text = std::fs::read_to_string(dir.join("doc-simple.yml")).expect("the file");
    let file: File = config::parse(Path::new("doc-simple.yml"), &text).expect("valid");
    let tree = RouteTree::build(&file.route, MatcherMode::Fallback, &mut Warnings::new()).expect("valid");
    let check =
        |labels: &[(&str, &str)], want: &[&str]| assert_eq!(receivers(&tree, labels), want, "{labels:?}");
    check(&[("service", "foo1")], &["team-X-mails"]);
    check(&[("service", "foo1"), ("severity", "critical")], &["team-X-pager"]);
    check(&[("service", "files"), ("severity", "critical")], &["team-Y-pager"]);
    check(&[("service", "database")], &["team-DB-pager"]);
    check(&[("service", "database"), ("owner", "team-X")], &["team-X-pager"]);
    check(&[("service", "database"), ("owner", "team-Y")], &["team-Y-pager"]);
    check(&[("service", "other")], &["team-X-mails"]);
}
