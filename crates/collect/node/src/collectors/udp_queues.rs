//! Bytes that wait in UDP sockets. Sources: `/proc/net/udp`, `/proc/net/udp6`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, read_value},
    exposition::{Exposition, Kind},
};

pub(crate) struct UdpQueues {
    v4: PathBuf,
    v6: PathBuf,
}

impl UdpQueues {
    pub(crate) fn new(options: &Options) -> Self {
        Self { v4: options.proc("net/udp"), v6: options.proc("net/udp6") }
    }
}

impl Collector for UdpQueues {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let queues: Vec<(&str, (u64, u64))> = [("v4", &self.v4), ("v6", &self.v6)]
            .into_iter()
            .filter_map(|(version, path)| Some((version, sums(&read_value(path)?))))
            .collect();
        if queues.is_empty() {
            return Err(CollectError::NoData("no UDP sockets to look at"));
        }
        let mut family = out.family("node_udp_queues", Kind::Gauge, "Bytes that wait in UDP sockets.");
        for (version, (transmit, receive)) in queues {
            family.add(&[("queue", "tx"), ("ip", version)], transmit as f64);
            family.add(&[("queue", "rx"), ("ip", version)], receive as f64);
        }
        Ok(())
    }
}

/// Sums of the fifth column, `tx:rx` in hexadecimal.
fn sums(text: &str) -> (u64, u64) {
    let queues =
        text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(4)?.split_once(':'));
    let hex = |text: &str| u64::from_str_radix(text, 16).unwrap_or_default();
    queues.fold((0, 0), |(transmit, receive), (tx, rx)| (transmit + hex(tx), receive + hex(rx)))
}
