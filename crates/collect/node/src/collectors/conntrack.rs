//! Connection tracking. Sources: `/proc/sys/net/netfilter`, `/proc/net/stat/nf_conntrack`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, read_number, read_value},
    exposition::Exposition,
};

/// Column and the end of the metric's name.
const STATS: [(&str, &str); 8] = [
    ("found", "Searches that found an entry."),
    ("invalid", "Packets that cannot be tracked."),
    ("ignore", "Packets of connections that are tracked already."),
    ("insert", "Entries that were inserted."),
    ("insert_failed", "Entries that could not be inserted."),
    ("drop", "Packets that were dropped for want of an entry."),
    ("early_drop", "Entries that were dropped to make room."),
    ("search_restart", "Searches that had to start again."),
];

pub(crate) struct Conntrack {
    dir: PathBuf,
    stat: PathBuf,
}

impl Conntrack {
    pub(crate) fn new(options: &Options) -> Self {
        Self { dir: options.proc("sys/net/netfilter"), stat: options.proc("net/stat/nf_conntrack") }
    }
}

impl Collector for Conntrack {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let absent = CollectError::NoData("connection tracking is not loaded");
        let Some(entries) = read_number(&self.dir.join("nf_conntrack_count")) else { return Err(absent) };
        let Some(limit) = read_number(&self.dir.join("nf_conntrack_max")) else { return Err(absent) };
        out.gauge("node_nf_conntrack_entries", "Connections that are tracked.", entries);
        out.gauge("node_nf_conntrack_entries_limit", "Most connections that are tracked.", limit);
        let Some(text) = read_value(&self.stat) else { return Ok(()) };
        let mut lines = text.lines();
        let columns: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
        let mut sums = vec![0u64; columns.len()];
        for line in lines {
            for (sum, field) in sums.iter_mut().zip(line.split_ascii_whitespace()) {
                *sum = sum.wrapping_add(u64::from_str_radix(field, 16).unwrap_or_default());
            }
        }
        for (column, help) in STATS {
            if let Some(at) = columns.iter().position(|own| *own == column) {
                out.gauge(&format!("node_nf_conntrack_stat_{column}"), help, sums[at] as f64);
            }
        }
        Ok(())
    }
}
