//! How long a server takes to be there again after `kill -9`, with many series in memory.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{Context, Part, check_complete, instant, matching};
use crate::{
    load::Plan,
    progress::say,
    report::{Aim, Measure, Report},
    server::{Product, Program, Server},
};

const GROUP: &str = "Start after a crash with many series";

const READY: Measure = Measure::new(GROUP, "until it is ready", "s", Aim::Within(0.25, Product::Prometheus));
const ANSWER: Measure =
    Measure::new(GROUP, "until a query finds all series", "s", Aim::Within(0.25, Product::Prometheus));
const CPU: Measure = Measure::new(GROUP, "CPU until then", "s", Aim::Within(0.25, Product::Prometheus));
const PEAK: Measure =
    Measure::new(GROUP, "memory (RSS) at its peak", "MiB", Aim::Within(1.0, Product::Prometheus));

pub const MEASURES: [Measure; 4] = [READY, ANSWER, CPU, PEAK];

/// VictoriaMetrics has no log and writes its samples to disk every few seconds: without a pause it would have less to start with.
const BEFORE_CRASH: Duration = Duration::from_secs(15);

/// Longest time from being ready to the right answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(300);

const MIB: f64 = (1 << 20) as f64;

/// Loads many series, lets a program crash and start again, and asks what is left for some of them.
pub fn measure(context: &Context<'_>, program: &Program, report: &mut Report) -> anyhow::Result<()> {
    let plan = context.plan(context.options.series, context.options.replay_steps);
    let mut server = context.start(program)?;
    context.send_generated(&server, plan)?;
    server.settle()?;
    if context.options.wants(Part::Replay) {
        thread::sleep(BEFORE_CRASH);
        crash(&mut server, plan, report)?;
    }
    check_complete(&server, plan, report)?;
    if context.options.wants(Part::Match) {
        matching::measure(context, &server, plan, report)?;
    }
    server.finish()
}

fn crash(server: &mut Server, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let product = server.program.product;
    say(format_args!("{product}: starting again after kill -9"));
    server.crash();
    let start = Instant::now();
    server.restart()?;
    server.wait_until_ready()?;
    let ready = start.elapsed();
    let all = plan.targets() as f64;
    server.wait_until(
        "a query finds all series",
        ANSWER_LIMIT,
        |connection| matches!(instant(connection, "count(up)", plan.end), Ok(Some(count)) if count == all),
    )?;
    let answer = start.elapsed();
    let cpu = server.cpu()?;
    report.add(product, &READY, ready.as_secs_f64());
    report.add(product, &ANSWER, answer.as_secs_f64());
    report.add(product, &CPU, cpu.seconds());
    report.add(product, &PEAK, server.memory()?.peak as f64 / MIB);
    server.settle()
}
