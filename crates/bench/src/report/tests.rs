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
fn a_page_keeps_what_is_around_the_figures() {
    let page = "a\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nb\n";
    let new = render::put_in_place(page, "new\n");
    assert_eq!(new, "a\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nb\n");
    assert_eq!(render::put_in_place(&new, "new\n"), new);
    assert_eq!(render::put_in_place("no marks", "new\n"), "new\n");
}
