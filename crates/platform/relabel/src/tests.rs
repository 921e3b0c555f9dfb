use model::Labels;

use super::*;

fn rules(yaml: &str) -> Vec<Rule> {
    let configs: Vec<RelabelConfig> = serde_yaml::from_str(yaml).expect("yaml");
    configs.iter().map(|config| config.compile().expect("a valid rule")).collect()
}

fn apply(yaml: &str, pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    let mut labels = Labels::from_pairs(pairs.iter().copied()).to_builder();
    match relabel(&rules(yaml), &mut labels) {
        Verdict::Drop => None,
        Verdict::Keep => Some(labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()),
    }
}

fn check(yaml: &str, given: &[(&str, &str)], want: Option<&[(&str, &str)]>) {
    let want =
        want.map(|pairs| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>());
    assert_eq!(apply(yaml, given), want, "{yaml}");
}

#[test]
fn replace() {
    let given = [("a", "foo"), ("b", "bar")];
    check(
        "[{source_labels: [a], regex: 'f(.*)', target_label: d, replacement: 'ch${1}-ch${1}'}]",
        &given,
        Some(&[("a", "foo"), ("b", "bar"), ("d", "choo-choo")]),
    );
    check(
        "[{source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: a, replacement: 'b${1}${2}m'}]",
        &given,
        Some(&[("a", "boobam"), ("b", "bar")]),
    );
    check("[{source_labels: [a], regex: no, target_label: a, replacement: x}]", &given, Some(&given));
    check("[{source_labels: [a], target_label: b, replacement: ''}]", &given, Some(&[("a", "foo")]));
    check(
        "[{replacement: production, target_label: environment}]",
        &given[..1],
        Some(&[("a", "foo"), ("environment", "production")]),
    );
    check(
        "[{source_labels: [a], regex: '(f).*', target_label: 'x_$1'}]",
        &given[..1],
        Some(&[("a", "foo"), ("x_f", "f")]),
    );
}

#[test]
fn keep_and_drop() {
    let given = [("a", "foo"), ("b", "foo")];
    check("[{source_labels: [a], regex: 'f.*', action: keep}]", &given, Some(&given));
    check("[{source_labels: [a], regex: 'f', action: keep}]", &given, None);
    check("[{source_labels: [a], regex: 'f.*', action: DROP}]", &given, None);
    check("[{source_labels: [a], target_label: b, action: keepequal}]", &given, Some(&given));
    check("[{source_labels: [a], target_label: b, action: dropequal}]", &given, None);
}

#[test]
fn names_and_cases() {
    let given = [("a", "Foo"), ("b1", "x"), ("b2", "y")];
    check(
        "[{regex: 'b(.*)', replacement: 'c$1', action: labelmap}]",
        &given,
        Some(&[("a", "Foo"), ("b1", "x"), ("b2", "y"), ("c1", "x"), ("c2", "y")]),
    );
    check("[{regex: 'b.*', action: labeldrop}]", &given, Some(&[("a", "Foo")]));
    check("[{regex: 'b.*', action: labelkeep}]", &given, Some(&[("b1", "x"), ("b2", "y")]));
    check("[{source_labels: [a], target_label: a, action: lowercase}]", &given[..1], Some(&[("a", "foo")]));
    check(
        "[{source_labels: [a], target_label: a, action: uppercase}]",
        &[("a", "straße")],
        Some(&[("a", "STRAßE")]),
    );
}

#[test]
fn hashmod_is_prometheus_hash() {
    // MD5("foo\nbar") and MD5("bar;baz") are part of the rule's definition; these are its results.
    check(
        "[{source_labels: [c], target_label: d, action: hashmod, modulus: 1000}]",
        &[("c", "baz")],
        Some(&[("c", "baz"), ("d", "976")]),
    );
}

#[test]
fn mistakes_are_refused() {
    let error = |yaml: &str| {
        let config: RelabelConfig = serde_yaml::from_str(yaml).expect("yaml");
        config.compile().expect_err("a mistake").to_string()
    };
    assert_eq!(
        error("{action: replace}"),
        "relabel configuration for replace action requires 'target_label' value"
    );
    assert_eq!(
        error("{action: hashmod, target_label: a}"),
        "relabel configuration for hashmod requires non-zero modulus"
    );
    assert_eq!(
        error("{action: labeldrop, regex: a, target_label: b}"),
        "labeldrop action requires only 'regex', and no other fields"
    );
    assert_eq!(
        error("{action: keepequal, target_label: b, regex: x}"),
        "keepequal action requires only 'source_labels' and `target_label`, and no other fields"
    );
    assert_eq!(error("{regex: '(', target_label: a}"), "invalid regex of a relabel rule");
    assert!(serde_yaml::from_str::<RelabelConfig>("{action: explode}").is_err());
    assert!(serde_yaml::from_str::<RelabelConfig>("{foo: 1}").is_err());
}
