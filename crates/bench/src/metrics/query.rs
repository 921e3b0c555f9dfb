//! What queries cost, and whether their answers agree with Prometheus'.
//!
//! All servers hold the same data and stay up together; each question is put to one after the other, so that what else the machine does
//! meanwhile meets all of them alike.

mod answer;
mod ask;
mod questions;

use super::{Context, check_complete};
use crate::{
    load::{BodyFile, Plan},
    progress::{Progress, say},
    report::{Aim, Measure, Report, Reports, Round},
    server::{Product, Program, Server},
};
use ask::Target;
use questions::{HEAVIEST, QUESTIONS, Span};

/// Faster answers say more about the connection than about the server.
const LEAST_TIME: f64 = 5.0;

/// The shift of times that are not those of samples.
const SHIFT: i64 = 7;

const MIB: f64 = (1 << 20) as f64;

/// Where Prometheus and metricsd have the data. VictoriaMetrics has one place for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    Head,
    Block,
}

/// Under which a round is asked.
#[derive(Debug, Clone, Copy)]
struct Conditions {
    store: Store,
    /// Seconds from the times of samples to those of queries.
    shift: i64,
}

// === impl Store ===

impl Store {
    fn group(self) -> &'static str {
        match self {
            Self::Head => "Queries, data in the head",
            Self::Block => "Queries, data in a block",
        }
    }

    fn measure(self, title: String, unit: &'static str, aim: Aim) -> Measure {
        Measure { group: self.group(), title: title.into(), unit, aim }
    }

    /// Lets servers have their data here.
    fn prepare(self, server: &mut Server) -> anyhow::Result<()> {
        match (self, server.program.product) {
            (Self::Head, _) | (Self::Block, Product::VictoriaMetrics) => Ok(()),
            (Self::Block, Product::Prometheus | Product::Metricsd) => {
                let snapshot = server.snapshot()?;
                server.restart_on(&snapshot)?;
                server.settle()
            }
        }
    }
}

/// Loads all programs and puts all questions to them.
pub fn measure(
    context: &Context<'_>,
    programs: &[Program],
    bodies: &BodyFile,
    reports: &mut Reports,
) -> anyhow::Result<()> {
    let mut servers = Vec::new();
    for program in programs {
        let outcome = load(context, program, bodies, &mut reports.queries);
        servers.extend(context.note_failure(program.product, outcome, &mut reports.queries)?);
    }
    for store in [Store::Head, Store::Block] {
        let mut targets = Vec::new();
        for mut server in servers {
            say(format_args!("{}: {}", server.program.product, store.group()));
            let outcome = store.prepare(&mut server);
            let (product, outcome) = (server.program.product, outcome.and_then(|()| Target::new(server)));
            targets.extend(context.note_failure(product, outcome, &mut reports.queries)?);
        }
        if targets.is_empty() {
            return Ok(());
        }
        for target in &mut targets {
            let outcome = memory(target, store, bodies, &mut reports.queries);
            context.note_failure(target.product(), outcome, &mut reports.queries)?;
        }
        for shift in [0, SHIFT] {
            let conditions = Conditions { store, shift };
            let round = conditions.ask_all(context, &mut targets, bodies.plan, &mut reports.queries)?;
            conditions.summarize(&round, &mut reports.queries);
            reports.queries.add_round(round);
            context.save(reports)?;
        }
        servers = targets.into_iter().map(Target::into_server).collect();
    }
    servers.into_iter().try_for_each(Server::finish)
}

fn load(
    context: &Context<'_>,
    program: &Program,
    bodies: &BodyFile,
    report: &mut Report,
) -> anyhow::Result<Server> {
    let server = context.start(program)?;
    context.send_bodies(&server, bodies)?;
    server.settle()?;
    check_complete(&server, bodies.plan, report)?;
    Ok(server)
}

/// What the heaviest question takes when it is asked for the first time.
fn memory(target: &mut Target, store: Store, bodies: &BodyFile, report: &mut Report) -> anyhow::Result<()> {
    let aim = Aim::Within(0.3, Product::Prometheus);
    let more = store.measure("memory (RSS) that the heaviest query adds".to_owned(), "MiB", aim);
    let peak = store.measure("memory (RSS) at its peak, heaviest query".to_owned(), "MiB", aim);
    let (before, after) = target.peak(&HEAVIEST.request(Span::of(bodies.plan, 0))?)?;
    for (measure, bytes) in [(more, after.saturating_sub(before)), (peak, after)] {
        report.add(target.product(), &measure, bytes as f64 / MIB);
    }
    Ok(())
}

// === impl Conditions ===

impl Conditions {
    fn when(self) -> &'static str {
        if self.shift == 0 { "at times of samples" } else { "between times of samples" }
    }

    fn ask_all(
        self,
        context: &Context<'_>,
        targets: &mut [Target],
        plan: Plan,
        report: &mut Report,
    ) -> anyhow::Result<Round> {
        let title = format!("{}, {}", self.store.group(), self.when());
        let progress = Progress::new(title.clone(), QUESTIONS.len() as u64);
        let span = Span::of(plan, self.shift);
        let mut questions = Vec::new();
        for question in &QUESTIONS {
            let asked = ask::ask(question, span, targets, context.options.query_runs)?;
            anyhow::ensure!(!context.running.is_closed(), "interrupted");
            // At the times of samples Prometheus 2 counts one more at the beginning of a window than Prometheus 3 and metricsd do.
            let compares = self.shift != 0;
            questions.push(asked.into_question(&title, compares, report));
            progress.advance(1);
        }
        Ok(Round { title, questions })
    }

    /// What the costs of single questions come to.
    fn summarize(self, round: &Round, report: &mut Report) {
        let measure =
            |title: String, unit, aim| self.store.measure(format!("{}: {title}", self.when()), unit, aim);
        let title = format!("geometric mean of times, where prometheus takes ≥ {LEAST_TIME} ms");
        let times = measure(title, "ms", Aim::TimesAsFast(8.0, 3.0));
        for (product, time) in round.typical_times(LEAST_TIME) {
            report.add(product, &times, time);
        }
        if let Some((name, ratio)) = round.slowest() {
            let title = format!("largest ratio to the faster peer's time ({name})");
            report.add(Product::Metricsd, &measure(title, "×", Aim::None), ratio);
        }
        if let Some(agreeing) = round.agreeing() {
            let all = QUESTIONS.len();
            let title = format!("answers that agree with prometheus', of {all}");
            report.add(
                Product::Metricsd,
                &measure(title, "answers", Aim::AtLeast(all as f64)),
                agreeing as f64,
            );
        }
    }
}
