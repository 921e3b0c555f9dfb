//! Memory. Source: `/proc/meminfo`: each line is a metric, in bytes where the file says kB.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read},
    exposition::Exposition,
};

pub(crate) struct MemInfo(PathBuf);

impl MemInfo {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("meminfo"))
    }
}

impl Collector for MemInfo {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.0)?;
        let mut values = Vec::new();
        for line in text.lines() {
            let mut fields = line.split_ascii_whitespace();
            let Some(key) = fields.next() else { continue };
            let value = number(&self.0, fields.next())?;
            let key: String = key
                .trim_end_matches(':')
                .replace(')', "")
                .chars()
                .map(|char| if char.is_ascii_alphanumeric() { char } else { '_' })
                .collect();
            values.push(match fields.next() {
                Some(_) => (format!("node_memory_{key}_bytes"), value * 1024.0),
                None => (format!("node_memory_{key}"), value),
            });
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, value) in values {
            let field = name.trim_start_matches("node_memory_");
            out.gauge(&name, &format!("Memory information field {field}."), value);
        }
        Ok(())
    }
}
