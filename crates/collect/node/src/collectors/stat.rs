//! Interrupts, context switches, forks, boot time, processes. Source: `/proc/stat`.

use std::path::PathBuf;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, number, read},
    exposition::{Exposition, Kind},
};

pub(crate) const FLAGS: &[&str] = &["collector.stat.softirq"];

pub(crate) struct Stat {
    path: PathBuf,
    softirq: bool,
}

/// Line, metric, kind, help.
const LINES: [(&str, &str, Kind, &str); 6] = [
    ("intr", "node_intr_total", Kind::Counter, "Interrupts that were serviced."),
    ("ctxt", "node_context_switches_total", Kind::Counter, "Context switches."),
    ("processes", "node_forks_total", Kind::Counter, "Forks."),
    ("btime", "node_boot_time_seconds", Kind::Gauge, "When the machine was started, in seconds since 1970."),
    ("procs_running", "node_procs_running", Kind::Gauge, "Processes that can run."),
    ("procs_blocked", "node_procs_blocked", Kind::Gauge, "Processes that wait for input or output."),
];

/// The kernel's names of softirq vectors, in the order of the `softirq` line.
const VECTORS: [&str; 10] =
    ["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"];

impl Stat {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        Ok(Self { path: options.proc("stat"), softirq: options.switch("collector.stat.softirq", false)? })
    }
}

impl Collector for Stat {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.path)?;
        let field_of = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
                .and_then(|rest| rest.split(' ').next())
        };
        for (key, name, kind, help) in LINES {
            if let Some(field) = field_of(key) {
                out.family(name, kind, help).add(&[], number(&self.path, Some(field))?);
            }
        }
        if self.softirq
            && let Some(line) = text.lines().find_map(|line| line.strip_prefix("softirq "))
        {
            let mut family = out.family("node_softirqs_total", Kind::Counter, "Softirqs that were serviced.");
            for (vector, field) in VECTORS.iter().zip(line.split(' ').skip(1)) {
                family.add(&[("vector", vector)], number(&self.path, Some(field))?);
            }
        }
        Ok(())
    }
}
