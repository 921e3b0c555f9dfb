//! Processes and threads by state. Sources: `/proc/*/stat`, `/proc/*/task/*/stat`, `/proc/sys/kernel`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    Options,
    collector::{CollectError, Collector, names, read_number, read_value},
    exposition::{Exposition, Kind},
};

pub(crate) struct Processes {
    proc: PathBuf,
    kernel: PathBuf,
}

impl Processes {
    pub(crate) fn new(options: &Options) -> Self {
        Self { proc: options.proc(""), kernel: options.proc("sys/kernel") }
    }
}

/// State and number of threads in a `stat` file, counted behind the command in parentheses: see proc_pid_stat(5).
fn state(stat: &Path) -> Option<(String, u32)> {
    let text = read_value(stat)?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.to_owned();
    Some((state, fields.nth(16)?.parse().ok()?))
}

fn is_pid(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

impl Collector for Processes {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let (mut pids, mut threads) = (0u32, 0u32);
        let (mut states, mut thread_states) =
            (BTreeMap::<String, u32>::new(), BTreeMap::<String, u32>::new());
        for pid in names(&self.proc).into_iter().filter(|name| is_pid(name)) {
            let dir = self.proc.join(pid);
            // A process that has ended meanwhile counts no more.
            let Some((state, count)) = self::state(&dir.join("stat")) else { continue };
            pids += 1;
            threads = threads.saturating_add(count);
            *states.entry(state).or_default() += 1;
            let tasks = dir.join("task");
            for thread in names(&tasks).into_iter().filter(|name| is_pid(name)) {
                let Some((state, _)) = self::state(&tasks.join(thread).join("stat")) else { continue };
                *thread_states.entry(state).or_default() += 1;
            }
        }
        out.gauge("node_processes_threads", "Threads.", f64::from(threads));
        if let Some(most) = read_number(&self.kernel.join("threads-max")) {
            out.gauge("node_processes_max_threads", "Most threads there can be.", most);
        }
        for (name, label, states, help) in [
            ("node_processes_state", "state", states, "Processes by state."),
            ("node_processes_threads_state", "thread_state", thread_states, "Threads by state."),
        ] {
            let mut family = out.family(name, Kind::Gauge, help);
            for (state, count) in &states {
                family.add(&[(label, state)], f64::from(*count));
            }
        }
        out.gauge("node_processes_pids", "Processes.", f64::from(pids));
        if let Some(most) = read_number(&self.kernel.join("pid_max")) {
            out.gauge("node_processes_max_processes", "Most processes there can be.", most);
        }
        Ok(())
    }
}
