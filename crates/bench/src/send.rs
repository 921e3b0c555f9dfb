//! Sending a load to a server over several connections, and what that cost everyone.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use http::StatusCode;

use crate::{
    http::{Connection, remote_write},
    load::Lane,
    proc::Cpu,
    progress::Progress,
    server::Server,
};

/// How many steps a connection may be ahead of the slowest one: servers refuse samples that are much older than the newest.
const MOST_AHEAD: u32 = 20;

/// How often a body is sent again where the server asks for patience, and how long is waited before.
const ATTEMPTS: usize = 100;
const PATIENCE: Duration = Duration::from_millis(100);

/// What sending a load took.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// From the first body to the last answer.
    pub wall: Duration,
    /// CPU time of the server.
    pub server: Cpu,
    /// CPU time of this program.
    pub client: Cpu,
    /// CPU time of everyone else on the machine.
    pub others: Cpu,
    /// Samples that the server took.
    pub samples: u64,
}

/// How far the connections are.
struct Pace {
    steps: Vec<AtomicU32>,
    failed: AtomicBool,
}

/// Sends all bodies of all lanes, each lane over a connection of its own.
pub fn send(server: &Server, lanes: Vec<Box<dyn Lane>>, progress: &Progress) -> anyhow::Result<Sent> {
    let pace =
        Pace { steps: lanes.iter().map(|_| AtomicU32::new(0)).collect(), failed: AtomicBool::new(false) };
    let connections = lanes.iter().map(|_| server.connect()).collect::<Result<Vec<_>, _>>()?;
    let before = (Cpu::machine()?, Cpu::own()?, server.cpu()?);
    let start = Instant::now();
    let outcomes: Vec<anyhow::Result<u64>> = thread::scope(|scope| {
        let work = |(number, (lane, connection))| {
            let pace = &pace;
            scope.spawn(move || pace.run(number, lane, connection, progress))
        };
        let threads: Vec<_> = lanes.into_iter().zip(connections).enumerate().map(work).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("BUG: it panicked"))))
            .collect()
    });
    let wall = start.elapsed();
    let samples = outcomes.into_iter().sum::<anyhow::Result<u64>>();
    let samples =
        samples.with_context(|| format!("sending failed; its log ends with: {}", server.last_words()))?;
    let (server, client) = (server.cpu()? - before.2, Cpu::own()? - before.1);
    let others = Cpu::machine()? - before.0 - server - client;
    Ok(Sent { wall, server, client, others, samples })
}

// === impl Pace ===

impl Pace {
    /// Sends the bodies of one lane; stops when another one has failed.
    fn run(
        &self,
        number: usize,
        mut lane: Box<dyn Lane>,
        mut connection: Connection,
        progress: &Progress,
    ) -> anyhow::Result<u64> {
        let outcome = self.send_lane(number, &mut *lane, &mut connection, progress);
        self.steps[number].store(u32::MAX, Ordering::Relaxed);
        if outcome.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        outcome
    }

    fn send_lane(
        &self,
        number: usize,
        lane: &mut dyn Lane,
        connection: &mut Connection,
        progress: &Progress,
    ) -> anyhow::Result<u64> {
        let mut samples = 0;
        while let Some(body) = lane.next()? {
            self.steps[number].store(body.step, Ordering::Relaxed);
            self.wait_for_others(body.step);
            if self.failed.load(Ordering::Relaxed) {
                break;
            }
            deliver(connection, body.bytes)
                .with_context(|| format!("body {} of step {}", body.number, body.step))?;
            samples += u64::from(body.samples);
            progress.advance(u64::from(body.samples));
        }
        Ok(samples)
    }

    fn wait_for_others(&self, step: u32) {
        let slowest = || self.steps.iter().map(|step| step.load(Ordering::Relaxed)).min().unwrap_or(step);
        while step > slowest().saturating_add(MOST_AHEAD) && !self.failed.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends a body until the server has taken it.
fn deliver(connection: &mut Connection, body: bytes::Bytes) -> anyhow::Result<()> {
    let request = remote_write(body);
    for _ in 0..ATTEMPTS {
        let answer = connection.send(&request)?;
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => thread::sleep(PATIENCE),
            _ => return answer.success(),
        }
    }
    bail!("still refused after {ATTEMPTS} attempts");
}
