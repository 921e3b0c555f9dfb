//! Block devices. Sources: `/proc/diskstats`, `/sys/block/*/queue`, udev's data.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, number, read, read_value},
    exposition::{Exposition, Kind},
    options::Filter,
};

pub(crate) const FLAGS: &[&str] = &[
    "collector.diskstats.device-include",
    "collector.diskstats.device-exclude",
    "collector.diskstats.ignored-devices",
];

const DEFAULT_EXCLUDE: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";
/// The kernel's sector, whatever the device's is.
const SECTOR_BYTES: f64 = 512.0;
const MILLISECOND: f64 = 0.001;

/// Metric, kind, factor, help: the columns behind the device's name, in their order (kernel: Documentation/admin-guide/iostats.rst).
const COLUMNS: [(&str, Kind, f64, &str); 17] = [
    ("reads_completed_total", Kind::Counter, 1.0, "Reads that were completed."),
    ("reads_merged_total", Kind::Counter, 1.0, "Reads that were merged with others."),
    ("read_bytes_total", Kind::Counter, SECTOR_BYTES, "Bytes that were read."),
    ("read_time_seconds_total", Kind::Counter, MILLISECOND, "Seconds spent by reads."),
    ("writes_completed_total", Kind::Counter, 1.0, "Writes that were completed."),
    ("writes_merged_total", Kind::Counter, 1.0, "Writes that were merged with others."),
    ("written_bytes_total", Kind::Counter, SECTOR_BYTES, "Bytes that were written."),
    ("write_time_seconds_total", Kind::Counter, MILLISECOND, "Seconds spent by writes."),
    ("io_now", Kind::Gauge, 1.0, "Requests under way."),
    ("io_time_seconds_total", Kind::Counter, MILLISECOND, "Seconds during which requests were under way."),
    (
        "io_time_weighted_seconds_total",
        Kind::Counter,
        MILLISECOND,
        "Seconds during which requests were under way, times their number.",
    ),
    ("discards_completed_total", Kind::Counter, 1.0, "Discards that were completed."),
    ("discards_merged_total", Kind::Counter, 1.0, "Discards that were merged with others."),
    ("discarded_sectors_total", Kind::Counter, 1.0, "Sectors that were discarded."),
    ("discard_time_seconds_total", Kind::Counter, MILLISECOND, "Seconds spent by discards."),
    ("flush_requests_total", Kind::Counter, 1.0, "Flushes that were completed."),
    ("flush_requests_time_seconds_total", Kind::Counter, MILLISECOND, "Seconds spent by flushes."),
];

pub(crate) struct DiskStats {
    path: PathBuf,
    block: PathBuf,
    udev: PathBuf,
    filter: Filter,
}

struct Device {
    name: String,
    major: String,
    minor: String,
    values: Vec<f64>,
    /// udev's properties, without their `E:`.
    properties: BTreeMap<String, String>,
}

impl DiskStats {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let mut options = options.clone();
        if let Some(old) = options.text("collector.diskstats.ignored-devices").map(str::to_owned) {
            options.set("collector.diskstats.device-exclude", &old)?;
        }
        let filter = options.filter(
            "collector.diskstats.device-exclude",
            DEFAULT_EXCLUDE,
            "collector.diskstats.device-include",
        )?;
        Ok(Self {
            path: options.proc("diskstats"),
            block: options.sys("block"),
            udev: options.udev(),
            filter,
        })
    }

    fn devices(&self) -> Result<Vec<Device>, CollectError> {
        let text = read(&self.path)?;
        let mut devices = Vec::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [major, minor, name, values @ ..] = fields.as_slice() else { continue };
            if self.filter.ignores(name) {
                continue;
            }
            let values =
                values.iter().map(|field| number(&self.path, Some(field))).collect::<Result<_, _>>()?;
            devices.push(Device {
                name: (*name).to_owned(),
                major: (*major).to_owned(),
                minor: (*minor).to_owned(),
                values,
                properties: properties(&self.udev.join(format!("b{major}:{minor}"))),
            });
        }
        Ok(devices)
    }
}

fn properties(path: &Path) -> BTreeMap<String, String> {
    let text = read_value(path).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.strip_prefix("E:")?.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Device {
    fn property(&self, key: &str) -> &str {
        self.properties.get(key).map(String::as_str).unwrap_or_default()
    }
}

impl Collector for DiskStats {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let devices = self.devices()?;
        for (at, (name, kind, factor, help)) in COLUMNS.into_iter().enumerate() {
            let metric = format!("node_disk_{name}");
            let mut family = out.family(&metric, kind, help);
            for device in &devices {
                if let Some(value) = device.values.get(at) {
                    family.add(&[("device", &device.name)], value * factor);
                }
            }
        }
        let mut family = out.family("node_disk_info", Kind::Gauge, "What a device is; the value is 1.");
        for device in &devices {
            let rotational = read_value(&self.block.join(&device.name).join("queue/rotational"));
            let serial = ["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"]
                .into_iter()
                .map(|key| device.property(key))
                .find(|serial| !serial.is_empty())
                .unwrap_or_default();
            let labels = [
                ("device", device.name.as_str()),
                ("major", &device.major),
                ("minor", &device.minor),
                ("path", device.property("ID_PATH")),
                ("wwn", device.property("ID_WWN")),
                ("model", device.property("ID_MODEL")),
                ("serial", serial),
                ("revision", device.property("ID_REVISION")),
                ("rotational", rotational.as_deref().unwrap_or("0")),
            ];
            family.add(&labels, 1.0);
        }
        let mut family = out.family(
            "node_disk_filesystem_info",
            Kind::Gauge,
            "The file system on a device; the value is 1.",
        );
        for device in devices.iter().filter(|device| !device.property("ID_FS_TYPE").is_empty()) {
            let labels = [
                ("device", device.name.as_str()),
                ("type", device.property("ID_FS_TYPE")),
                ("usage", device.property("ID_FS_USAGE")),
                ("uuid", device.property("ID_FS_UUID")),
                ("version", device.property("ID_FS_VERSION")),
            ];
            family.add(&labels, 1.0);
        }
        let mut family = out.family(
            "node_disk_device_mapper_info",
            Kind::Gauge,
            "The mapping behind a device; the value is 1.",
        );
        for device in devices.iter().filter(|device| !device.property("DM_NAME").is_empty()) {
            let labels = [
                ("device", device.name.as_str()),
                ("name", device.property("DM_NAME")),
                ("uuid", device.property("DM_UUID")),
                ("vg_name", device.property("DM_VG_NAME")),
                ("lv_name", device.property("DM_LV_NAME")),
                ("lv_layer", device.property("DM_LV_LAYER")),
            ];
            family.add(&labels, 1.0);
        }
        for (key, metric, help) in [
            ("ID_ATA_WRITE_CACHE", "node_disk_ata_write_cache", "Whether an ATA disk has a write cache."),
            (
                "ID_ATA_WRITE_CACHE_ENABLED",
                "node_disk_ata_write_cache_enabled",
                "Whether its write cache is on.",
            ),
            (
                "ID_ATA_ROTATION_RATE_RPM",
                "node_disk_ata_rotation_rate_rpm",
                "Rotations a minute; 0 for one that does not turn.",
            ),
        ] {
            let mut family = out.family(metric, Kind::Gauge, help);
            for device in devices.iter().filter(|device| !device.property("ID_ATA").is_empty()) {
                if let Ok(value) = device.property(key).parse() {
                    family.add(&[("device", &device.name)], value);
                }
            }
        }
        Ok(())
    }
}
