use model::{Labels, LabelsBuilder};
use proptest::prelude::*;

use super::*;

fn samples(text: &str, format: Format) -> Result<Vec<(Labels, f64, Option<i64>)>, ParseError> {
    let mut builder = LabelsBuilder::new();
    let mut all = Vec::new();
    for item in Lines::new(text, format) {
        if let Item::Sample(sample) = item? {
            labels(sample.series, &mut builder).unwrap_or_else(|| panic!("labels of {}", sample.series));
            all.push((builder.build(), sample.value, sample.timestamp));
        }
    }
    Ok(all)
}

fn check(text: &str, format: Format, want: &[(&str, f64, Option<i64>)]) {
    let got: Vec<_> =
        samples(text, format).expect(text).into_iter().map(|(l, v, t)| (l.to_string(), v, t)).collect();
    let want: Vec<_> = want.iter().map(|(l, v, t)| ((*l).to_owned(), *v, *t)).collect();
    assert_eq!(got, want, "{text}");
}

fn fails(text: &str, format: Format, want: &str) {
    assert_eq!(samples(text, format).expect_err(text).to_string(), want, "{text}");
}

#[test]
fn text_samples() {
    check("up 1", Format::Text, &[(r#"{__name__="up"}"#, 1.0, None)]);
    check("  up\t1 123\r\n\n# a comment\n", Format::Text, &[(r#"{__name__="up"}"#, 1.0, Some(123))]);
    check(
        "a_b:c { x = \"1\" , y=\"a\\\"b\\\\c\\nd\", } +Inf -5\n",
        Format::Text,
        &[(r#"{__name__="a_b:c", x="1", y="a\"b\\c\nd"}"#, f64::INFINITY, Some(-5))],
    );
    check("a{b=\"c\"}1\n", Format::Text, &[(r#"{__name__="a", b="c"}"#, 1.0, None)]);
    check("a{b=\"ü☃\"} 0x1p3\n", Format::Text, &[(r#"{__name__="a", b="ü☃"}"#, 8.0, None)]);
    check(
        "{\"my.metric\",\"l.x\"=\"1\"} 2\n",
        Format::Text,
        &[(r#"{__name__="my.metric", "l.x"="1"}"#, 2.0, None)],
    );
}

#[test]
fn text_mistakes() {
    fails("a{b=\"c} 1\n", Format::Text, "line 1: unterminated quoted string in labels");
    fails("a 1\nb{c} 1\n", Format::Text, "line 2: expected equal, got \"} 1\"");
    fails("a x\n", Format::Text, "line 1: expected a float as value, got \"x\"");
    fails("a\n", Format::Text, "line 1: expected value after metric, got \"\"");
    fails("a 1 b\n", Format::Text, "line 1: expected timestamp, got \"b\"");
    fails("a 1 2 3\n", Format::Text, "line 1: expected next entry after timestamp, got \"3\"");
    fails("9a 1\n", Format::Text, "line 1: invalid metric name \"9a\"");
    fails("# TYPE a bunch\n", Format::Text, "line 1: invalid metric type \"bunch\"");
}

#[test]
fn openmetrics_samples() {
    let text = "# HELP a Help \\\"x\\\" \\\\ y.\n# TYPE a counter\n# UNIT a seconds\n\
                a_total{b=\"c\"} 1 1.5 # {trace=\"t\"} 0.5 1.25\na_created 3\n# EOF\n";
    let items: Vec<_> = Lines::new(text, Format::OpenMetrics).collect::<Result<_, _>>().expect("valid");
    assert_eq!(items[0], Item::Help { family: "a".into(), text: "Help \"x\" \\ y.".into() });
    assert_eq!(items[1], Item::Type { family: "a".into(), metric_type: storage::MetricType::Counter });
    assert_eq!(items[2], Item::Unit { family: "a".into(), unit: "seconds" });
    let Item::Sample(sample) = &items[3] else { panic!("{items:?}") };
    assert_eq!(sample.timestamp, Some(1500));
    assert_eq!(
        sample.exemplar,
        Some(RawExemplar { labels: "{trace=\"t\"}", value: 0.5, timestamp: Some(1250) })
    );
}

#[test]
fn openmetrics_mistakes() {
    fails("a 1\n", Format::OpenMetrics, "line 1: data does not end with # EOF");
    fails("a 1\n# EOF\na 2\n", Format::OpenMetrics, "line 3: unexpected data after # EOF");
    fails("a 1\n\n# EOF\n", Format::OpenMetrics, "line 2: unexpected empty line");
    fails("# nonsense\n# EOF\n", Format::OpenMetrics, "line 1: unexpected comment, found \"nonsense\"");
}

/// The published examples of both formats: what is right is read, what is wrong in its syntax is refused.
#[test]
fn conformance_examples() {
    let Some(dir) = testkit::conformance_dir("exposition/text-0.0.4") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let outcome = samples_or_none(&text, Format::Text);
        // Wrong in what they say, not in how: a family given twice or typed late, a quantile that is no number, no name at all (refused
        // by the scraper), an escape that the original's scraper lets pass too.
        let well_formed = ["_1.prom", "_7.prom", "_12.prom", "_13.prom", "_14.prom", "_18.prom"];
        if name.starts_with("good") {
            assert!(outcome, "{name}");
        } else if !well_formed.iter().any(|ending| name.ends_with(ending)) {
            assert!(!outcome, "{name}");
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    let Some(dir) = testkit::conformance_dir("exposition/openmetrics") else { return };
    for entry in std::fs::read_dir(dir).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(path.join("metrics")) else { continue };
        if !name.starts_with("bad") {
            assert!(samples_or_none(&text, Format::OpenMetrics), "{name}");
        }
    }
}

fn samples_or_none(text: &str, format: Format) -> bool {
    let mut builder = LabelsBuilder::new();
    Lines::new(text, format).all(|item| match item {
        Ok(Item::Sample(sample)) => labels(sample.series, &mut builder).is_some(),
        Ok(_) => true,
        Err(_) => false,
    })
}

proptest! {
    #[test]
    fn garbage_never_panics(text in "[ -~\\n\\t\"{}=,#é☃]{0,80}", openmetrics: bool) {
        let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
        let _ = samples_or_none(&text, format);
    }

    #[test]
    fn label_values_read_back(value in ".{0,20}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("a{{b=\"{escaped}\"}} 1\n");
        let all = samples(&line, Format::Text).expect("valid");
        prop_assert_eq!(all[0].0.value("b"), value.as_str());
    }
}
