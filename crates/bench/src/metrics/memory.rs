//! The memory that many series take after two hours, before the first block is written.

use super::{Context, check_complete};
use crate::{
    report::{Aim, Measure, Report},
    server::{Product, Program},
};

const GROUP: &str = "Memory of many series";

const RESIDENT: Measure = Measure::new(GROUP, "RSS when idle", "MiB", Aim::Within(0.35, Product::Prometheus));
const ANONYMOUS: Measure = Measure::new(GROUP, "of it anonymous", "MiB", Aim::None);
const FILE: Measure = Measure::new(GROUP, "of it of files", "MiB", Aim::None);
const PEAK: Measure = Measure::new(GROUP, "RSS at its peak", "MiB", Aim::Within(0.35, Product::Prometheus));
const A_SERIES: Measure = Measure::new(GROUP, "RSS a series", "bytes", Aim::None);
const ANONYMOUS_A_SERIES: Measure = Measure::new(GROUP, "anonymous a series", "bytes", Aim::AtMost(1_500.0));
const CPU: Measure = Measure::new(GROUP, "CPU a sample, until idle again", "µs", Aim::WithinBoth(0.1, 0.5));

pub const MEASURES: [Measure; 7] = [RESIDENT, ANONYMOUS, FILE, PEAK, A_SERIES, ANONYMOUS_A_SERIES, CPU];

const MIB: f64 = (1 << 20) as f64;

/// Sends all samples as fast as a program takes them.
pub fn measure(context: &Context<'_>, program: &Program, report: &mut Report) -> anyhow::Result<()> {
    let plan = context.plan(context.options.series, context.options.memory_steps);
    let server = context.start(program)?;
    context.send_generated(&server, plan)?;
    server.settle()?;
    let memory = server.memory()?;
    let cpu = server.cpu()?.seconds();

    let product = program.product;
    let series = plan.series as f64;
    report.add(product, &RESIDENT, memory.resident as f64 / MIB);
    report.add(product, &ANONYMOUS, memory.anonymous as f64 / MIB);
    report.add(product, &FILE, memory.file() as f64 / MIB);
    report.add(product, &PEAK, memory.peak as f64 / MIB);
    report.add(product, &A_SERIES, memory.resident as f64 / series);
    report.add(product, &ANONYMOUS_A_SERIES, memory.anonymous as f64 / series);
    report.add(product, &CPU, cpu * 1e6 / plan.samples() as f64);
    check_complete(&server, plan, report)?;
    server.finish()
}
