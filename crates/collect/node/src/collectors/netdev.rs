//! Traffic of network devices. Source: `/proc/net/dev`, and `rx_nohandler` in `/sys/class/net/*/statistics`.

use std::path::PathBuf;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, number, read, read_number},
    exposition::{Exposition, Kind},
    options::Filter,
};

pub(crate) const FLAGS: &[&str] = &["collector.netdev.device-include", "collector.netdev.device-exclude"];

/// The file's columns: what the kernel sums up in one column is one metric.
const RECEIVE: [&str; 8] = ["bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"];
const TRANSMIT: [&str; 8] = ["bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"];

pub(crate) struct NetDev {
    path: PathBuf,
    class: PathBuf,
    filter: Filter,
}

impl NetDev {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let filter =
            options.filter("collector.netdev.device-exclude", "", "collector.netdev.device-include")?;
        Ok(Self { path: options.proc("net/dev"), class: options.sys("class/net"), filter })
    }
}

impl Collector for NetDev {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.path)?;
        let mut devices = Vec::new();
        for line in text.lines().skip(2) {
            let Some((device, fields)) = line.rsplit_once(':') else { continue };
            let device = device.trim();
            if self.filter.ignores(device) {
                continue;
            }
            let mut fields = fields.split_ascii_whitespace();
            let mut values = [0.0; 16];
            for value in &mut values {
                *value = number(&self.path, fields.next())?;
            }
            devices.push((device, values));
        }
        for (direction, names, first) in [("receive", RECEIVE, 0), ("transmit", TRANSMIT, RECEIVE.len())] {
            for (at, name) in names.iter().enumerate() {
                let help = format!("Network device statistic {direction}_{name}.");
                let metric = format!("node_network_{direction}_{name}_total");
                let mut family = out.family(&metric, Kind::Counter, &help);
                for (device, values) in &devices {
                    family.add(&[("device", device)], values[first + at]);
                }
            }
        }
        let help = "Network device statistic receive_nohandler.";
        let mut family = out.family("node_network_receive_nohandler_total", Kind::Counter, help);
        for (device, _) in &devices {
            if let Some(value) = read_number(&self.class.join(device).join("statistics/rx_nohandler")) {
                family.add(&[("device", device)], value);
            }
        }
        Ok(())
    }
}
