//! The system's names. Source: `uname(2)`.

use crate::{
    collector::{CollectError, Collector},
    exposition::{Exposition, Kind},
    system,
};

pub(crate) struct Uname;

impl Collector for Uname {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let names = system::uname().map_err(|source| CollectError::System { call: "uname", source })?;
        let labels = [
            ("sysname", names.sysname.as_str()),
            ("release", &names.release),
            ("version", &names.version),
            ("machine", &names.machine),
            ("nodename", &names.nodename),
            ("domainname", &names.domainname),
        ];
        out.family("node_uname_info", Kind::Gauge, "What the system calls itself; the value is 1.")
            .add(&labels, 1.0);
        Ok(())
    }
}
