//! Load averages. Source: `/proc/loadavg`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read},
    exposition::Exposition,
};

pub(crate) struct LoadAvg(PathBuf);

impl LoadAvg {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("loadavg"))
    }
}

impl Collector for LoadAvg {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.0)?;
        let mut fields = text.split_ascii_whitespace();
        for (name, help) in [
            ("node_load1", "Load average over one minute."),
            ("node_load5", "Load average over five minutes."),
            ("node_load15", "Load average over fifteen minutes."),
        ] {
            out.gauge(name, help, number(&self.0, fields.next())?);
        }
        Ok(())
    }
}
