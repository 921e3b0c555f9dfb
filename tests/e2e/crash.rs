//! `kill -9` under load: what was acknowledged is there after a restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use testkit::eventually;

use crate::process::Stack;

const WRITERS: usize = 4;
const CRASHES: usize = 3;

/// What one writer has had acknowledged: the highest number, in a counter that only goes up.
#[derive(Default)]
struct Acknowledged {
    samples: AtomicU64,
    lines: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_samples_and_lines_survive() {
    let dir = tempfile::tempdir().expect("tempdir");
    let writers: Vec<Arc<Acknowledged>> = (0..WRITERS).map(|_| Arc::default()).collect();
    for crash in 0..CRASHES {
        let stack = Arc::new(Stack::start(dir.path(), &[]).await);
        check(&stack, &writers).await;
        let stop = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = writers
            .iter()
            .enumerate()
            .map(|(number, acknowledged)| {
                tokio::spawn(write(stack.clone(), number, acknowledged.clone(), stop.clone()))
            })
            .collect();
        let before = total(&writers);
        eventually("load", || async { (total(&writers) > before + 200).then_some(()) }).await;
        // At another moment each time, in the middle of requests.
        tokio::time::sleep(Duration::from_millis(37 * crash as u64)).await;
        // The writers still write when the process dies.
        stack.process.kill_now();
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.expect("writer");
        }
    }
    let stack = Stack::start(dir.path(), &[]).await;
    check(&stack, &writers).await;
    stack.process.terminate().await;
}

fn total(writers: &[Arc<Acknowledged>]) -> u64 {
    writers
        .iter()
        .map(|writer| writer.samples.load(Ordering::SeqCst) + writer.lines.load(Ordering::SeqCst))
        .sum()
}

/// Counts up, one sample and one line at a time, and notes what was acknowledged.
async fn write(stack: Arc<Stack>, number: usize, acknowledged: Arc<Acknowledged>, stop: Arc<AtomicBool>) {
    let job = format!("writer-{number}");
    let mut next =
        acknowledged.samples.load(Ordering::SeqCst).max(acknowledged.lines.load(Ordering::SeqCst)) + 1;
    // One request may be under way when the process dies: the last ones go unacknowledged.
    while !stop.load(Ordering::SeqCst) {
        if stack.write("written_total", &job, next as f64).await {
            acknowledged.samples.store(next, Ordering::SeqCst);
        }
        if stack.push(&job, &format!("line {next}")).await {
            acknowledged.lines.store(next, Ordering::SeqCst);
        }
        next += 1;
    }
}

/// Every acknowledged number is there.
async fn check(stack: &Stack, writers: &[Arc<Acknowledged>]) {
    for (number, acknowledged) in writers.iter().enumerate() {
        let job = format!("writer-{number}");
        let samples = acknowledged.samples.load(Ordering::SeqCst);
        if samples > 0 {
            // The counter's newest value, and how many samples led to it: each value was written once.
            let newest = stack.query(&format!("max_over_time(written_total{{job=\"{job}\"}}[1h])")).await;
            let newest: f64 = newest[0]["value"][1].as_str().expect("value").parse().expect("number");
            assert!(newest >= samples as f64, "{job}: newest sample {newest}, acknowledged {samples}");
        }
        let lines = acknowledged.lines.load(Ordering::SeqCst);
        let found = stack.lines(&format!("{{job=\"{job}\"}}")).await;
        for line in 1..=lines {
            assert!(
                found.contains(&format!("line {line}")),
                "{job}: line {line} of {lines} acknowledged is gone, {} found",
                found.len()
            );
        }
    }
}
