//! `kill -9` under load: what was acknowledged is there after a restart.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use testkit::eventually;

use crate::process::{Stack, now_millis};

const WRITERS: usize = 4;
const CRASHES: usize = 3;

/// What one writer has had acknowledged: numbers, each written once.
#[derive(Default)]
struct Acknowledged {
    next: AtomicU64,
    samples: Mutex<Vec<u64>>,
    lines: Mutex<Vec<u64>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_samples_and_lines_survive() {
    let dir = tempfile::tempdir().expect("tempdir");
    let writers: Vec<Arc<Acknowledged>> = (0..WRITERS).map(|_| Arc::default()).collect();
    for crash in 0..CRASHES {
        let stack = Arc::new(Stack::start(dir.path(), &[]).await);
        check(&stack, &writers).await;
        let killed = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = writers
            .iter()
            .enumerate()
            .map(|(number, acknowledged)| {
                tokio::spawn(write(stack.clone(), number, acknowledged.clone(), killed.clone()))
            })
            .collect();
        let (samples, lines) = totals(&writers);
        eventually("load", || async {
            let (more_samples, more_lines) = totals(&writers);
            (more_samples > samples + 100 && more_lines > lines + 100).then_some(())
        })
        .await;
        // At another moment each time, in the middle of requests.
        tokio::time::sleep(Duration::from_millis(37 * crash as u64)).await;
        // The writers still write when the process dies.
        killed.store(true, Ordering::SeqCst);
        stack.process.kill_now();
        for task in tasks {
            task.await.expect("writer");
        }
    }
    let stack = Stack::start(dir.path(), &[]).await;
    check(&stack, &writers).await;
    stack.process.terminate().await;
}

/// How many samples and how many lines were acknowledged.
fn totals(writers: &[Arc<Acknowledged>]) -> (usize, usize) {
    let count = |numbers: &Mutex<Vec<u64>>| numbers.lock().expect("lock").len();
    let samples = writers.iter().map(|writer| count(&writer.samples)).sum();
    (samples, writers.iter().map(|writer| count(&writer.lines)).sum())
}

/// Counts up, one sample and one line at a time, and notes what was acknowledged.
async fn write(stack: Arc<Stack>, number: usize, acknowledged: Arc<Acknowledged>, killed: Arc<AtomicBool>) {
    let job = format!("writer-{number}");
    let mut written_at = 0;
    while !killed.load(Ordering::SeqCst) {
        // A series has one sample a millisecond.
        while now_millis() <= written_at {
            tokio::task::yield_now().await;
        }
        written_at = now_millis() + 1;
        let next = acknowledged.next.fetch_add(1, Ordering::SeqCst) + 1;
        let note = |outcome: Result<(), String>, numbers: &Mutex<Vec<u64>>| match outcome {
            Ok(()) => numbers.lock().expect("lock").push(next),
            Err(error) if !killed.load(Ordering::SeqCst) => {
                eprintln!("{job}: {next} was not acknowledged: {error}")
            }
            Err(_) => {}
        };
        note(stack.write("written_total", &job, next as f64).await, &acknowledged.samples);
        note(stack.push(&job, &format!("line {next}")).await, &acknowledged.lines);
    }
}

/// Every acknowledged number is there.
async fn check(stack: &Stack, writers: &[Arc<Acknowledged>]) {
    for (number, acknowledged) in writers.iter().enumerate() {
        let job = format!("writer-{number}");
        let samples = acknowledged.samples.lock().expect("lock").clone();
        let found: Vec<f64> = stack.samples(&format!("written_total{{job=\"{job}\"}}[1h]")).await;
        for sample in &samples {
            assert!(
                found.contains(&(*sample as f64)),
                "{job}: sample {sample} is gone, {} of {} found",
                found.len(),
                samples.len()
            );
        }
        let lines = acknowledged.lines.lock().expect("lock").clone();
        let found = stack.lines(&format!("{{job=\"{job}\"}}")).await;
        for line in &lines {
            assert!(
                found.contains(&format!("line {line}")),
                "{job}: line {line} is gone, {} of {} found",
                found.len(),
                lines.len()
            );
        }
    }
}
