//! metricsd beside Prometheus and VictoriaMetrics: the same load, figures side by side.

mod disk;
mod ingest;
mod matching;
mod memory;
mod options;
mod query;
mod replay;

use std::{
    fs,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    load::{BodyFile, Generator, Lane, Plan},
    machine::Machine,
    progress::{Progress, say},
    report::{Report, Reports},
    send::{Sent, send},
    server::{Product, Program, Running, Server},
};
pub use options::Options;
use options::Part;

/// How often the folder is removed at the end of an interrupted run.
const REMOVE_ATTEMPTS: usize = 20;
const REMOVE_INTERVAL: Duration = Duration::from_millis(50);

/// What every part works with.
struct Context<'a> {
    options: &'a Options,
    /// A folder that is removed at the end.
    dir: PathBuf,
    running: Running,
}

/// Measures what was asked for and writes it down. Says whether all went as it should.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let programs = find(options);
    anyhow::ensure!(!programs.is_empty(), "none of the programs is there");
    fs::create_dir_all(&options.dir).with_context(|| format!("cannot make `{}`", options.dir.display()))?;
    let scratch =
        tempfile::Builder::new().prefix("run-").tempdir_in(&options.dir).context("cannot make a folder")?;
    // Servers are told where their data is, and run elsewhere.
    let dir = fs::canonicalize(scratch.path())?;
    let running = Running::default();
    end_on_signal(running.clone(), dir.clone())?;

    let context = Context { options, dir, running };
    let machine = Machine::this();
    let mut reports = Reports {
        figures: Report::new(machine.clone(), programs.clone(), options.describe()),
        queries: Report::new(machine, programs.clone(), options.describe_queries()),
    };
    let figures = &mut reports.figures;
    figures.declare(ingest::MEASURES.iter().chain(&disk::MEASURES).chain(&memory::MEASURES).cloned());
    figures.declare(replay::MEASURES.iter().cloned().chain(matching::measures()));
    context.run_all(&programs, &mut reports)?;
    println!("{}", reports.markdown());
    Ok(reports.is_clean())
}

impl Context<'_> {
    fn run_all(&self, programs: &[Program], reports: &mut Reports) -> anyhow::Result<()> {
        if self.options.wants(Part::Load) || self.options.wants(Part::Query) {
            let bodies = self.prepare_bodies()?;
            self.run_loaded(programs, &bodies, reports)?;
        }
        if self.options.wants(Part::Replay) || self.options.wants(Part::Match) {
            self.each(programs, reports, |program, report| replay::measure(self, program, report))?;
        }
        if self.options.wants(Part::Memory) {
            self.each(programs, reports, |program, report| memory::measure(self, program, report))?;
        }
        Ok(())
    }

    /// The parts with a load whose bodies are in a file.
    fn run_loaded(
        &self,
        programs: &[Program],
        bodies: &BodyFile,
        reports: &mut Reports,
    ) -> anyhow::Result<()> {
        if self.options.wants(Part::Load) {
            for _ in 0..self.options.repeat {
                self.each(programs, reports, |program, report| {
                    ingest::measure(self, program, bodies, report)
                })?;
            }
        }
        if self.options.wants(Part::Query) {
            query::measure(self, programs, bodies, reports)?;
        }
        Ok(())
    }

    /// Does a part with one program after the other. What fails with one is noted, and the others go on.
    fn each(
        &self,
        programs: &[Program],
        reports: &mut Reports,
        mut part: impl FnMut(&Program, &mut Report) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for program in programs {
            let outcome = part(program, &mut reports.figures);
            self.note_failure(program.product, outcome, &mut reports.figures)?;
            self.save(reports)?;
        }
        Ok(())
    }

    /// What did not fail; notes what did, unless that says nothing about a server.
    fn note_failure<T>(
        &self,
        product: Product,
        outcome: anyhow::Result<T>,
        report: &mut Report,
    ) -> anyhow::Result<Option<T>> {
        anyhow::ensure!(!self.running.is_closed(), "interrupted");
        Ok(outcome
            .inspect_err(|error| {
                say(format_args!("{product}: {error:#}"));
                report.note(product, format_args!("{error:#}"));
            })
            .ok())
    }

    /// After each piece of work, as a run takes long and may be interrupted.
    fn save(&self, reports: &Reports) -> anyhow::Result<()> {
        reports.save(self.options.json.as_deref(), self.options.markdown.as_deref())
    }

    fn start(&self, program: &Program) -> anyhow::Result<Server> {
        Server::start(program, &self.dir, &self.running).context("it did not start")
    }

    /// Bodies in a file, for a load whose cost is measured.
    fn prepare_bodies(&self) -> anyhow::Result<BodyFile> {
        let plan = self.plan(self.options.load_series, self.options.steps);
        let progress = Progress::new(format!("making {} samples", plan.samples()), plan.samples());
        let file = BodyFile::create(plan, &self.dir.join("bodies"), &progress)?;
        say(format_args!("{} bytes a sample on the wire", file.bytes / plan.samples().max(1)));
        Ok(file)
    }

    /// Sends a load whose bodies are in a file.
    fn send_bodies(&self, server: &Server, bodies: &BodyFile) -> anyhow::Result<Sent> {
        let connections = self.options.connections;
        let lanes = (0..connections)
            .map(|lane| Ok(Box::new(bodies.lane(lane, connections)?) as _))
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.send(server, bodies.plan, lanes)
    }

    /// Sends a load that is generated meanwhile: it would be long as a file.
    fn send_generated(&self, server: &Server, plan: Plan) -> anyhow::Result<Sent> {
        let lanes = (0..self.options.connections)
            .map(|lane| Ok(Box::new(Generator::new(plan, &self.dir, lane, self.options.connections)?) as _))
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.send(server, plan, lanes)
    }

    fn send(&self, server: &Server, plan: Plan, lanes: Vec<Box<dyn Lane>>) -> anyhow::Result<Sent> {
        let what = format!("{}: {} series, {} steps", server.program.product, plan.series, plan.steps);
        send(server, lanes, &Progress::new(what, plan.samples()))
    }

    /// A load whose last samples are about now.
    fn plan(&self, series: usize, steps: u32) -> Plan {
        let now = jiff::Timestamp::now().as_millisecond();
        Plan { series, steps, end: Plan::align(now), seed: self.options.seed }
    }
}

/// The programs that are there; says which are not.
fn find(options: &Options) -> Vec<Program> {
    let wanted = [
        (Product::Prometheus, &options.prometheus),
        (Product::VictoriaMetrics, &options.victoria_metrics),
        (Product::Metricsd, &options.metricsd),
    ];
    let mut found = Vec::new();
    for (product, path) in wanted {
        match Program::find(product, path) {
            Some(program) => found.push(program),
            None => say(format_args!("left out: {product} (there is no `{}`)", path.display())),
        }
    }
    found
}

/// At Ctrl-C and its like: ends the servers that run, removes the folder, and this program is over.
fn end_on_signal(running: Running, dir: PathBuf) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
    };
    let wait = move || {
        runtime.block_on(async {
            let [interrupt, terminate, hangup] = &mut signals;
            let (Ok(interrupt), Ok(terminate), Ok(hangup)) = (interrupt, terminate, hangup) else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        running.close();
        remove(&dir);
        process::exit(130);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).context("cannot start a thread")?;
    Ok(())
}

/// Removes a folder in which another thread may still be at work, until it notices that it is over.
fn remove(dir: &Path) {
    let mut outcome = fs::remove_dir_all(dir);
    for _ in 0..REMOVE_ATTEMPTS {
        if outcome.is_ok() {
            return;
        }
        thread::sleep(REMOVE_INTERVAL);
        outcome = fs::remove_dir_all(dir);
    }
    if let Err(error) = outcome {
        say(format_args!("cannot remove `{}`: {error}", dir.display()));
    }
}

/// Makes what was written visible to queries where that takes a moment.
fn flush(server: &Server) -> anyhow::Result<()> {
    if server.program.product == Product::VictoriaMetrics {
        server.connect()?.get("/internal/force_flush")?.success()?;
    }
    Ok(())
}

/// Notes it if a server does not have all samples of the series `up`.
fn check_complete(server: &Server, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    flush(server)?;
    let seconds = i64::from(plan.steps) * crate::load::STEP / 1000 + 60;
    let query = format!("sum(count_over_time(up[{seconds}s]))");
    let have = instant(&mut server.connect()?, &query, plan.end)?;
    let want = plan.targets() as f64 * f64::from(plan.steps);
    if have.unwrap_or_default() != want {
        let have = have.unwrap_or_default();
        report.note(server.program.product, format_args!("has {have} samples of `up`, {want} were sent"));
    }
    Ok(())
}

/// The only value of an instant query's answer.
fn instant(connection: &mut crate::http::Connection, query: &str, time: i64) -> anyhow::Result<Option<f64>> {
    let time = (time / 1000).to_string();
    let data = connection.api("query", &[("query", query), ("time", &time)])?;
    Ok(data["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok()))
}
