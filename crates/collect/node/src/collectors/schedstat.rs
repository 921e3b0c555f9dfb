//! The scheduler. Source: `/proc/schedstat`, in nanoseconds there.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read_if_there},
    exposition::{Exposition, Kind},
};

pub(crate) struct SchedStat(PathBuf);

impl SchedStat {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("schedstat"))
    }
}

impl Collector for SchedStat {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read_if_there(&self.0, "the kernel has no /proc/schedstat")?;
        let mut cpus = Vec::new();
        for line in text.lines() {
            let mut fields = line.split_ascii_whitespace();
            let Some(cpu) = fields.next().and_then(|first| first.strip_prefix("cpu")) else { continue };
            let mut last = fields.skip(6);
            let mut next = || number(&self.0, last.next());
            cpus.push((cpu, [next()? / 1e9, next()? / 1e9, next()?]));
        }
        for (at, name, help) in [
            (0, "node_schedstat_running_seconds_total", "Seconds a CPU ran processes."),
            (1, "node_schedstat_waiting_seconds_total", "Seconds processes waited for a CPU."),
            (2, "node_schedstat_timeslices_total", "Time slices that a CPU ran."),
        ] {
            let mut family = out.family(name, Kind::Counter, help);
            for (cpu, values) in &cpus {
                family.add(&[("cpu", cpu)], values[at]);
            }
        }
        Ok(())
    }
}
