//! The programs that are measured, and running them.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    http::Connection,
    proc::{Cpu, Memory},
};

/// Longest time a server gets to become ready: the replay of a long log takes minutes.
const READY_LIMIT: Duration = Duration::from_secs(1800);

/// How often something that is waited for is asked for.
const WAIT_INTERVAL: Duration = Duration::from_millis(10);

/// A server is idle when it uses less than this share of a core for so many looks in a row; it is not waited for longer than the limit.
const IDLE_SHARE: f64 = 0.05;
const IDLE_LOOKS: usize = 4;
const IDLE_INTERVAL: Duration = Duration::from_millis(500);
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// The original.
    Prometheus,
    /// The single-node version.
    VictoriaMetrics,
    /// Ours.
    Metricsd,
}

/// A program that is there.
#[derive(Debug, Clone)]
pub struct Program {
    /// Which one.
    pub product: Product,
    /// The executable.
    pub path: PathBuf,
    /// What it calls its version.
    pub version: String,
}

/// Where the servers that run now are kept, for whoever has to end them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By process.
    children: HashMap<u32, Child>,
    closed: bool,
}

/// A server that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    /// What runs.
    pub program: Program,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// Its folder: data in `data`, what it says in `log`.
    pub dir: PathBuf,
    running: Running,
}

// === impl Product ===

impl Product {
    /// All, in the order of the table: the peers first.
    pub const ALL: [Self; 3] = [Self::Prometheus, Self::VictoriaMetrics, Self::Metricsd];

    /// Its name, also that of the executable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::VictoriaMetrics => "victoria-metrics",
            Self::Metricsd => "metricsd",
        }
    }

    /// Its command line; everything not named here is as it is by default.
    fn arguments(self, dir: &Path, address: SocketAddr) -> Vec<String> {
        let dir = dir.display();
        match self {
            Self::Prometheus | Self::Metricsd => vec![
                format!("--config.file={dir}/prometheus.yml"),
                format!("--storage.tsdb.path={dir}/data"),
                format!("--web.listen-address={address}"),
                "--web.enable-remote-write-receiver".to_owned(),
                "--web.enable-admin-api".to_owned(),
                "--log.level=warn".to_owned(),
            ],
            // Without its cache of answers, and answering from the newest samples, as the others do.
            Self::VictoriaMetrics => vec![
                format!("-storageDataPath={dir}/data"),
                format!("-httpListenAddr={address}"),
                "-retentionPeriod=12".to_owned(),
                "-search.latencyOffset=0s".to_owned(),
                "-search.disableCache".to_owned(),
                "-loggerLevel=WARN".to_owned(),
            ],
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Program ===

impl Program {
    /// Looks a program up: a path as it is, a name in `$PATH`. `None` if there is none.
    pub fn find(product: Product, path: &Path) -> Option<Self> {
        let path = if path.components().count() > 1 {
            path.to_owned()
        } else {
            let folders = std::env::var_os("PATH")?;
            std::env::split_paths(&folders).map(|folder| folder.join(path)).find(|path| path.is_file())?
        };
        // A server is started in a folder of its own.
        let path = fs::canonicalize(path).ok().filter(|path| path.is_file())?;
        let version = version(product, &path);
        Some(Self { product, path, version })
    }
}

/// The first line of `--version`; where a distribution's build does not know, what the package is called.
fn version(product: Product, path: &Path) -> String {
    let output = |command: &mut Command| {
        let output = command.output().ok()?;
        let text = if output.stdout.trim_ascii().is_empty() { output.stderr } else { output.stdout };
        let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
        (output.status.success() && !line.is_empty()).then_some(line)
    };
    let package = ["--show", "--showformat=${Package} ${Version}", product.name()];
    output(Command::new(path).arg("--version"))
        .or_else(|| output(Command::new("dpkg-query").args(package)))
        .unwrap_or_else(|| format!("{product}, version unknown"))
}

// === impl Running ===

impl Running {
    /// Kills all that run, and lets nothing start any more.
    pub fn close(&self) {
        let children = {
            let mut state = self.0.lock();
            state.closed = true;
            std::mem::take(&mut state.children)
        };
        children.into_values().for_each(kill);
    }

    /// Whether nothing starts any more.
    pub fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    fn start(&self, command: &mut Command) -> anyhow::Result<u32> {
        let mut state = self.0.lock();
        if state.closed {
            bail!("interrupted");
        }
        let child = command.spawn().context("cannot start it")?;
        let pid = child.id();
        state.children.insert(pid, child);
        Ok(pid)
    }

    /// Kills one that runs; one that was killed before may be named again.
    fn kill(&self, pid: u32) {
        let child = self.0.lock().children.remove(&pid);
        child.into_iter().for_each(kill);
    }

    fn has_ended(&self, pid: u32) -> bool {
        let mut state = self.0.lock();
        state.children.get_mut(&pid).is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }
}

/// Like `kill -9`, and waits for the end.
fn kill(mut child: Child) {
    // It fails only for one that has ended.
    let _ = child.kill();
    let _ = child.wait();
}

// === impl Server ===

impl Server {
    /// Starts a program on an empty folder of its own in `dir`, and waits until it is ready.
    pub fn start(program: &Program, dir: &Path, running: &Running) -> anyhow::Result<Self> {
        let dir = dir.join(program.product.name());
        remove(&dir)?;
        fs::create_dir_all(dir.join("data")).with_context(|| format!("cannot make `{}`", dir.display()))?;
        fs::write(dir.join("prometheus.yml"), "global:\n  scrape_interval: 15s\n")
            .context("cannot write its file")?;
        let (address, pid) = spawn(program, &dir, running)?;
        let server = Self { program: program.clone(), address, pid, dir, running: running.clone() };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Ends it as `kill -9` does.
    pub fn crash(&self) {
        self.running.kill(self.pid);
    }

    /// Starts it again on its data. Returns at once, long before it is ready.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        (self.address, self.pid) = spawn(&self.program, &self.dir, &self.running)?;
        Ok(())
    }

    /// Has it write what it holds as blocks, and returns the folder that they are in.
    ///
    /// Prometheus' API, which VictoriaMetrics does not have.
    pub fn snapshot(&self) -> anyhow::Result<PathBuf> {
        let answer = self.connect()?.post("/api/v1/admin/tsdb/snapshot")?.data()?;
        let name = answer["name"].as_str().context("the answer has no name")?;
        Ok(self.data().join("snapshots").join(name))
    }

    /// Ends it and starts it again on a snapshot in place of its data. Returns when it is ready.
    pub fn restart_on(&mut self, snapshot: &Path) -> anyhow::Result<()> {
        self.crash();
        let aside = self.dir.join("snapshot");
        fs::rename(snapshot, &aside).context("cannot move the snapshot")?;
        remove(&self.data())?;
        fs::rename(&aside, self.data()).context("cannot move the snapshot")?;
        self.restart()?;
        self.wait_until_ready()
    }

    /// Ends it and removes its data.
    pub fn finish(self) -> anyhow::Result<()> {
        self.crash();
        remove(&self.dir)
    }

    /// A new connection to it.
    pub fn connect(&self) -> anyhow::Result<Connection> {
        Connection::new(self.address)
    }

    /// CPU time since its start.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        Cpu::of(self.pid)
    }

    /// Lets the peak of its memory count from now on.
    pub fn reset_peak(&self) -> anyhow::Result<()> {
        Memory::reset_peak(self.pid)
    }

    /// Its memory now.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        Memory::of(self.pid)
    }

    /// The folder of its database.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Waits until it has nothing left to do, but not for ever: some always have.
    pub fn settle(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut idle = 0;
        while idle < IDLE_LOOKS && start.elapsed() < IDLE_LIMIT {
            let before = self.cpu()?;
            thread::sleep(IDLE_INTERVAL);
            let share = (self.cpu()? - before).seconds() / IDLE_INTERVAL.as_secs_f64();
            idle = if share < IDLE_SHARE { idle + 1 } else { 0 };
        }
        Ok(())
    }

    /// Waits until it says that it is ready.
    pub fn wait_until_ready(&self) -> anyhow::Result<()> {
        self.wait_until("it is ready", READY_LIMIT, |connection| {
            connection.get("/-/ready").is_ok_and(|answer| answer.status.is_success())
        })
    }

    /// Asks again and again until the answer is yes.
    pub fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        mut ask: impl FnMut(&mut Connection) -> bool,
    ) -> anyhow::Result<()> {
        let mut connection = self.connect()?;
        let start = Instant::now();
        while !ask(&mut connection) {
            if self.running.has_ended(self.pid) {
                bail!("it has ended by itself: {}", self.last_words());
            }
            if start.elapsed() > limit {
                bail!("waited {limit:?} until {what}: {}", self.last_words());
            }
            thread::sleep(WAIT_INTERVAL);
        }
        Ok(())
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        log.lines().last().unwrap_or("its log is empty").to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Starts a program on its folder and a free port.
fn spawn(program: &Program, dir: &Path, running: &Running) -> anyhow::Result<(SocketAddr, u32)> {
    let address = free_address()?;
    let log =
        File::options().create(true).append(true).open(dir.join("log")).context("cannot write its log")?;
    let mut command = Command::new(&program.path);
    command
        .args(program.product.arguments(dir, address))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok((address, running.start(&mut command)?))
}

/// A port of the loopback interface that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

fn remove(dir: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path_and_by_path() {
        let found = Program::find(Product::Prometheus, Path::new("sh")).expect("there is a shell");
        assert!(found.path.is_absolute());
        assert!(Program::find(Product::Prometheus, &found.path).is_some());
        assert!(Program::find(Product::Prometheus, Path::new("no-such-program-anywhere")).is_none());
        assert!(Program::find(Product::Prometheus, Path::new("./no-such-program")).is_none());
    }

    /// A process that does nothing, and whether it is there.
    fn sleeper(running: &Running) -> (u32, impl Fn() -> bool) {
        let pid = running.start(Command::new("sleep").arg("600")).unwrap();
        (pid, move || Path::new(&format!("/proc/{pid}")).exists())
    }

    #[test]
    fn nothing_starts_after_the_end() {
        let running = Running::default();
        let [(first, first_is_there), (second, second_is_there)] = [sleeper(&running), sleeper(&running)];
        assert!(!running.has_ended(first) && first_is_there() && second_is_there());
        running.close();
        assert!(running.has_ended(first) && !first_is_there());
        assert!(running.has_ended(second) && !second_is_there());
        assert!(running.start(&mut Command::new("true")).is_err());
    }

    #[test]
    fn one_ends_and_the_others_go_on() {
        let running = Running::default();
        let [(first, first_is_there), (second, second_is_there)] = [sleeper(&running), sleeper(&running)];
        running.kill(first);
        running.kill(first);
        assert!(running.has_ended(first) && !first_is_there());
        assert!(!running.has_ended(second) && second_is_there());
        running.close();
    }
}
