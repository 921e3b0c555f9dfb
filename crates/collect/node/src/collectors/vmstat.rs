//! Virtual memory. Source: `/proc/vmstat`, the lines that a filter picks.

use std::path::PathBuf;

use go_regex::Regex;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, number, read},
    exposition::{Exposition, Kind},
};

pub(crate) const FLAGS: &[&str] = &["collector.vmstat.fields"];

pub(crate) struct VmStat {
    path: PathBuf,
    fields: Option<Regex>,
}

impl VmStat {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let fields = options.regex("collector.vmstat.fields", "^(oom_kill|pgpg|pswp|pg.*fault).*")?;
        Ok(Self { path: options.proc("vmstat"), fields })
    }
}

impl Collector for VmStat {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        for line in read(&self.path)?.lines() {
            let mut fields = line.split_ascii_whitespace();
            let Some(key) = fields.next() else { continue };
            if self.fields.as_ref().is_none_or(|wanted| wanted.is_match(key)) {
                let value = number(&self.path, fields.next())?;
                let help = format!("Field {key} of /proc/vmstat.");
                out.family(&format!("node_vmstat_{key}"), Kind::Untyped, &help).add(&[], value);
            }
        }
        Ok(())
    }
}
