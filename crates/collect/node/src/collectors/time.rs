//! The clock, its zone and its sources. Sources: the clock, `/sys/devices/system/clocksource`.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    Options,
    collector::{CollectError, Collector, names, read_value},
    exposition::{Exposition, Kind},
    system,
};

pub(crate) struct Time(PathBuf);

impl Time {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.sys("devices/system/clocksource"))
    }
}

impl Collector for Time {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let sources: Vec<(String, PathBuf)> = names(&self.0)
            .into_iter()
            .filter_map(|name| Some((name.strip_prefix("clocksource")?.to_owned(), self.0.join(&name))))
            .collect();
        let available = "Clock sources that a device offers; the value is 1.";
        let mut family = out.family("node_time_clocksource_available_info", Kind::Gauge, available);
        for (device, dir) in &sources {
            let text = read_value(&dir.join("available_clocksource")).unwrap_or_default();
            for source in text.split_ascii_whitespace() {
                family.add(&[("device", device), ("clocksource", source)], 1.0);
            }
        }
        let current = "Clock source that a device uses; the value is 1.";
        let mut family = out.family("node_time_clocksource_current_info", Kind::Gauge, current);
        for (device, dir) in &sources {
            if let Some(source) = read_value(&dir.join("current_clocksource")) {
                family.add(&[("device", device), ("clocksource", &source)], 1.0);
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        out.gauge("node_time_seconds", "The clock, in seconds since 1970.", now.as_secs_f64());
        let (offset, zone) = system::local_zone(i64::try_from(now.as_secs()).unwrap_or_default());
        out.family("node_time_zone_offset_seconds", Kind::Gauge, "How far local time is ahead of UTC.")
            .add(&[("time_zone", &zone)], offset);
        Ok(())
    }
}
