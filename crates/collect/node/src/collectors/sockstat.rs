//! Sockets in use. Sources: `/proc/net/sockstat`, `/proc/net/sockstat6`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, number, read, read_value},
    exposition::Exposition,
    system::page_size,
};

pub(crate) struct SockStat {
    v4: PathBuf,
    v6: PathBuf,
    page_size: f64,
}

impl SockStat {
    pub(crate) fn new(options: &Options) -> Self {
        Self { v4: options.proc("net/sockstat"), v6: options.proc("net/sockstat6"), page_size: page_size() }
    }
}

impl Collector for SockStat {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        // IPv6 may be switched off.
        let texts = [Some(read(&self.v4)?), read_value(&self.v6)];
        for text in texts.iter().flatten() {
            for line in text.lines() {
                let Some((protocol, fields)) = line.split_once(':') else { continue };
                let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
                for pair in fields.chunks_exact(2) {
                    let (key, value) = (pair[0], number(&self.v4, Some(pair[1]))?);
                    let name = format!("node_sockstat_{protocol}_{key}");
                    out.gauge(&name, &format!("Number of {protocol} sockets in state {key}."), value);
                    if key == "mem" {
                        let help = format!("Memory of {protocol} sockets, in bytes.");
                        out.gauge(&format!("{name}_bytes"), &help, value * self.page_size);
                    }
                }
            }
        }
        Ok(())
    }
}
