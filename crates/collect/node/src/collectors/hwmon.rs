//! Sensors. Source: `/sys/class/hwmon` (kernel: Documentation/hwmon/sysfs-interface.rst).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, names, read_value},
    exposition::{Exposition, Kind},
    options::Filter,
};

pub(crate) const FLAGS: &[&str] = &["collector.hwmon.chip-include", "collector.hwmon.chip-exclude"];

/// Kinds of sensors: what a file's name may begin with.
const SENSORS: [&str; 14] = [
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
    "freq",
];

pub(crate) struct Hwmon {
    dir: PathBuf,
    filter: Filter,
}

/// Samples of one metric: labels and value.
#[derive(Default)]
struct Metric {
    is_counter: bool,
    samples: Vec<(String, String, f64)>,
}

impl Hwmon {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let filter = options.filter("collector.hwmon.chip-exclude", "", "collector.hwmon.chip-include")?;
        Ok(Self { dir: options.sys("class/hwmon"), filter })
    }
}

impl Collector for Hwmon {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        if !self.dir.is_dir() {
            return Err(CollectError::NoData("the kernel knows no sensors"));
        }
        let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
        let (mut chips, mut labels) = (Vec::new(), Vec::new());
        for name in names(&self.dir) {
            let dir = self.dir.join(&name);
            let chip = chip_name(&dir, &name);
            if self.filter.ignores(&chip) {
                continue;
            }
            if let Some(name) = read_value(&dir.join("name")) {
                chips.push((chip.clone(), clean(&name)));
            }
            // Older drivers put their files one level down.
            for dir in [dir.clone(), dir.join("device")] {
                for (sensor, properties) in sensors(&dir) {
                    if let Some(label) = properties.get("label") {
                        labels.push((chip.clone(), sensor.clone(), label.clone()));
                    }
                    collect(&mut metrics, &chip, &sensor, &properties);
                }
            }
        }
        let mut family =
            out.family("node_hwmon_chip_names", Kind::Gauge, "What a chip calls itself; the value is 1.");
        for (chip, name) in &chips {
            family.add(&[("chip", chip), ("chip_name", name)], 1.0);
        }
        let mut family =
            out.family("node_hwmon_sensor_label", Kind::Gauge, "What a sensor is for; the value is 1.");
        for (chip, sensor, label) in &labels {
            family.add(&[("chip", chip), ("sensor", sensor), ("label", label)], 1.0);
        }
        for (name, metric) in &metrics {
            let kind = if metric.is_counter { Kind::Counter } else { Kind::Gauge };
            let mut family = out.family(name, kind, "Value of a hardware sensor.");
            for (chip, sensor, value) in &metric.samples {
                family.add(&[("chip", chip), ("sensor", sensor)], *value);
            }
        }
        Ok(())
    }
}

/// Bus and device, which stay the same over restarts; else the chip's name, else the folder's.
fn chip_name(dir: &Path, folder: &str) -> String {
    if let Ok(device) = fs::canonicalize(dir.join("device")) {
        let name =
            |path: &Path| path.file_name().map(|name| clean(&name.to_string_lossy())).unwrap_or_default();
        let parent = device.parent().map(name).unwrap_or_default();
        let device = name(&device);
        if !device.is_empty() {
            return if parent.is_empty() { device } else { format!("{parent}_{device}") };
        }
    }
    read_value(&dir.join("name"))
        .map(|name| clean(&name))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| clean(folder))
}

/// Lower case, with `_` for what names may not have.
fn clean(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let replaced: String = lower
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == ':' { char } else { '_' })
        .collect();
    replaced.trim_matches('_').to_owned()
}

/// Properties by sensor: `temp1_input` is the property `input` of `temp1`.
fn sensors(dir: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sensors: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for name in names(dir) {
        let Some((kind, number, property)) = split_name(&name) else { continue };
        if let Some(value) = read_value(&dir.join(&name)) {
            sensors.entry(format!("{kind}{number}")).or_default().insert(property.to_owned(), value);
        }
    }
    sensors
}

fn split_name(name: &str) -> Option<(&str, &str, &str)> {
    let kind_end = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (kind, rest) = name.split_at(kind_end);
    if !SENSORS.contains(&kind) {
        return None;
    }
    let number_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, property) = rest.split_at(number_end);
    let is_single = matches!(kind, "vrm" | "beep_enable" | "update_interval");
    if number.is_empty() && !is_single {
        return None;
    }
    match property {
        "" => Some((kind, number, "")),
        property => Some((kind, number, property.strip_prefix('_')?)),
    }
}

fn collect(
    metrics: &mut BTreeMap<String, Metric>,
    chip: &str,
    sensor: &str,
    properties: &BTreeMap<String, String>,
) {
    let kind = sensor.trim_end_matches(|c: char| c.is_ascii_digit());
    for (property, value) in properties {
        let Ok(value) = value.parse::<f64>() else { continue };
        if property == "label" {
            continue;
        }
        let Some((name, factor, is_counter)) = metric_of(kind, property, properties) else { continue };
        let metric = metrics.entry(name).or_default();
        metric.is_counter = is_counter;
        // Clocks are known by what they drive.
        let label = properties.get("label").filter(|_| kind == "freq").map(|label| clean(label));
        metric.samples.push((chip.to_owned(), label.unwrap_or_else(|| sensor.to_owned()), value * factor));
    }
}

/// A metric's name, what its file's value is multiplied with, and whether it is a counter.
fn metric_of(
    kind: &str,
    property: &str,
    properties: &BTreeMap<String, String>,
) -> Option<(String, f64, bool)> {
    const MILLI: f64 = 0.001;
    const MICRO: f64 = 1e-6;
    match kind {
        "beep_enable" => return Some(("node_hwmon_beep_enabled".into(), 1.0, false)),
        "vrm" => return Some(("node_hwmon_voltage_regulator_version".into(), 1.0, false)),
        "update_interval" => return Some(("node_hwmon_update_interval_seconds".into(), MILLI, false)),
        _ => {}
    }
    let mut name = format!("node_hwmon_{kind}");
    if property == "input" {
        // A file without property would have the same name.
        if properties.contains_key("") {
            name.push_str("_input");
        }
    } else if !property.is_empty() {
        name.push('_');
        name.push_str(&clean(property));
    }
    let unit =
        |unit: &str, factor: f64, is_counter: bool| Some((format!("{name}_{unit}"), factor, is_counter));
    // Only these two words alone: `crit_alarm` of a temperature gets a unit like any other property, as the original has it.
    if property == "fault" || property == "alarm" {
        return Some((name, 1.0, false));
    }
    if property == "beep" {
        return unit("enabled", 1.0, false);
    }
    match (kind, property) {
        ("in" | "cpu", _) => unit("volts", MILLI, false),
        ("temp", "type") => Some((name, 1.0, false)),
        ("temp", _) => unit("celsius", MILLI, false),
        ("curr", _) => unit("amps", MILLI, false),
        ("energy", _) => unit("joule_total", MICRO, true),
        ("power", "accuracy") => Some((name, MICRO, false)),
        ("power", "average_interval" | "average_interval_min" | "average_interval_max") => {
            unit("seconds", MILLI, false)
        }
        ("power", _) => unit("watt", MICRO, false),
        ("humidity", _) => Some((name, MICRO, false)),
        ("fan", "input" | "min" | "max" | "target") => unit("rpm", 1.0, false),
        ("freq", "input") => unit("freq_mhz", MICRO, false),
        _ => Some((name, 1.0, false)),
    }
}
