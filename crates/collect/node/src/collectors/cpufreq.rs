//! Frequencies of CPUs. Source: `/sys/devices/system/cpu/cpu*/cpufreq`, in kHz there.

use std::path::PathBuf;

use super::cpu::is_cpu;
use crate::{
    Options,
    collector::{CollectError, Collector, names, read_number, read_value},
    exposition::{Exposition, Kind},
};

/// File, metric, help.
const FREQUENCIES: [(&str, &str, &str); 6] = [
    ("cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current frequency of the CPU."),
    ("cpuinfo_min_freq", "node_cpu_frequency_min_hertz", "Lowest frequency of the CPU."),
    ("cpuinfo_max_freq", "node_cpu_frequency_max_hertz", "Highest frequency of the CPU."),
    ("scaling_cur_freq", "node_cpu_scaling_frequency_hertz", "Frequency that is asked of the CPU."),
    (
        "scaling_min_freq",
        "node_cpu_scaling_frequency_min_hertz",
        "Lowest frequency that may be asked of the CPU.",
    ),
    (
        "scaling_max_freq",
        "node_cpu_scaling_frequency_max_hertz",
        "Highest frequency that may be asked of the CPU.",
    ),
];

pub(crate) struct CpuFreq(PathBuf);

impl CpuFreq {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.sys("devices/system/cpu"))
    }
}

impl Collector for CpuFreq {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let cpus: Vec<(String, PathBuf)> = names(&self.0)
            .into_iter()
            .filter(|name| is_cpu(name))
            .map(|name| (name.trim_start_matches("cpu").to_owned(), self.0.join(&name).join("cpufreq")))
            .filter(|(_, dir)| dir.is_dir())
            .collect();
        for (file, name, help) in FREQUENCIES {
            let mut family = out.family(name, Kind::Gauge, help);
            for (cpu, dir) in &cpus {
                if let Some(kilohertz) = read_number(&dir.join(file)) {
                    family.add(&[("cpu", cpu)], kilohertz * 1000.0);
                }
            }
        }
        let mut family = out.family(
            "node_cpu_scaling_governor",
            Kind::Gauge,
            "Governors of the CPU; the current one is 1.",
        );
        for (cpu, dir) in &cpus {
            let current = read_value(&dir.join("scaling_governor")).unwrap_or_default();
            let available = read_value(&dir.join("scaling_available_governors")).unwrap_or_default();
            for governor in available.split_ascii_whitespace() {
                let is_current = f64::from(u8::from(governor == current));
                family.add(&[("cpu", cpu), ("governor", governor)], is_current);
            }
        }
        Ok(())
    }
}
