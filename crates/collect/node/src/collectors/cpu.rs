//! Time of CPUs by mode, throttling, and what they are. Sources: `/proc/stat`, `/proc/cpuinfo`, `/sys/devices/system/cpu`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use go_regex::Regex;
use parking_lot::Mutex;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, names, number, read, read_number, read_value},
    exposition::{Exposition, Kind},
    system::ticks_per_second,
};

pub(crate) const FLAGS: &[&str] = &[
    "collector.cpu.guest",
    "collector.cpu.info",
    "collector.cpu.info.flags-include",
    "collector.cpu.info.bugs-include",
];

const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
/// Index of `idle` in [`MODES`].
const IDLE: usize = 3;
/// An idle time that falls by more than this was not noise: the CPU was offline, and counts anew.
const JUMP_BACK_SECONDS: f64 = 3.0;

pub(crate) struct Cpu {
    stat: PathBuf,
    cpuinfo: PathBuf,
    devices: PathBuf,
    guest: bool,
    info: bool,
    info_flags: Option<Regex>,
    info_bugs: Option<Regex>,
    ticks_per_second: f64,
    /// What was told last: the kernel's counters sometimes go back a little, which a counter must not.
    last: Mutex<BTreeMap<u32, [f64; 10]>>,
}

impl Cpu {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let info_flags = options.regex("collector.cpu.info.flags-include", "")?;
        let info_bugs = options.regex("collector.cpu.info.bugs-include", "")?;
        let info =
            options.switch("collector.cpu.info", false)? || info_flags.is_some() || info_bugs.is_some();
        Ok(Self {
            stat: options.proc("stat"),
            cpuinfo: options.proc("cpuinfo"),
            devices: options.sys("devices/system/cpu"),
            guest: options.switch("collector.cpu.guest", true)?,
            info,
            info_flags,
            info_bugs,
            ticks_per_second: ticks_per_second(),
            last: Mutex::default(),
        })
    }

    /// Seconds by CPU: the modes, then guest and guest_nice.
    fn times(&self) -> Result<BTreeMap<u32, [f64; 10]>, CollectError> {
        let text = read(&self.stat)?;
        let mut times = BTreeMap::new();
        for line in text.lines() {
            let Some(rest) =
                line.strip_prefix("cpu").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            else {
                continue;
            };
            let mut fields = rest.split_ascii_whitespace();
            let Some(cpu) = fields.next().and_then(|cpu| cpu.parse().ok()) else { continue };
            let mut seconds = [0.0; 10];
            // Older kernels have fewer fields.
            for (slot, field) in seconds.iter_mut().zip(fields) {
                *slot = number(&self.stat, Some(field))? / self.ticks_per_second;
            }
            times.insert(cpu, seconds);
        }
        Ok(hold(&mut self.last.lock(), times))
    }

    fn throttles(&self, out: &mut Exposition) {
        let (mut cores, mut packages) = (BTreeMap::new(), BTreeMap::new());
        for name in names(&self.devices) {
            if !is_cpu(&name) {
                continue;
            }
            let dir = self.devices.join(&name);
            let Some(package) = read_value(&dir.join("topology/physical_package_id")) else { continue };
            if let Some(core) = read_value(&dir.join("topology/core_id"))
                && let Some(count) = read_number(&dir.join("thermal_throttle/core_throttle_count"))
            {
                cores.entry((package.clone(), core)).or_insert(count);
            }
            if let Some(count) = read_number(&dir.join("thermal_throttle/package_throttle_count")) {
                packages.entry(package).or_insert(count);
            }
        }
        let mut family =
            out.family("node_cpu_core_throttles_total", Kind::Counter, "Times a core was throttled.");
        for ((package, core), count) in cores {
            family.add(&[("core", &core), ("package", &package)], count);
        }
        let mut family =
            out.family("node_cpu_package_throttles_total", Kind::Counter, "Times a package was throttled.");
        for (package, count) in packages {
            family.add(&[("package", &package)], count);
        }
    }

    fn online(&self, out: &mut Exposition) {
        let mut family = out.family("node_cpu_online", Kind::Gauge, "Whether a CPU is online.");
        for name in names(&self.devices).into_iter().filter(|name| is_cpu(name)) {
            if let Some(online) = read_number(&self.devices.join(&name).join("online")) {
                family.add(&[("cpu", name.trim_start_matches("cpu"))], online);
            }
        }
        let isolated = read_value(&self.devices.join("isolated")).unwrap_or_default();
        let mut family = out.family(
            "node_cpu_isolated",
            Kind::Gauge,
            "CPUs that are kept from the scheduler; the value is 1.",
        );
        for cpu in ranges(&isolated) {
            family.add(&[("cpu", &cpu.to_string())], 1.0);
        }
    }

    fn infos(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.cpuinfo)?;
        let cpus: Vec<BTreeMap<&str, &str>> = text
            .split("\n\n")
            .map(|block| {
                block
                    .lines()
                    .filter_map(|line| line.split_once(':'))
                    .map(|(k, v)| (k.trim(), v.trim()))
                    .collect()
            })
            .filter(|cpu: &BTreeMap<&str, &str>| cpu.contains_key("processor"))
            .collect();
        let mut family = out.family("node_cpu_info", Kind::Gauge, "What a CPU is; the value is 1.");
        for cpu in &cpus {
            let get = |key: &str| cpu.get(key).copied().unwrap_or_default();
            let labels = [
                ("package", get("physical id")),
                ("core", get("core id")),
                ("cpu", get("processor")),
                ("vendor", get("vendor_id")),
                ("family", get("cpu family")),
                ("model", get("model")),
                ("model_name", get("model name")),
                ("microcode", get("microcode")),
                ("stepping", get("stepping")),
                ("cachesize", get("cache size")),
            ];
            family.add(&labels, 1.0);
        }
        let Some(first) = cpus.first() else { return Ok(()) };
        for (name, label, key, wanted, help) in [
            (
                "node_cpu_flag_info",
                "flag",
                "flags",
                &self.info_flags,
                "Flags of the first CPU; the value is 1.",
            ),
            ("node_cpu_bug_info", "bug", "bugs", &self.info_bugs, "Bugs of the first CPU; the value is 1."),
        ] {
            let Some(wanted) = wanted else { continue };
            let values: BTreeSet<&str> =
                first.get(key).copied().unwrap_or_default().split_ascii_whitespace().collect();
            let mut family = out.family(name, Kind::Gauge, help);
            for value in values.into_iter().filter(|value| wanted.is_match(value)) {
                family.add(&[(label, value)], 1.0);
            }
        }
        Ok(())
    }
}

impl Collector for Cpu {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        if self.info {
            self.infos(out)?;
        }
        let times = self.times()?;
        if self.guest {
            let mut family = out.family(
                "node_cpu_guest_seconds_total",
                Kind::Counter,
                "Seconds a CPU ran guests, by mode.",
            );
            for (cpu, seconds) in &times {
                let cpu = cpu.to_string();
                family.add(&[("cpu", &cpu), ("mode", "user")], seconds[8]);
                family.add(&[("cpu", &cpu), ("mode", "nice")], seconds[9]);
            }
        }
        let mut family =
            out.family("node_cpu_seconds_total", Kind::Counter, "Seconds a CPU spent in a mode.");
        for (cpu, seconds) in &times {
            let cpu = cpu.to_string();
            for (mode, seconds) in MODES.iter().zip(seconds) {
                family.add(&[("cpu", &cpu), ("mode", mode)], *seconds);
            }
        }
        self.throttles(out);
        self.online(out);
        Ok(())
    }
}

/// Keeps counters from going back, except where a CPU was offline, and remembers them.
fn hold(last: &mut BTreeMap<u32, [f64; 10]>, now: BTreeMap<u32, [f64; 10]>) -> BTreeMap<u32, [f64; 10]> {
    let held: BTreeMap<u32, [f64; 10]> = now
        .into_iter()
        .map(|(cpu, mut seconds)| {
            if let Some(before) = last.get(&cpu)
                && before[IDLE] - seconds[IDLE] < JUMP_BACK_SECONDS
            {
                for (now, before) in seconds.iter_mut().zip(before) {
                    *now = now.max(*before);
                }
            }
            (cpu, seconds)
        })
        .collect();
    last.clone_from(&held);
    held
}

pub(crate) fn is_cpu(name: &str) -> bool {
    name.strip_prefix("cpu").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// `1,3-5` as numbers; at most a few thousand.
fn ranges(text: &str) -> Vec<u32> {
    let mut cpus = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(low), Ok(high)) = (low.parse::<u32>(), high.parse::<u32>()) {
            cpus.extend((low..=high).take(8192));
        }
    }
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_held_unless_the_cpu_was_away() {
        let at = |user: f64, idle: f64| {
            BTreeMap::from([(0, [user, 0.0, 0.0, idle, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])])
        };
        let mut last = BTreeMap::new();
        hold(&mut last, at(10.0, 100.0));
        assert_eq!(hold(&mut last, at(9.5, 101.0)), at(10.0, 101.0));
        assert_eq!(hold(&mut last, at(11.0, 100.0)), at(11.0, 101.0));
        assert_eq!(hold(&mut last, at(1.0, 5.0)), at(1.0, 5.0));
    }

    #[test]
    fn ranges_of_cpus() {
        assert_eq!(ranges("1,3-5"), [1, 3, 4, 5]);
        assert!(ranges("").is_empty());
        assert!(ranges("x-y,9-2").is_empty());
        assert!(ranges("0-4294967295").len() <= 8192);
    }
}
