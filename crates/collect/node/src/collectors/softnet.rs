//! The network's per-CPU backlog. Source: `/proc/net/softnet_stat`: a line a CPU, hexadecimal columns.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, read},
    exposition::{Exposition, Kind},
};

/// Column, metric, kind, help.
const COLUMNS: [(usize, &str, Kind, &str); 7] = [
    (0, "node_softnet_processed_total", Kind::Counter, "Packets that were processed."),
    (1, "node_softnet_dropped_total", Kind::Counter, "Packets that were dropped."),
    (2, "node_softnet_times_squeezed_total", Kind::Counter, "Times processing ran out of time."),
    (8, "node_softnet_cpu_collision_total", Kind::Counter, "Collisions while a device was locked."),
    (9, "node_softnet_received_rps_total", Kind::Counter, "Times a CPU was woken for packets."),
    (10, "node_softnet_flow_limit_count_total", Kind::Counter, "Times the flow limit was reached."),
    (11, "node_softnet_backlog_len", Kind::Gauge, "Packets that wait."),
];
/// The CPU's number, where the kernel tells it.
const CPU_COLUMN: usize = 12;

pub(crate) struct SoftNet(PathBuf);

impl SoftNet {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("net/softnet_stat"))
    }
}

impl Collector for SoftNet {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.0)?;
        let lines: Vec<Vec<u64>> = text
            .lines()
            .map(|line| {
                line.split_ascii_whitespace().map_while(|field| u64::from_str_radix(field, 16).ok()).collect()
            })
            .collect();
        for (column, name, kind, help) in COLUMNS {
            let mut family = out.family(name, kind, help);
            for (at, line) in lines.iter().enumerate() {
                let cpu = line.get(CPU_COLUMN).copied().unwrap_or(at as u64).to_string();
                // Older kernels have fewer columns, which count nothing.
                family.add(&[("cpu", &cpu)], line.get(column).copied().unwrap_or_default() as f64);
            }
        }
        Ok(())
    }
}
