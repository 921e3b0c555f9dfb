//! What it costs to take samples by remote write.

use super::{Context, Part, check_complete, disk};
use crate::{
    load::BodyFile,
    report::{Aim, Measure, Report},
    server::Program,
};

const GROUP: &str = "Remote write";

const CPU: Measure = Measure::new(GROUP, "CPU a sample, while it is sent", "µs", Aim::WithinBoth(0.1, 0.5));
const SETTLED_CPU: Measure =
    Measure::new(GROUP, "CPU a sample, until idle again", "µs", Aim::WithinBoth(0.1, 0.5));
const WALL: Measure = Measure::new(GROUP, "time to send all", "s", Aim::None);
const CLIENT: Measure = Measure::new(GROUP, "CPU a sample of the sender", "µs", Aim::None);
const OTHERS: Measure = Measure::new(GROUP, "cores that others used meanwhile", "cores", Aim::None);
const PEAK: Measure = Measure::new(GROUP, "memory (RSS) at its peak", "MiB", Aim::WithinBoth(0.3, 1.0));
const IDLE: Measure = Measure::new(GROUP, "memory (RSS) when idle again", "MiB", Aim::WithinBoth(0.3, 1.0));

pub const MEASURES: [Measure; 7] = [CPU, SETTLED_CPU, WALL, CLIENT, OTHERS, PEAK, IDLE];

const MIB: f64 = (1 << 20) as f64;

/// Sends a program all bodies of a file.
pub fn measure(
    context: &Context<'_>,
    program: &Program,
    bodies: &BodyFile,
    report: &mut Report,
) -> anyhow::Result<()> {
    let server = context.start(program)?;
    let before = server.cpu()?;
    let sent = context.send_bodies(&server, bodies)?;
    server.settle()?;
    let settled = (server.cpu()? - before).seconds();
    let memory = server.memory()?;

    let product = program.product;
    let samples = sent.samples as f64;
    let wall = sent.wall.as_secs_f64();
    report.add(product, &CPU, sent.server.seconds() * 1e6 / samples);
    report.add(product, &SETTLED_CPU, settled * 1e6 / samples);
    report.add(product, &WALL, wall);
    report.add(product, &CLIENT, sent.client.seconds() * 1e6 / samples);
    report.add(product, &OTHERS, sent.others.seconds() / wall);
    report.add(product, &PEAK, memory.peak as f64 / MIB);
    report.add(product, &IDLE, memory.resident as f64 / MIB);
    check_complete(&server, bodies.plan, report)?;
    if context.options.wants(Part::Disk) {
        disk::measure(&server, samples, report)?;
    }
    server.finish()
}
