//! node_exporter's flags.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use go_regex::Regex;

use crate::collectors::COLLECTORS;

/// Flags by name, without dashes. Anything not set has node_exporter's default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    flags: BTreeMap<String, String>,
}

/// A flag does not hold.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// No such flag.
    #[error("unknown flag `{0}` of the node integration")]
    Unknown(String),
    /// A flag of the original that has no effect here yet.
    #[error("not supported yet: node_exporter's flag `{0}`")]
    NotSupported(String),
    /// A collector of the original that is not there yet was asked for.
    #[error("not supported yet: node_exporter's collector `{0}`")]
    NoCollector(String),
    /// The value is of the wrong kind.
    #[error("flag `{flag}`: {text}")]
    Value {
        /// The flag.
        flag: String,
        /// What is wrong.
        text: String,
    },
    /// The value is no regular expression.
    #[error("flag `{flag}`")]
    Regex {
        /// The flag.
        flag: String,
        /// What is wrong.
        source: go_regex::Error,
    },
}

/// Collectors of the original that are not there yet.
const NOT_THERE_YET: &[&str] = &[
    "bcache",
    "bonding",
    "btrfs",
    "buddyinfo",
    "cgroups",
    "cpu_vulnerabilities",
    "dmi",
    "dmmultipath",
    "drbd",
    "drm",
    "edac",
    "ethtool",
    "fibrechannel",
    "infiniband",
    "interrupts",
    "ipvs",
    "kernel_hung",
    "ksmd",
    "lnstat",
    "logind",
    "mdadm",
    "meminfo_numa",
    "mountstats",
    "network_route",
    "nfs",
    "nfsd",
    "ntp",
    "nvme",
    "nvmesubsystem",
    "pcidevice",
    "perf",
    "powersupplyclass",
    "qdisc",
    "rapl",
    "runit",
    "selinux",
    "slabinfo",
    "softirqs",
    "supervisord",
    "swap",
    "sysctl",
    "systemd",
    "tapestats",
    "tcpstat",
    "watchdog",
    "wifi",
    "xfrm",
    "xfs",
    "zfs",
    "zoneinfo",
];

/// Flags that no collector owns.
const COMMON_FLAGS: &[&str] =
    &["path.procfs", "path.sysfs", "path.rootfs", "path.udev.data", "collector.disable-defaults"];

/// What a collector is to match.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    exclude: Option<Regex>,
    include: Option<Regex>,
}

impl Options {
    /// Sets a flag: `path.procfs`, `collector.cpu`, `no-collector.cpu`, `collector.filesystem.fs-types-exclude`, …
    pub fn set(&mut self, flag: &str, value: &str) -> Result<(), OptionsError> {
        let plain = flag.strip_prefix("no-").unwrap_or(flag);
        if let Some(name) = plain.strip_prefix("collector.")
            && NOT_THERE_YET
                .iter()
                .any(|missing| name == *missing || name.starts_with(&format!("{missing}.")))
        {
            // Switching off what is not there asks for nothing.
            let is_off = flag != plain || value == "false";
            return if is_off { Ok(()) } else { Err(OptionsError::NoCollector(name.to_owned())) };
        }
        let is_switch = plain
            .strip_prefix("collector.")
            .is_some_and(|name| COLLECTORS.iter().any(|info| info.name == name));
        if is_switch || plain == "collector.disable-defaults" {
            let on = self.parse_switch(flag, value)? != (flag != plain);
            self.flags.insert(plain.to_owned(), on.to_string());
            return Ok(());
        }
        let is_known =
            COMMON_FLAGS.contains(&flag) || COLLECTORS.iter().any(|info| info.flags.contains(&flag));
        if !is_known {
            let of_collector = plain.strip_prefix("collector.").is_some_and(|rest| {
                COLLECTORS.iter().any(|info| rest.starts_with(&format!("{}.", info.name)))
            });
            return Err(if of_collector || plain.starts_with("web.") {
                OptionsError::NotSupported(flag.to_owned())
            } else {
                OptionsError::Unknown(flag.to_owned())
            });
        }
        self.flags.insert(flag.to_owned(), value.to_owned());
        Ok(())
    }

    fn parse_switch(&self, flag: &str, value: &str) -> Result<bool, OptionsError> {
        match value {
            "" | "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(OptionsError::Value {
                flag: flag.to_owned(),
                text: format!("expected true or false, got {value:?}"),
            }),
        }
    }

    pub(crate) fn is_enabled(&self, collector: &str, by_default: bool) -> bool {
        match self.flags.get(&format!("collector.{collector}")) {
            Some(value) => value == "true",
            None => {
                by_default
                    && self.flags.get("collector.disable-defaults").is_none_or(|value| value == "false")
            }
        }
    }

    pub(crate) fn text(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag).map(String::as_str)
    }

    pub(crate) fn switch(&self, flag: &str, default: bool) -> Result<bool, OptionsError> {
        self.text(flag).map_or(Ok(default), |value| self.parse_switch(flag, value))
    }

    pub(crate) fn regex(&self, flag: &str, default: &str) -> Result<Option<Regex>, OptionsError> {
        match self.text(flag).unwrap_or(default) {
            "" => Ok(None),
            pattern => Regex::new(pattern)
                .map(Some)
                .map_err(|source| OptionsError::Regex { flag: flag.to_owned(), source }),
        }
    }

    /// The usual pair of flags. With an include flag the default of the exclude flag does not hold, and both together are a mistake.
    pub(crate) fn filter(
        &self,
        exclude: &str,
        default_exclude: &str,
        include: &str,
    ) -> Result<Filter, OptionsError> {
        if self.text(include).is_some_and(|text| !text.is_empty()) {
            if self.text(exclude).is_some_and(|text| !text.is_empty()) {
                let text = format!("cannot be set together with `{include}`");
                return Err(OptionsError::Value { flag: exclude.to_owned(), text });
            }
            return Ok(Filter { exclude: None, include: self.regex(include, "")? });
        }
        Ok(Filter { exclude: self.regex(exclude, default_exclude)?, include: None })
    }

    pub(crate) fn proc(&self, path: &str) -> PathBuf {
        Path::new(self.text("path.procfs").unwrap_or("/proc")).join(path)
    }

    pub(crate) fn sys(&self, path: &str) -> PathBuf {
        Path::new(self.text("path.sysfs").unwrap_or("/sys")).join(path)
    }

    pub(crate) fn udev(&self) -> PathBuf {
        self.text("path.udev.data").unwrap_or("/run/udev/data").into()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.text("path.rootfs").unwrap_or("/").into()
    }
}

impl Filter {
    /// Whether the collector passes this over.
    pub(crate) fn ignores(&self, name: &str) -> bool {
        self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(name))
            || self.include.as_ref().is_some_and(|include| !include.is_match(name))
    }
}
