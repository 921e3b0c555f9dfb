//! Temperatures and cooling. Source: `/sys/class/thermal`.

use std::path::PathBuf;

use crate::{
    Options,
    collector::{CollectError, Collector, names, read_number, read_value},
    exposition::{Exposition, Kind},
};

pub(crate) struct ThermalZone(PathBuf);

impl ThermalZone {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.sys("class/thermal"))
    }
}

impl Collector for ThermalZone {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let names = names(&self.0);
        let of_kind = |prefix: &'static str| {
            names
                .iter()
                .filter_map(move |name| Some((name.strip_prefix(prefix)?.to_owned(), self.0.join(name))))
        };
        let mut family =
            out.family("node_thermal_zone_temp", Kind::Gauge, "Temperature of a zone in Celsius.");
        for (zone, dir) in of_kind("thermal_zone") {
            let kind = read_value(&dir.join("type")).unwrap_or_default();
            if let Some(temperature) = read_number(&dir.join("temp")) {
                family.add(&[("zone", &zone), ("type", &kind)], temperature / 1000.0);
            }
        }
        for (file, metric, help) in [
            ("cur_state", "node_cooling_device_cur_state", "How hard a cooling device works."),
            ("max_state", "node_cooling_device_max_state", "How hard a cooling device can work."),
        ] {
            let mut family = out.family(metric, Kind::Gauge, help);
            for (name, dir) in of_kind("cooling_device") {
                let kind = read_value(&dir.join("type")).unwrap_or_default();
                if let Some(state) = read_number(&dir.join(file)) {
                    family.add(&[("name", &name), ("type", &kind)], state);
                }
            }
        }
        Ok(())
    }
}
