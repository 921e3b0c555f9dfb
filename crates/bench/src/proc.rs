//! What the kernel says of a process and of the machine. Source: proc(5).

use std::{fs, iter::Sum, ops::Sub, path::Path, time::Duration};

use anyhow::{Context, bail};

/// Clock ticks a second of the times in `/proc`, the same on all platforms that we run on.
const TICKS: u64 = 100;

/// Memory of a process, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was ever resident.
    pub peak: u64,
    /// Resident and belonging to no file: heap and stacks.
    pub anonymous: u64,
}

/// CPU time, user and system together.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Cpu(Duration);

impl Memory {
    /// Of a process that runs.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let status = read(format!("/proc/{pid}/status"))?;
        let rollup = read(format!("/proc/{pid}/smaps_rollup"))?;
        Self::parse(&status, &rollup).with_context(|| format!("memory of process {pid}"))
    }

    /// Lets the peak of a process count from now on: what is resident now is the most that ever was.
    pub fn reset_peak(pid: u32) -> anyhow::Result<()> {
        let path = format!("/proc/{pid}/clear_refs");
        fs::write(&path, "5").with_context(|| format!("cannot write `{path}`"))
    }

    /// Resident and mapped from files.
    pub fn file(&self) -> u64 {
        self.resident.saturating_sub(self.anonymous)
    }

    fn parse(status: &str, rollup: &str) -> anyhow::Result<Self> {
        Ok(Self {
            resident: kilobytes(rollup, "Rss")?,
            peak: kilobytes(status, "VmHWM")?,
            anonymous: kilobytes(rollup, "Anonymous")?,
        })
    }
}

impl Cpu {
    /// What a process has used since its start, all its threads together.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        Self::parse_process(&read(format!("/proc/{pid}/stat"))?)
            .with_context(|| format!("CPU time of process {pid}"))
    }

    /// What this process has used.
    pub fn own() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }

    /// What all processes and the kernel have used since the machine started.
    pub fn machine() -> anyhow::Result<Self> {
        Self::parse_machine(&read("/proc/stat")?).context("CPU time of the machine")
    }

    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    fn from_ticks(ticks: u64) -> Self {
        Self(Duration::from_millis(ticks * 1000 / TICKS))
    }

    /// Fields 14 and 15, counted from the closing bracket of the name, which may itself hold brackets and blanks.
    fn parse_process(stat: &str) -> anyhow::Result<Self> {
        let (_, fields) = stat.rsplit_once(')').context("no name in brackets")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let [user, system] = fields.get(11..13).context("too few fields")? else { bail!("too few fields") };
        Ok(Self::from_ticks(user.parse::<u64>()? + system.parse::<u64>()?))
    }

    /// All but the times of idleness; guests' time is in the user's already.
    fn parse_machine(stat: &str) -> anyhow::Result<Self> {
        let line =
            stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("no line of all CPUs")?;
        let ticks: Vec<u64> = line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [user, nice, system, _idle, _iowait, irq, softirq, steal] =
            ticks.get(..8).context("too few fields")?
        else {
            bail!("too few fields")
        };
        Ok(Self::from_ticks(user + nice + system + irq + softirq + steal))
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Sum for Cpu {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        Self(times.map(|time| time.0).sum())
    }
}

/// The value of a line `Name:   123 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> anyhow::Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = value.with_context(|| format!("no line `{name}`"))?;
    let number = value.trim().strip_suffix(" kB").with_context(|| format!("`{name}` is not in kB"))?;
    Ok(number.trim().parse::<u64>().with_context(|| format!("`{name}` is not a number"))? * 1024)
}

fn read(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_a_process() {
        let stat = "42 (a) b ((c) S 1 42 42 0 -1 4194560 900 0 3 0 1234 66 0 0 20 0 9 0 777 1 2 3";
        assert_eq!(Cpu::parse_process(stat).unwrap().seconds(), 13.0);
        assert!(Cpu::parse_process("42 (x) S 1 2").is_err());
        assert!(Cpu::parse_process("").is_err());
    }

    #[test]
    fn cpu_time_of_the_machine() {
        let stat = "cpu  100 20 30 99999 88888 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(Cpu::parse_machine(stat).unwrap().seconds(), 1.65);
        assert!(Cpu::parse_machine("cpu 1 2 3\n").is_err());
        assert!(Cpu::parse_machine("intr 1\n").is_err());
    }

    #[test]
    fn memory_of_a_process() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t     300 kB\nVmRSS:\t     200 kB\n";
        let rollup = "5f-7f ---p 00000000 00:00 0 [rollup]\nRss:            201 kB\nPss: 1 kB\nAnonymous:      150 kB\n";
        let memory = Memory::parse(status, rollup).unwrap();
        assert_eq!(memory, Memory { resident: 201 << 10, peak: 300 << 10, anonymous: 150 << 10 });
        assert_eq!(memory.file(), 51 << 10);
        assert!(Memory::parse("VmHWM: x kB\n", rollup).is_err());
        assert!(Memory::parse(status, "").is_err());
    }

    #[test]
    fn this_process_can_be_read() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.resident > 0 && memory.peak > 0 && memory.anonymous <= memory.resident);
        assert!(Cpu::machine().unwrap() > Cpu::own().unwrap());
    }

    #[test]
    fn peaks_are_forgotten_of_processes_that_run() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let outcome = Memory::reset_peak(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        outcome.unwrap();
        assert!(Memory::reset_peak(child.id()).is_err());
    }
}
