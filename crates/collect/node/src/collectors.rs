//! The list of all collectors.

mod arp;
mod conntrack;
mod cpu;
mod cpufreq;
mod diskstats;
mod entropy;
mod filefd;
mod filesystem;
mod hwmon;
mod loadavg;
mod meminfo;
mod netclass;
mod netdev;
mod netstat;
mod os;
mod pressure;
mod processes;
mod schedstat;
mod sockstat;
mod softnet;
mod stat;
mod textfile;
mod thermal_zone;
mod time;
mod timex;
mod udp_queues;
mod uname;
mod vmstat;

use crate::{Options, OptionsError, collector::Collector};

/// How a collector is known.
pub(crate) struct Info {
    pub name: &'static str,
    pub by_default: bool,
    /// Its flags, without dashes.
    pub flags: &'static [&'static str],
    pub build: fn(&Options) -> Result<Box<dyn Collector>, OptionsError>,
}

const fn info(
    name: &'static str,
    flags: &'static [&'static str],
    build: fn(&Options) -> Result<Box<dyn Collector>, OptionsError>,
) -> Info {
    Info { name, by_default: true, flags, build }
}

/// All of them, by name.
pub(crate) const COLLECTORS: &[Info] = &[
    info("arp", arp::FLAGS, |options| Ok(Box::new(arp::Arp::new(options)?))),
    info("conntrack", &[], |options| Ok(Box::new(conntrack::Conntrack::new(options)))),
    info("cpu", cpu::FLAGS, |options| Ok(Box::new(cpu::Cpu::new(options)?))),
    info("cpufreq", &[], |options| Ok(Box::new(cpufreq::CpuFreq::new(options)))),
    info("diskstats", diskstats::FLAGS, |options| Ok(Box::new(diskstats::DiskStats::new(options)?))),
    info("entropy", &[], |options| Ok(Box::new(entropy::Entropy::new(options)))),
    info("filefd", &[], |options| Ok(Box::new(filefd::FileFd::new(options)))),
    info("filesystem", filesystem::FLAGS, |options| Ok(Box::new(filesystem::FileSystem::new(options)?))),
    info("hwmon", hwmon::FLAGS, |options| Ok(Box::new(hwmon::Hwmon::new(options)?))),
    info("loadavg", &[], |options| Ok(Box::new(loadavg::LoadAvg::new(options)))),
    info("meminfo", &[], |options| Ok(Box::new(meminfo::MemInfo::new(options)))),
    info("netclass", netclass::FLAGS, |options| Ok(Box::new(netclass::NetClass::new(options)?))),
    info("netdev", netdev::FLAGS, |options| Ok(Box::new(netdev::NetDev::new(options)?))),
    info("netstat", netstat::FLAGS, |options| Ok(Box::new(netstat::NetStat::new(options)?))),
    info("os", &[], |options| Ok(Box::new(os::Os::new(options)))),
    info("pressure", &[], |options| Ok(Box::new(pressure::Pressure::new(options)))),
    Info {
        by_default: false,
        ..info("processes", &[], |options| Ok(Box::new(processes::Processes::new(options))))
    },
    info("schedstat", &[], |options| Ok(Box::new(schedstat::SchedStat::new(options)))),
    info("sockstat", &[], |options| Ok(Box::new(sockstat::SockStat::new(options)))),
    info("softnet", &[], |options| Ok(Box::new(softnet::SoftNet::new(options)))),
    info("stat", stat::FLAGS, |options| Ok(Box::new(stat::Stat::new(options)?))),
    info("textfile", textfile::FLAGS, |options| Ok(Box::new(textfile::TextFile::new(options)))),
    info("thermal_zone", &[], |options| Ok(Box::new(thermal_zone::ThermalZone::new(options)))),
    info("time", &[], |options| Ok(Box::new(time::Time::new(options)))),
    info("timex", &[], |_| Ok(Box::new(timex::Timex))),
    info("udp_queues", &[], |options| Ok(Box::new(udp_queues::UdpQueues::new(options)))),
    info("uname", &[], |_| Ok(Box::new(uname::Uname))),
    info("vmstat", vmstat::FLAGS, |options| Ok(Box::new(vmstat::VmStat::new(options)?))),
];
