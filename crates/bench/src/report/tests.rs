use std::path::PathBuf;

use super::*;

const COST: Measure = Measure::new("Group", "cost of `a|b`", "ms", Aim::Within(0.5, Product::Prometheus));
const SIZE: Measure = Measure::new("Group", "size", "bytes", Aim::AtMost(1_500.0));
const NEVER: Measure = Measure::new("Other", "never taken", "s", Aim::None);

fn report() -> Report {
    let machine = Machine {
        date: "2030-01-02".to_owned(),
        cores: 2,
        cpu: "Some CPU".to_owned(),
        memory: 24 << 30,
        kernel: "6.1".to_owned(),
        system: "Some OS".to_owned(),
        load: "0.00".to_owned(),
    };
    let version = "prometheus, version 2.42.0".to_owned();
    let program = Program { product: Product::Prometheus, path: PathBuf::from("prometheus"), version };
    let mut report = Report::new(machine, vec![program], vec!["seed 1".to_owned()]);
    report.declare([COST, SIZE, NEVER]);
    for value in [30.0, 10.0, 20.0] {
        report.add(Product::Prometheus, &COST, value);
    }
    report.add(Product::Metricsd, &COST, 8.0);
    report.add(Product::Metricsd, &SIZE, 1_600.0);
    report
}

#[test]
fn a_table_of_figures_ratios_and_aims() {
    let want = "Taken 2030-01-02 on 2 cores (Some CPU), 24 GiB of memory, Some OS, Linux 6.1; load before the run 0.00.

- prometheus, version 2.42.0
- seed 1

| measure | unit | prometheus | victoria-metrics | metricsd | metricsd / prometheus | metricsd / victoria-metrics | aim |
|---|---|--:|--:|--:|--:|--:|---|
| **Group** | | | | | | | |
| cost of `a\\|b` | ms | 20.0 | – | 8.00 | 0.40 | – | ≤ 0.5 × prometheus ✓ |
| size | bytes | – | – | 1,600 | – | – | ≤ 1,500 ✗ |
";
    assert_eq!(report().markdown(), want);
}

#[test]
fn notes_are_shown() {
    let mut report = report();
    assert!(report.is_clean());
    report.note(Product::VictoriaMetrics, "did not start");
    assert!(!report.is_clean());
    assert!(report.markdown().ends_with("\nNot as it should be:\n\n- victoria-metrics: did not start\n"));
}

#[test]
fn json_has_the_same() {
    let json = report().json();
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
    let cost = &json["rows"][0];
    assert_eq!(cost["prometheus"], 20.0);
    assert_eq!(cost["victoria-metrics"], Value::Null);
    assert_eq!(cost["ratios"]["prometheus"], 0.4);
    assert_eq!(cost["reached"], true);
    assert_eq!(json["versions"]["prometheus"], "prometheus, version 2.42.0");
    assert_eq!(json["machine"]["cores"], 2);
}

#[test]
fn figures_are_short() {
    let cases = [
        (0.0, "0.000"),
        (0.0123, "0.012"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1_234.5, "1,234"),
        (24_000_000.0, "24,000,000"),
        (-123_456.0, "-123,456"),
    ];
    for (value, want) in cases {
        assert_eq!(render::figure(value), want);
    }
}

#[test]
fn medians() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0]), Some(2.5));
}

#[test]
fn aims_of_more_and_of_faster() {
    let measure = |aim| Measure::new("Group", "title", "ms", aim);
    let reached = |aim, values: [f64; 3]| {
        let mut row = Row { measure: measure(aim), values: BTreeMap::new() };
        for (product, value) in Product::ALL.into_iter().zip(values) {
            row.values.insert(product, vec![value]);
        }
        row.reached()
    };
    let faster = Aim::TimesAsFast(8.0, 3.0);
    assert_eq!(faster.to_string(), "8 × as fast as prometheus, 3 × as victoria-metrics");
    assert_eq!(reached(faster, [80.0, 30.0, 10.0]), Some(true));
    assert_eq!(reached(faster, [79.0, 30.0, 10.0]), Some(false));
    assert_eq!(reached(faster, [80.0, 29.0, 10.0]), Some(false));
    let enough = Aim::AtLeast(32.0);
    assert_eq!(enough.to_string(), "≥ 32");
    assert_eq!(reached(enough, [0.0, 0.0, 32.0]), Some(true));
    assert_eq!(reached(enough, [99.0, 99.0, 31.0]), Some(false));
    let row = Row { measure: measure(faster), values: BTreeMap::from([(Product::Metricsd, vec![1.0])]) };
    assert_eq!(row.reached(), None, "nothing to compare with");
}

/// A run that has measured only queries.
fn queries() -> Reports {
    let report = || Report::new(report().machine, Vec::new(), Vec::new());
    let mut reports = Reports { figures: report(), queries: report() };
    reports.queries.declare([SIZE]);
    reports.queries.add(Product::Metricsd, &SIZE, 1.0);
    reports
}

#[test]
fn a_page_keeps_what_is_around_the_reports() {
    let (figures, queries) = (report(), queries().queries);
    let (first, second) = (figures.markdown(), queries.markdown());
    let reports = Reports { figures, queries };
    let page = "a\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nb\n<!-- queries: begin -->\n<!-- queries: end -->\n";
    let new = reports.put_in_place(page);
    let want = format!(
        "a\n<!-- figures: begin -->\n\n{first}\n<!-- figures: end -->\nb\n<!-- queries: begin -->\n\n{second}\n<!-- queries: end -->\n"
    );
    assert_eq!(new, want);
    assert_eq!(reports.put_in_place(&new), new);
    assert_eq!(reports.put_in_place("no marks"), format!("{first}\n{second}"));
}

#[test]
fn a_run_leaves_what_it_has_not_measured() {
    let reports = queries();
    assert!(reports.is_clean());
    let text = reports.queries.markdown();
    assert_eq!(reports.markdown(), text);
    let figures = "<!-- figures: begin -->\nold\n<!-- figures: end -->\n";
    assert_eq!(reports.put_in_place(figures), figures);
    let both = format!("{figures}<!-- queries: begin -->\nold\n<!-- queries: end -->\n");
    let want = format!("{figures}<!-- queries: begin -->\n\n{text}\n<!-- queries: end -->\n");
    assert_eq!(reports.put_in_place(&both), want);
    assert_eq!(reports.json()["queries"]["rows"][0]["metricsd"], 1.0);
}
