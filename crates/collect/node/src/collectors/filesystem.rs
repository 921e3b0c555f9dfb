//! Mounted file systems. Sources: `/proc/1/mountinfo` (our own where that is hidden), `statfs(2)`.
//!
//! `statfs` of a mount whose server is gone may never return. So each runs on a thread of its own, at most four at a time and for at most
//! the mount timeout; a mount that did not answer is told as such, and not asked again until its thread is back.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tracing::debug;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, read},
    exposition::{Exposition, Kind},
    options::Filter,
    system::{self, FileSystemStat},
};

pub(crate) const FLAGS: &[&str] = &[
    "collector.filesystem.mount-points-exclude",
    "collector.filesystem.mount-points-include",
    "collector.filesystem.fs-types-exclude",
    "collector.filesystem.fs-types-include",
    "collector.filesystem.ignored-mount-points",
    "collector.filesystem.ignored-fs-types",
    "collector.filesystem.mount-timeout",
    "collector.filesystem.stat-workers",
];

const DEFAULT_MOUNTS: &str =
    r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
const DEFAULT_TYPES: &str = concat!(
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay",
    "|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_WORKERS: usize = 4;
const TIMED_OUT: &str = "mountpoint timeout";

pub(crate) struct FileSystem {
    mountinfo: [PathBuf; 2],
    root: PathBuf,
    mounts: Filter,
    types: Filter,
    timeout: Duration,
    workers: usize,
    /// Mount points whose threads have not come back.
    stuck: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// A line of mountinfo.
#[derive(Debug, Clone, PartialEq)]
struct Mount {
    device: String,
    mount_point: String,
    fs_type: String,
    major: String,
    minor: String,
    is_read_only: bool,
}

/// A metric's name, its help, and where its value is.
type Column = (&'static str, &'static str, fn(&FileSystemStat) -> f64);

/// What `statfs` says of a mount, or what went wrong.
type Answer = Result<FileSystemStat, String>;

impl FileSystem {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        let mut options = options.clone();
        for (old, new) in [
            ("collector.filesystem.ignored-mount-points", "collector.filesystem.mount-points-exclude"),
            ("collector.filesystem.ignored-fs-types", "collector.filesystem.fs-types-exclude"),
        ] {
            if let Some(value) = options.text(old).map(str::to_owned) {
                options.set(new, &value)?;
            }
        }
        let value =
            |flag: &str, text: &str| OptionsError::Value { flag: flag.to_owned(), text: text.to_owned() };
        let timeout = match options.text("collector.filesystem.mount-timeout") {
            None => DEFAULT_TIMEOUT,
            Some(text) => config::parse_go(text)
                .map_err(|error| value("collector.filesystem.mount-timeout", &error.to_string()))?,
        };
        let workers = match options.text("collector.filesystem.stat-workers") {
            None => DEFAULT_WORKERS,
            Some(text) => text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(|| {
                value("collector.filesystem.stat-workers", "expected a number from 1 to 64")
            })?,
        };
        Ok(Self {
            mountinfo: [options.proc("1/mountinfo"), options.proc("self/mountinfo")],
            root: options.root(),
            mounts: options.filter(
                "collector.filesystem.mount-points-exclude",
                DEFAULT_MOUNTS,
                "collector.filesystem.mount-points-include",
            )?,
            types: options.filter(
                "collector.filesystem.fs-types-exclude",
                DEFAULT_TYPES,
                "collector.filesystem.fs-types-include",
            )?,
            timeout,
            workers,
            stuck: Arc::default(),
        })
    }

    fn mounts(&self) -> Result<Vec<Mount>, CollectError> {
        let [first, second] = &self.mountinfo;
        let text = read(first).or_else(|_| read(second))?;
        let mut seen = BTreeSet::new();
        let mounts =
            text.lines().filter_map(parse_mount).map(|mount| self.below_root(mount)).filter(|mount| {
                !self.mounts.ignores(&mount.mount_point)
                    && !self.types.ignores(&mount.fs_type)
                    && seen.insert((mount.device.clone(), mount.mount_point.clone(), mount.fs_type.clone()))
            });
        Ok(mounts.collect())
    }

    /// A mount point as it is called by those who live in the root folder.
    fn below_root(&self, mut mount: Mount) -> Mount {
        let root = self.root.to_string_lossy();
        if root != "/"
            && let Some(rest) = mount.mount_point.strip_prefix(&*root)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            mount.mount_point = if rest.is_empty() { "/".into() } else { rest.to_owned() };
        }
        mount
    }

    fn path(&self, mount: &Mount) -> PathBuf {
        self.root.join(mount.mount_point.trim_start_matches('/'))
    }

    /// Asks all mounts, by their places in the list.
    fn stat_all(&self, mounts: &[Mount]) -> BTreeMap<usize, Answer> {
        // Each mount answers once at most, so nobody ever waits for room.
        let (answers, received) = mpsc::sync_channel::<(usize, Answer)>(mounts.len().max(1));
        let mut outcome = BTreeMap::new();
        let mut waiting: BTreeMap<usize, Instant> = BTreeMap::new();
        let mut next = 0;
        while next < mounts.len() || !waiting.is_empty() {
            while next < mounts.len() && waiting.len() < self.workers {
                let path = self.path(&mounts[next]);
                if self.stuck.lock().contains(&path) {
                    outcome.insert(next, Err(TIMED_OUT.into()));
                } else {
                    match self.ask(next, path, answers.clone()) {
                        Ok(()) => drop(waiting.insert(next, Instant::now() + self.timeout)),
                        Err(error) => drop(outcome.insert(next, Err(error))),
                    }
                }
                next += 1;
            }
            let Some(deadline) = waiting.values().min().copied() else { continue };
            match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, answer)) => {
                    waiting.remove(&at);
                    // One that comes after its deadline has been told as stuck already.
                    outcome.entry(at).or_insert(answer);
                }
                Err(_) => {
                    let now = Instant::now();
                    for (at, _) in waiting.extract_if(.., |_, deadline| *deadline <= now) {
                        debug!(mount_point = mounts[at].mount_point, "mount point does not answer");
                        outcome.insert(at, Err(TIMED_OUT.into()));
                    }
                }
            }
        }
        outcome
    }

    /// Starts a thread for one mount. Until it is back, its path is among the stuck.
    fn ask(
        &self,
        at: usize,
        path: PathBuf,
        answers: mpsc::SyncSender<(usize, Answer)>,
    ) -> Result<(), String> {
        let stuck = self.stuck.clone();
        stuck.lock().insert(path.clone());
        let release = (stuck.clone(), path.clone());
        let thread = std::thread::Builder::new().name("statfs".into()).spawn(move || {
            let answer = system::statfs(&path).map_err(|error| error.to_string());
            stuck.lock().remove(&path);
            // Nobody waits any more after the timeout.
            let _ = answers.send((at, answer));
        });
        thread.map(drop).map_err(|error| {
            release.0.lock().remove(&release.1);
            error.to_string()
        })
    }
}

impl Collector for FileSystem {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let mounts = self.mounts()?;
        let answers = self.stat_all(&mounts);
        let rows: Vec<(&Mount, &Answer)> =
            mounts.iter().enumerate().filter_map(|(at, mount)| Some((mount, answers.get(&at)?))).collect();
        let columns: [Column; 5] = [
            ("node_filesystem_avail_bytes", "Bytes that users may still write.", |stat| stat.available),
            ("node_filesystem_files", "Inodes.", |stat| stat.files),
            ("node_filesystem_files_free", "Inodes that are free.", |stat| stat.files_free),
            ("node_filesystem_free_bytes", "Bytes that are free.", |stat| stat.free),
            ("node_filesystem_size_bytes", "Size in bytes.", |stat| stat.size),
        ];
        for (name, help, value) in columns {
            let mut family = out.family(name, Kind::Gauge, help);
            for (mount, answer) in &rows {
                if let Ok(stat) = answer {
                    family.add(&mount.labels(""), value(stat));
                }
            }
        }
        let mut family = out.family(
            "node_filesystem_device_error",
            Kind::Gauge,
            "Whether the file system could not be asked.",
        );
        for (mount, answer) in &rows {
            family.add(&mount.labels(error_of(answer)), f64::from(u8::from(answer.is_err())));
        }
        let mut family =
            out.family("node_filesystem_readonly", Kind::Gauge, "Whether the file system is read only.");
        for (mount, answer) in &rows {
            family.add(&mount.labels(error_of(answer)), f64::from(u8::from(mount.is_read_only)));
        }
        let mut family = out.family(
            "node_filesystem_mount_info",
            Kind::Gauge,
            "The device that is mounted; the value is 1.",
        );
        for (mount, _) in &rows {
            let labels = [
                ("device", mount.device.as_str()),
                ("major", &mount.major),
                ("minor", &mount.minor),
                ("mountpoint", &mount.mount_point),
            ];
            family.add(&labels, 1.0);
        }
        Ok(())
    }
}

fn error_of(answer: &Answer) -> &str {
    answer.as_ref().err().map(String::as_str).unwrap_or_default()
}

impl Mount {
    fn labels<'a>(&'a self, error: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("device", &self.device),
            ("mountpoint", &self.mount_point),
            ("fstype", &self.fs_type),
            ("device_error", error),
        ]
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: see proc(5).
fn parse_mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split_ascii_whitespace().skip(2);
    let (major, minor) = before.next()?.split_once(':')?;
    let mount_point = before.nth(1)?;
    let options = before.next()?;
    let mut after = after.split_ascii_whitespace();
    let fs_type = after.next()?;
    let device = after.next()?;
    let has_ro = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        device: unescape(device),
        mount_point: unescape(mount_point),
        fs_type: fs_type.to_owned(),
        major: major.to_owned(),
        minor: minor.to_owned(),
        is_read_only: has_ro(options) || after.next().is_some_and(has_ro),
    })
}

/// The kernel writes space, tab, newline and backslash as `\040` and so on.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mountinfo() {
        let mount = parse_mount(
            r"36 35 98:0 / /mnt\040two rw,noatime master:1 shared:2 - ext3 /dev/root ro,errors=continue",
        );
        let want = Mount {
            device: "/dev/root".into(),
            mount_point: "/mnt two".into(),
            fs_type: "ext3".into(),
            major: "98".into(),
            minor: "0".into(),
            is_read_only: true,
        };
        assert_eq!(mount, Some(want));
        assert_eq!(parse_mount("36 35 98:0 / /mnt rw"), None);
        assert_eq!(unescape(r"a\134b\x\04"), r"a\b\x\04");
    }

    #[test]
    fn a_frozen_mount_is_told_and_not_asked_again() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("1")).expect("made");
        let line = format!("1 0 8:1 / {} rw - ext4 /dev/sda1 rw\n", dir.path().display());
        std::fs::write(dir.path().join("1/mountinfo"), line).expect("written");
        let mut options = Options::default();
        options.set("path.procfs", &dir.path().to_string_lossy()).expect("a flag");
        let collector = FileSystem::new(&options).expect("builds");
        let mut out = Exposition::new(crate::Format::Text);
        collector.update(&mut out).expect("collects");
        assert!(out.finish().contains("node_filesystem_size_bytes{device=\"/dev/sda1\""));
        assert!(collector.stuck.lock().is_empty());
        // As if the thread of an earlier scrape had not come back.
        let mount = collector.mounts().expect("reads").remove(0);
        collector.stuck.lock().insert(collector.path(&mount));
        let mut out = Exposition::new(crate::Format::Text);
        collector.update(&mut out).expect("collects");
        let text = out.finish();
        assert!(text.contains("device_error=\"mountpoint timeout\"} 1"), "{text}");
        assert!(!text.contains("node_filesystem_size_bytes{"), "{text}");
    }
}
