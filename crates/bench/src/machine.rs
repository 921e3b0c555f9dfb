//! What the figures were taken on.

use std::{fs, thread};

use serde::Serialize;

/// The machine, as a reader needs it to judge figures.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// When it was asked, UTC.
    pub date: String,
    /// What it may use.
    pub cores: usize,
    /// The CPU's name.
    pub cpu: String,
    /// Bytes.
    pub memory: u64,
    /// The kernel's version.
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// Processes that wanted a CPU in the last minute before the run.
    pub load: String,
}

impl Machine {
    /// This machine. What it does not tell is `unknown`.
    pub fn this() -> Self {
        let memory = field("/proc/meminfo", "MemTotal", ':');
        let memory = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024;
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            cores: thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cpu: field("/proc/cpuinfo", "model name", ':'),
            memory,
            kernel: first_word("/proc/sys/kernel/osrelease"),
            system: field("/etc/os-release", "PRETTY_NAME", '='),
            load: first_word("/proc/loadavg"),
        }
    }

    /// In a sentence.
    pub fn describe(&self) -> String {
        let Self { date, cores, cpu, memory, kernel, system, load } = self;
        let gib = *memory as f64 / f64::from(1 << 30);
        format!(
            "Taken {date} on {cores} cores ({cpu}), {gib:.0} GiB of memory, {system}, Linux {kernel}; load before the run {load}."
        )
    }
}

/// The first value of a key in a file of lines `key: value`.
fn field(path: &str, key: &str, separator: char) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    parse_field(&text, key, separator).unwrap_or_else(|| "unknown".to_owned())
}

fn parse_field(text: &str, key: &str, separator: char) -> Option<String> {
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(separator)).find(|(name, _)| name.trim() == key)?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn first_word(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace().next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let cpu = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(parse_field(cpu, "model name", ':').as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(parse_field("A=1\nPRETTY_NAME=\"An OS\"\n", "PRETTY_NAME", '=').as_deref(), Some("An OS"));
        assert_eq!(parse_field(cpu, "bogus", ':'), None);
    }

    #[test]
    fn this_machine_is_described() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory > 0);
        assert!(machine.describe().contains("cores"));
    }
}
