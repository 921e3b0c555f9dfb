//! Entropy. Source: `/proc/sys/kernel/random`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, read_number},
    exposition::Exposition,
};

pub(crate) struct Entropy(PathBuf);

impl Entropy {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("sys/kernel/random"))
    }
}

impl Collector for Entropy {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let available = read_number(&self.0.join("entropy_avail"));
        let available = available.ok_or(CollectError::NoData("no entropy_avail"))?;
        out.gauge("node_entropy_available_bits", "Bits of entropy that are there.", available);
        if let Some(size) = read_number(&self.0.join("poolsize")) {
            out.gauge("node_entropy_pool_size_bits", "Bits of entropy there can be.", size);
        }
        Ok(())
    }
}
