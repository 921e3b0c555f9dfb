//! The process' own figures under the names that every client library uses. Source: `/proc/self`.

use std::fs;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Reads `/proc/self` at every scrape.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    ticks_per_second: f64,
    page_size: f64,
    boot_time: f64,
}

#[derive(Debug, Default, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl ProcessCollector {
    pub(super) fn new() -> Self {
        let boot_time = fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()))
            .unwrap_or_default();
        Self {
            ticks_per_second: sysconf(libc::_SC_CLK_TCK),
            page_size: sysconf(libc::_SC_PAGESIZE),
            boot_time,
        }
    }
}

/// A positive system constant; 1 where the system does not know it, so that nothing divides by zero.
fn sysconf(name: libc::c_int) -> f64 {
    // SAFETY: sysconf takes a number, returns a number and touches no memory of ours.
    let value = unsafe { libc::sysconf(name) };
    if value > 0 { value as f64 } else { 1.0 }
}

/// Parses `/proc/self/stat`, see proc(5). Fields are counted after the command's closing parenthesis, since it may hold spaces.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)? + field(15)?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_pages: field(24)?,
    })
}

fn max_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let stat = fs::read_to_string("/proc/self/stat").ok().and_then(|text| parse_stat(&text));
        if let Some(stat) = stat {
            let cpu = ConstCounter::new(stat.cpu_ticks as f64 / self.ticks_per_second);
            let help = "Total user and system CPU time spent in seconds";
            cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?)?;
            let gauges = [
                (
                    "process_resident_memory_bytes",
                    "Resident memory size in bytes",
                    stat.resident_pages as f64 * self.page_size,
                ),
                ("process_virtual_memory_bytes", "Virtual memory size in bytes", stat.virtual_bytes as f64),
                (
                    "process_start_time_seconds",
                    "Start time of the process since unix epoch in seconds",
                    self.boot_time + stat.start_ticks as f64 / self.ticks_per_second,
                ),
                ("process_threads", "Number of operating system threads", stat.threads as f64),
            ];
            for (name, help, value) in gauges {
                encode_gauge(&mut encoder, name, help, value)?;
            }
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            encode_gauge(
                &mut encoder,
                "process_open_fds",
                "Number of open file descriptors",
                entries.count() as f64,
            )?;
        }
        if let Some(limit) = max_fds() {
            encode_gauge(&mut encoder, "process_max_fds", "Maximum number of open file descriptors", limit)?;
        }
        Ok(())
    }
}

fn encode_gauge(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: f64) -> std::fmt::Result {
    let gauge = ConstGauge::<f64>::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whose_command_has_spaces_and_parentheses() {
        let line =
            "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 9 0 5000 1048576 256 18446744073709551615 1";
        assert_eq!(
            parse_stat(line),
            Some(Stat {
                cpu_ticks: 100,
                threads: 9,
                start_ticks: 5000,
                virtual_bytes: 1_048_576,
                resident_pages: 256
            })
        );
        assert_eq!(parse_stat("42 (x"), None);
    }

    #[test]
    fn every_scrape_has_the_process_metrics() {
        let (_, text) = crate::Metrics::new().encode(&http::HeaderMap::new());
        for name in [
            "process_cpu_seconds_total ",
            "process_resident_memory_bytes ",
            "process_open_fds ",
            "process_start_time_seconds ",
        ] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }
}
