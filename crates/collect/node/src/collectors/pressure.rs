//! Pressure stall information. Source: `/proc/pressure/*`, in microseconds there.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read, read_if_there},
    exposition::Exposition,
};

/// File, line, metric, help. All CPUs cannot be stalled by each other, and interrupts have no waiting line.
const TOTALS: [(&str, &str, &str, &str); 6] = [
    ("cpu", "some", "node_pressure_cpu_waiting_seconds_total", "Seconds some process waited for a CPU."),
    (
        "io",
        "some",
        "node_pressure_io_waiting_seconds_total",
        "Seconds some process waited for input or output.",
    ),
    (
        "io",
        "full",
        "node_pressure_io_stalled_seconds_total",
        "Seconds nothing ran because of input or output.",
    ),
    (
        "memory",
        "some",
        "node_pressure_memory_waiting_seconds_total",
        "Seconds some process waited for memory.",
    ),
    (
        "memory",
        "full",
        "node_pressure_memory_stalled_seconds_total",
        "Seconds nothing ran because of memory.",
    ),
    ("irq", "full", "node_pressure_irq_stalled_seconds_total", "Seconds nothing ran because of interrupts."),
];

pub(crate) struct Pressure(PathBuf);

impl Pressure {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("pressure"))
    }
}

impl Collector for Pressure {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        read_if_there(&self.0.join("cpu"), "the kernel has no pressure stall information")?;
        for (file, line, name, help) in TOTALS {
            let path = self.0.join(file);
            // Not every kernel has all of them.
            let Ok(text) = read(&path) else { continue };
            let total = text.lines().filter_map(|text| text.strip_prefix(line)).find_map(|fields| {
                fields.split_ascii_whitespace().find_map(|field| field.strip_prefix("total="))
            });
            if total.is_some() {
                out.counter(name, help, number(&path, total)? / 1e6);
            }
        }
        Ok(())
    }
}
