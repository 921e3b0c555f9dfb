//! The exporter as a whole, on this machine and on files of our own.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{Format, NodeExporter, Options, OptionsError};

fn gather(options: Options, format: Format) -> String {
    let exporter = NodeExporter::new(options).expect("builds");
    let all = exporter.select(&[], &[]).expect("selects");
    exporter.gather(&all, format)
}

fn only(collector: &str, flags: &[(&str, &str)]) -> String {
    let mut options = Options::default();
    options.set("collector.disable-defaults", "true").expect("a flag");
    options.set(&format!("collector.{collector}"), "true").expect("a collector");
    for (flag, value) in flags {
        options.set(flag, value).expect(flag);
    }
    gather(options, Format::Text)
}

fn value_of(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn this_machine_has_the_common_metrics() {
    let text = gather(Options::default(), Format::Text);
    for name in [
        "node_load1",
        "node_memory_MemTotal_bytes",
        "node_boot_time_seconds",
        "node_time_seconds",
        "node_filefd_maximum",
        "node_context_switches_total",
    ] {
        assert!(value_of(&text, name).is_some_and(|value| value > 0.0), "{name} in {text}");
    }
    assert!(text.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} "));
    assert!(text.contains("node_uname_info{sysname=\"Linux\""));
    assert!(text.contains("node_scrape_collector_success{collector=\"loadavg\"} 1"));
}

#[test]
fn both_formats_are_well_formed() {
    for format in [Format::Text, Format::OpenMetrics] {
        let text = gather(Options::default(), format);
        let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
        let mut current = "";
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                let (name, kind) = head.split_once(' ').expect("name and type");
                assert!(kinds.insert(name, kind).is_none(), "{name} twice");
                current = name;
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().expect("a name");
                assert!(
                    name == current || name.strip_suffix("_total") == Some(current),
                    "{line} under {current}"
                );
            }
        }
        assert!(kinds.len() > 50, "{} families", kinds.len());
    }
}

/// Types of families are those of the peer's own golden output.
#[test]
fn families_have_the_peers_types() {
    let Some(dir) = testkit::conformance_dir("exposition/node_exporter") else { return };
    let golden = fs::read_to_string(dir.join("e2e-output.txt")).expect("readable");
    let types = |text: &str| -> BTreeMap<String, String> {
        let heads = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        heads.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
    };
    let want = types(&golden);
    let ours = types(&gather(Options::default(), Format::Text));
    let differ: Vec<_> = ours
        .iter()
        .filter_map(|(name, kind)| {
            let want = want.get(name)?;
            (want != kind).then(|| format!("{name}: {kind}, want {want}"))
        })
        .collect();
    assert!(differ.is_empty(), "{differ:?}");
    let known = ours.keys().filter(|name| want.contains_key(*name)).count();
    assert!(known > 50, "only {known} families are the peer's");
}

#[test]
fn a_failing_collector_leaves_the_others_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("loadavg"), "0.1 nonsense 0.3 1/2 3\n").expect("written");
    fs::write(dir.path().join("meminfo"), "MemTotal: 10 kB\nActive(anon): 2 kB\nHugePages_Total: 3\n")
        .expect("written");
    let mut options = Options::default();
    options.set("path.procfs", &dir.path().to_string_lossy()).expect("a flag");
    let text = gather(options, Format::Text);
    assert!(!text.contains("node_load1 "), "a failed collector's output is taken back");
    assert_eq!(value_of(&text, "node_memory_MemTotal_bytes"), Some(10240.0));
    assert_eq!(value_of(&text, "node_memory_Active_anon_bytes"), Some(2048.0));
    assert_eq!(value_of(&text, "node_memory_HugePages_Total"), Some(3.0));
    assert!(text.contains("node_scrape_collector_success{collector=\"loadavg\"} 0"));
    assert!(text.contains("node_scrape_collector_success{collector=\"meminfo\"} 1"));
}

#[test]
fn requests_choose_collectors() {
    let exporter = NodeExporter::new(Options::default()).expect("builds");
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let selection = exporter.select(&names(&["loadavg"]), &[]).expect("selects");
    let text = exporter.gather(&selection, Format::Text);
    assert!(text.contains("node_load1 ") && !text.contains("node_memory_"));
    let selection = exporter.select(&[], &names(&["loadavg"])).expect("selects");
    let text = exporter.gather(&selection, Format::Text);
    assert!(!text.contains("node_load1 ") && text.contains("node_memory_"));
    let error = exporter.select(&names(&["a"]), &names(&["b"])).expect_err("both");
    assert_eq!(error.to_string(), "Combined collect and exclude queries are not allowed.");
    assert!(exporter.select(&names(&["nosuch"]), &[]).is_err());
}

#[test]
fn flags_are_checked() {
    let mut options = Options::default();
    options.set("no-collector.cpu", "true").expect("switches off");
    options.set("no-collector.zfs", "true").expect("asks for nothing");
    assert!(matches!(options.set("collector.zfs", "true"), Err(OptionsError::NoCollector(_))));
    assert!(matches!(options.set("collector.nonsense", "true"), Err(OptionsError::Unknown(_))));
    assert!(matches!(options.set("collector.netdev.netlink", "true"), Err(OptionsError::NotSupported(_))));
    options.set("collector.vmstat.fields", "(").expect("checked later");
    assert!(matches!(NodeExporter::new(options), Err(OptionsError::Regex { .. })));
}

#[test]
fn disks_and_network_are_counted_in_base_units() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().to_string_lossy().into_owned();
    let line = "   8       0 sda 25354637 34367663 1003346126 18492372 28444756 11134226 505697032 63877960 0 9653880 82621804\n";
    fs::write(dir.path().join("diskstats"), format!("{line}   8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n"))
        .expect("written");
    let text = only("diskstats", &[("path.procfs", &path), ("path.sysfs", &path), ("path.udev.data", &path)]);
    assert_eq!(value_of(&text, "node_disk_read_bytes_total{device=\"sda\"}"), Some(513_713_216_512.0));
    assert_eq!(value_of(&text, "node_disk_io_time_seconds_total{device=\"sda\"}"), Some(9653.880000000001));
    assert!(!text.contains("sda1"), "partitions are left out");
    fs::create_dir(dir.path().join("net")).expect("made");
    let head = "Inter-|   Receive   |  Transmit\n face |bytes packets|bytes packets\n";
    fs::write(dir.path().join("net/dev"), format!("{head}  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"))
        .expect("written");
    let text = only("netdev", &[("path.procfs", &path), ("path.sysfs", &path)]);
    assert_eq!(value_of(&text, "node_network_receive_multicast_total{device=\"eth0\"}"), Some(8.0));
    assert_eq!(value_of(&text, "node_network_transmit_carrier_total{device=\"eth0\"}"), Some(15.0));
}

/// A summary without `_sum` and `_count` gets none here; the original makes up zeros.
const MADE_UP_ZEROS: &str = "summary_extra_dimension";

/// The peer's own cases for the text file collector.
#[test]
fn text_files_of_the_peers_cases() {
    let Some(dir) = testkit::conformance_dir("exposition/node_exporter/textfile") else { return };
    let mut checked = 0;
    for entry in fs::read_dir(&dir).expect("readable").flatten() {
        let path = entry.path();
        let (true, Ok(want)) = (path.is_dir(), fs::read_to_string(path.with_extension("out"))) else {
            continue;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == MADE_UP_ZEROS {
            continue;
        }
        let ours = only("textfile", &[("collector.textfile.directory", &path.to_string_lossy())]);
        assert_eq!(samples(&ours, &dir), samples(&want, Path::new("fixtures/textfile")), "{name}");
        checked += 1;
    }
    assert!(checked >= 5, "only {checked} cases");
}

/// Samples with labels sorted, without what tells of the run itself.
fn samples(text: &str, dir: &Path) -> BTreeMap<String, String> {
    let prefix = format!("{}/", dir.display());
    let lines = text.lines().filter(|line| {
        !line.starts_with('#')
            && !["node_textfile_mtime", "node_scrape", "node_exporter"]
                .iter()
                .any(|own| line.starts_with(own))
    });
    lines
        .map(|line| {
            let (series, value) = line
                .replace(&prefix, "")
                .rsplit_once(' ')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .expect("a sample");
            let (name, labels) = series.split_once('{').unwrap_or((&series, "}"));
            let mut labels: Vec<String> = labels
                .trim_end_matches('}')
                .split("\",")
                .map(|label| label.trim_end_matches('"').to_owned())
                .collect();
            // Bounds may be spelt in more than one way.
            for label in &mut labels {
                if let Some(number) = label.strip_prefix("le=\"").and_then(model::parse_float) {
                    *label = format!("le=\"{number}");
                }
            }
            labels.sort();
            let value = model::parse_float(&value).expect("a number").to_string();
            (format!("{name}{{{}", labels.join(",")), value)
        })
        .collect()
}
