//! What network devices are. Source: `/sys/class/net/*`.

use std::path::{Path, PathBuf};

use go_regex::Regex;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, names, read_value},
    exposition::{Exposition, Kind},
};

pub(crate) const FLAGS: &[&str] =
    &["collector.netclass.ignored-devices", "collector.netclass.ignore-invalid-speed"];

/// File, end of the metric's name, kind.
const VALUES: [(&str, &str, Kind); 17] = [
    ("addr_assign_type", "address_assign_type", Kind::Gauge),
    ("carrier", "carrier", Kind::Gauge),
    ("carrier_changes", "carrier_changes_total", Kind::Counter),
    ("carrier_down_count", "carrier_down_changes_total", Kind::Counter),
    ("carrier_up_count", "carrier_up_changes_total", Kind::Counter),
    ("dev_id", "device_id", Kind::Gauge),
    ("dormant", "dormant", Kind::Gauge),
    ("flags", "flags", Kind::Gauge),
    ("ifindex", "iface_id", Kind::Gauge),
    ("iflink", "iface_link", Kind::Gauge),
    ("link_mode", "iface_link_mode", Kind::Gauge),
    ("mtu", "mtu_bytes", Kind::Gauge),
    ("name_assign_type", "name_assign_type", Kind::Gauge),
    ("netdev_group", "net_dev_group", Kind::Gauge),
    ("speed", "speed_bytes", Kind::Gauge),
    ("tx_queue_len", "transmit_queue_length", Kind::Gauge),
    ("type", "protocol_type", Kind::Gauge),
];

/// The bit of `flags` that says that the device is switched on.
const IFF_UP: u64 = 1;

pub(crate) struct NetClass {
    dir: PathBuf,
    ignored: Option<Regex>,
    ignore_invalid_speed: bool,
}

impl NetClass {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        Ok(Self {
            dir: options.sys("class/net"),
            ignored: options.regex("collector.netclass.ignored-devices", "^$")?,
            ignore_invalid_speed: options.switch("collector.netclass.ignore-invalid-speed", false)?,
        })
    }

    fn value(&self, dir: &Path, file: &str) -> Option<f64> {
        let value = integer(&read_value(&dir.join(file))?)?;
        if file != "speed" {
            return Some(value);
        }
        // Megabits a second there; negative where nobody knows.
        (value >= 0.0 || !self.ignore_invalid_speed).then_some((value * 1e6 / 8.0).trunc())
    }
}

/// A decimal or, after `0x`, a hexadecimal number.
fn integer(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(|value| value as f64),
        None => text.parse::<i64>().ok().map(|value| value as f64),
    }
}

impl Collector for NetClass {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let devices: Vec<(String, PathBuf)> = names(&self.dir)
            .into_iter()
            .filter(|name| self.ignored.as_ref().is_none_or(|ignored| !ignored.is_match(name)))
            .map(|name| (name.clone(), self.dir.join(name)))
            // Among the devices lie plain files, such as that of the bonding driver.
            .filter(|(_, dir)| dir.is_dir())
            .collect();
        if devices.is_empty() {
            return Err(CollectError::NoData("no network devices"));
        }
        for (file, name, kind) in VALUES {
            let metric = format!("node_network_{name}");
            let help = format!("Network device property {name}.");
            let mut family = out.family(&metric, kind, &help);
            for (device, dir) in &devices {
                if let Some(value) = self.value(dir, file) {
                    family.add(&[("device", device)], value);
                }
            }
        }
        let mut family =
            out.family("node_network_info", Kind::Gauge, "What a network device is; the value is 1.");
        for (device, dir) in &devices {
            let get = |file: &str| read_value(&dir.join(file)).unwrap_or_default();
            let flags = get("flags");
            let flags = flags.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let admin_state = match flags {
                None => "unknown",
                Some(flags) if flags & IFF_UP != 0 => "up",
                Some(_) => "down",
            };
            let (address, broadcast, duplex) = (get("address"), get("broadcast"), get("duplex"));
            let (state, alias) = (get("operstate"), get("ifalias"));
            let labels = [
                ("device", device.as_str()),
                ("address", &address),
                ("broadcast", &broadcast),
                ("duplex", &duplex),
                ("operstate", &state),
                ("adminstate", admin_state),
                ("ifalias", &alias),
            ];
            family.add(&labels, 1.0);
        }
        let mut family = out.family("node_network_up", Kind::Gauge, "Whether a network device is up.");
        for (device, dir) in &devices {
            let is_up = read_value(&dir.join("operstate")).is_some_and(|state| state == "up");
            family.add(&[("device", device)], f64::from(u8::from(is_up)));
        }
        Ok(())
    }
}
