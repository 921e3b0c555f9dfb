//! Neighbours by device. Source: `/proc/net/arp`.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, read},
    exposition::{Exposition, Kind},
    options::Filter,
};

pub(crate) const FLAGS: &[&str] = &["collector.arp.device-include", "collector.arp.device-exclude"];

pub(crate) struct Arp {
    path: PathBuf,
    filter: Filter,
}

impl Arp {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let filter = options.filter("collector.arp.device-exclude", "", "collector.arp.device-include")?;
        Ok(Self { path: options.proc("net/arp"), filter })
    }
}

impl Collector for Arp {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.path)?;
        let mut entries: BTreeMap<&str, u32> = BTreeMap::new();
        for device in text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(5)) {
            *entries.entry(device).or_default() += 1;
        }
        let mut family = out.family("node_arp_entries", Kind::Gauge, "Neighbours that a device knows.");
        for (device, count) in entries.into_iter().filter(|(device, _)| !self.filter.ignores(device)) {
            family.add(&[("device", device)], f64::from(count));
        }
        Ok(())
    }
}
