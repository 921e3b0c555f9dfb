//! One scrape job: looks for files, follows them, runs lines through the pipeline, hands entries to the clients.
//!
//! A job runs on a thread of its own, since reading files blocks, and so may a pipeline that limits its rate. Handing over waits while
//! a client's queue is full: that is what makes reading pause.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use pipeline::{Context, Entry, LabelSet, Pipeline, PipelineMetrics, Record, TokenBucket};
use serde::Serialize;
use service::Stop;
use tail::{Chunk, Polled, Positions, TailOptions, Tailer, find_files};
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::{
    config::Limits,
    metrics::{AgentMetrics, Path},
    sending::{Fanout, LineReceipt, Outgoing},
    targets::{DroppedTarget, FileTarget},
};

/// Files one target may have.
const MAX_FILES: usize = 10_000;
/// Bytes that are read before entries are handed over, and before the next target's turn.
const ROUND_BYTES: usize = 256 << 10;
/// Entries that gather before they are handed over.
const DELIVERY: usize = 1024;
/// How long a job that is to stop waits for room in the clients' queues.
const LAST_WAIT: Duration = Duration::from_secs(1);
const FILENAME: &str = "filename";

/// A job that is ready to run.
pub(crate) struct JobTask {
    pub pipeline: Pipeline<LineReceipt>,
    pub targets: Vec<FollowedTarget>,
    pub fanout: Fanout,
    pub metrics: AgentMetrics,
    pub pipeline_metrics: PipelineMetrics,
    pub limiter: Option<Arc<ReadLimiter>>,
    pub status: Arc<Mutex<JobStatus>>,
    pub poll_interval: Duration,
    pub discovery_interval: Duration,
}

/// A target with its tailer.
pub(crate) struct FollowedTarget {
    target: FileTarget,
    tailer: Tailer,
    /// Labels of each file's lines.
    labels: HashMap<String, LabelSet>,
    was_cut: bool,
}

/// The bound on lines read by all jobs together.
#[derive(Debug)]
pub(crate) struct ReadLimiter {
    bucket: Mutex<TokenBucket>,
    rate: f64,
    burst: f64,
    drop: bool,
}

/// What `/targets` shows of a job.
#[derive(Debug, Default, Serialize)]
pub(crate) struct JobStatus {
    pub job: String,
    pub targets: Vec<TargetStatus>,
    pub dropped: Vec<DroppedTarget>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct TargetStatus {
    pub path: String,
    pub labels: BTreeMap<String, String>,
    #[serde(rename = "discoveredLabels")]
    pub discovered: BTreeMap<String, String>,
    pub ready: bool,
    /// Files and how far they are read, in bytes.
    pub files: BTreeMap<String, u64>,
}

/// The agent stops.
struct Stopping;

impl ReadLimiter {
    pub(crate) fn new(limits: &Limits) -> Option<Arc<Self>> {
        let (rate, burst) = limits.readline_rate?;
        let bucket = Mutex::new(TokenBucket::full(burst));
        Some(Arc::new(Self { bucket, rate, burst, drop: limits.readline_drop }))
    }
}

impl FollowedTarget {
    pub(crate) fn new(target: FileTarget, options: TailOptions, positions: Arc<Positions>) -> Self {
        Self { target, tailer: Tailer::new(options, positions), labels: HashMap::new(), was_cut: false }
    }

    fn discover(&mut self, metrics: &AgentMetrics) {
        let found = find_files(&self.target.pattern, self.target.exclude.as_ref(), MAX_FILES);
        if found.cut && !self.was_cut {
            warn!(
                path = self.target.pattern.as_str(),
                limit = MAX_FILES,
                "too many files or folders fit, not all are followed"
            );
        }
        self.was_cut = found.cut;
        self.tailer.set_paths(found.files);
        let paths: BTreeSet<String> = self.tailer.files().map(|(path, _)| path.to_owned()).collect();
        for gone in self.labels.extract_if(|path, _| !paths.contains(path)).map(|(path, _)| path) {
            info!(path = gone, "file is gone, following ends");
            metrics.forget_file(&gone);
        }
        for path in paths {
            if !self.labels.contains_key(&path) {
                info!(path, "following a file");
                let mut labels = self.target.labels.clone();
                labels.set(FILENAME.into(), path.as_str().into());
                self.labels.insert(path, labels);
            }
        }
    }

    fn status(&self) -> TargetStatus {
        let files: BTreeMap<String, u64> =
            self.tailer.files().map(|(path, offset)| (path.to_owned(), offset)).collect();
        let labels = self.target.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        TargetStatus {
            path: self.target.pattern.as_str().to_owned(),
            labels: labels.collect(),
            discovered: self.target.discovered.clone(),
            ready: !files.is_empty(),
            files,
        }
    }
}

impl JobTask {
    /// Runs until the stop; then what pipelines hold back is handed over too. Blocking: for a thread of its own.
    ///
    /// `ended`: a channel that is closed when the job is to stop, for waiting without the runtime's clock.
    pub(crate) fn run(mut self, runtime: &Handle, stop: &Stop, ended: &Receiver<()>) {
        let mut next_discovery = Instant::now();
        let mut counted = 0;
        while !stop.is_requested() {
            if Instant::now() >= next_discovery {
                for target in &mut self.targets {
                    target.discover(&self.metrics);
                }
                next_discovery = Instant::now() + self.discovery_interval;
                let files = self.targets.iter().map(|target| target.labels.len()).sum::<usize>() as i64;
                self.metrics.files_active.inc_by(files - counted);
                counted = files;
            }
            match self.round(runtime, stop, ended) {
                Err(Stopping) => break,
                Ok(Polled::More) => {}
                Ok(Polled::Idle) => {
                    self.status.lock().targets = self.targets.iter().map(FollowedTarget::status).collect();
                    if !pause(ended, self.poll_interval) {
                        break;
                    }
                }
            }
        }
        self.metrics.files_active.dec_by(counted);
        let mut rest = Vec::new();
        let context = Context { now: Timestamp::now(), instant: Instant::now(), wait: &|_| false };
        self.pipeline.finish(&context, &mut rest);
        // What finds no room is left for the next start.
        let _ = hand_over(runtime, &self.fanout, rest.into_iter().map(Outgoing::of).collect(), stop);
    }

    /// Reads from each target in turn.
    fn round(&mut self, runtime: &Handle, stop: &Stop, ended: &Receiver<()>) -> Result<Polled, Stopping> {
        let Self { pipeline, targets, fanout, metrics, pipeline_metrics, limiter, .. } = self;
        let pending = RefCell::new(Vec::new());
        let deliver = || match std::mem::take(&mut *pending.borrow_mut()) {
            entries if entries.is_empty() => Ok(()),
            entries => hand_over(runtime, fanout, entries, stop),
        };
        // Whoever waits hands over first: entries do not wait for those behind them.
        let wait = |duration: Duration| deliver().is_ok() && pause(ended, duration);
        let mut polled = Polled::Idle;
        for FollowedTarget { tailer, labels, .. } in targets {
            let mut chunks = Vec::new();
            let state = tailer.poll(Instant::now(), ROUND_BYTES, &mut |chunk: Chunk<'_>| {
                count_read(metrics, &chunk);
                let labels = labels.get(chunk.path).cloned().unwrap_or_default();
                chunks.push((labels, chunk.lines, chunk.ack));
            });
            if state == Polled::More {
                polled = Polled::More;
            }
            for (labels, lines, ack) in chunks {
                for line in lines {
                    let context = Context { now: Timestamp::now(), instant: Instant::now(), wait: &wait };
                    if let Some(limiter) = limiter
                        && !limiter.admit(&context, stop)?
                    {
                        pipeline_metrics.dropped("global_rate_limiter_drop");
                        continue;
                    }
                    let record = Record::new(labels.clone(), &line, context.now);
                    let mut ready = Vec::new();
                    pipeline.process(Entry::new(record, LineReceipt(ack.clone())), &context, &mut ready);
                    pending.borrow_mut().extend(ready.into_iter().map(Outgoing::of));
                    if pending.borrow().len() >= DELIVERY {
                        deliver()?;
                    }
                }
                ack.done();
            }
        }
        let context = Context { now: Timestamp::now(), instant: Instant::now(), wait: &wait };
        let mut ready = Vec::new();
        pipeline.flush_due(&context, &mut ready);
        pending.borrow_mut().extend(ready.into_iter().map(Outgoing::of));
        deliver()?;
        Ok(polled)
    }
}

impl ReadLimiter {
    /// Whether a line may pass, now or after a wait.
    fn admit(&self, context: &Context<'_>, stop: &Stop) -> Result<bool, Stopping> {
        loop {
            let Err(seconds) = self.bucket.lock().take(Instant::now(), self.rate, self.burst) else {
                return Ok(true);
            };
            if self.drop {
                return Ok(false);
            }
            let pause = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            if !(context.wait)(pause) || stop.is_requested() {
                return Err(Stopping);
            }
        }
    }
}

fn count_read(metrics: &AgentMetrics, chunk: &Chunk<'_>) {
    let path = Path { path: chunk.path.to_owned() };
    metrics.read_bytes.get_or_create(&path).inc_by(chunk.bytes as i64);
    metrics.read_lines.get_or_create(&path).inc_by(chunk.lines.len() as u64);
    if chunk.too_long > 0 {
        warn!(path = chunk.path, lines = chunk.too_long, "lines are too long to be read and were skipped");
        metrics.count_dropped("", "", "line_too_long", chunk.too_long, 0);
    }
}

/// Waits for room in the clients' queues; for a little longer when the agent stops, so that what was read is sent if the servers are there.
fn hand_over(runtime: &Handle, fanout: &Fanout, entries: Vec<Outgoing>, stop: &Stop) -> Result<(), Stopping> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = fanout.send(entries) => Ok(()),
            () = async { stop.requested().await; tokio::time::sleep(LAST_WAIT).await } => Err(Stopping),
        }
    })
}

/// Waits; false if the agent stops meanwhile.
fn pause(ended: &Receiver<()>, duration: Duration) -> bool {
    ended.recv_timeout(duration) == Err(RecvTimeoutError::Timeout)
}
