//! File descriptors of the system. Source: `/proc/sys/fs/file-nr`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read},
    exposition::Exposition,
};

pub(crate) struct FileFd(PathBuf);

impl FileFd {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.proc("sys/fs/file-nr"))
    }
}

impl Collector for FileFd {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = read(&self.0)?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let field = |at: usize| number(&self.0, fields.get(at).copied());
        out.gauge("node_filefd_allocated", "File descriptors in use.", field(0)?);
        out.gauge("node_filefd_maximum", "Most file descriptors.", field(2)?);
        Ok(())
    }
}
