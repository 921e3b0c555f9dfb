//! One configuration at work: its jobs and clients, from start to end. A reload ends one generation and starts the next.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use pipeline::{Builder, CustomMetrics, PipelineMetrics};
use service::{StillRunning, Stop, Tasks, report};
use tail::{Positions, TailOptions};
use tokio::{runtime::Handle, sync::mpsc};
use tracing::{error, info, warn};

use crate::{
    Settings,
    job::{FollowedTarget, JobStatus, JobTask, ReadLimiter},
    metrics::{AgentMetrics, Failed},
    sending::{ClientTask, Fanout, LineReceipt},
    targets::{file_targets, hostname},
};

/// How long jobs may take to hand over what they have read.
const JOBS_DEADLINE: Duration = Duration::from_secs(5);
/// How long clients may take to send what they have.
const CLIENTS_DEADLINE: Duration = Duration::from_secs(10);

/// What all generations share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub metrics: AgentMetrics,
    pub pipeline_metrics: PipelineMetrics,
}

/// A checked configuration whose parts are built; nothing runs yet.
pub(crate) struct Prepared {
    settings: Settings,
    custom: CustomMetrics,
    clients: Vec<ClientTask>,
    pipelines: Vec<pipeline::Pipeline<LineReceipt>>,
}

/// Jobs and clients that run.
pub(crate) struct Generation {
    pub settings: Settings,
    pub custom: CustomMetrics,
    pub jobs: Vec<Arc<Mutex<JobStatus>>>,
    positions: Arc<Positions>,
    job_tasks: Tasks,
    client_tasks: Tasks,
    /// Closed when all clients have ended.
    drained: mpsc::Receiver<()>,
    saver: Tasks,
    /// Held so that queues stay open until jobs have ended.
    fanout: Fanout,
    targets: i64,
    metrics: AgentMetrics,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A part of the configuration that can only be checked by building it.
#[derive(Debug, thiserror::Error)]
#[error("{key}")]
struct PartError {
    key: String,
    source: Error,
}

impl Prepared {
    /// Builds everything that may fail.
    pub(crate) fn new(settings: Settings, shared: &Shared) -> Result<Self, Error> {
        let custom = CustomMetrics::default();
        let builder = Builder::new(shared.pipeline_metrics.clone(), custom.clone());
        let mut pipelines = Vec::with_capacity(settings.jobs.len());
        for (at, job) in settings.jobs.iter().enumerate() {
            let built = builder.build(&job.stages).map_err(|error| PartError {
                key: format!("scrape_configs[{at}] ({})", job.name),
                source: error.into(),
            })?;
            pipelines.push(built);
        }
        let mut clients = Vec::with_capacity(settings.clients.len());
        for (at, client) in settings.clients.iter().enumerate() {
            let task =
                ClientTask::new(client.clone(), settings.limits, &settings.base_dir, shared.metrics.clone())
                    .map_err(|source| PartError { key: format!("clients[{at}]"), source })?;
            clients.push(task);
        }
        Ok(Self { settings, custom, clients, pipelines })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the positions file can be used.
    pub(crate) fn check_positions(&self) -> Result<(), Error> {
        let positions = &self.settings.positions;
        Positions::load(&positions.path, positions.ignore_invalid)?;
        Ok(())
    }

    /// Loads positions and starts clients, then jobs.
    pub(crate) fn start(self, shared: &Shared) -> Result<Generation, Error> {
        let Self { settings, custom, clients, pipelines } = self;
        for warning in settings.warnings().iter() {
            warn!(key = warning.key, "{}", warning.text);
        }
        let positions = Positions::load(&settings.positions.path, settings.positions.ignore_invalid)?;
        let (fanout, queues) = Fanout::new(clients.len());
        // Clients are not stopped from outside: they end when the jobs have let go of their queues, or are told to give up.
        let client_tasks = Tasks::new(&Stop::never());
        let (running, drained) = mpsc::channel(1);
        for (client, queue) in clients.into_iter().zip(queues) {
            let (give_up, running) = (client_tasks.stop(), running.clone());
            client_tasks.spawn("client", async move {
                client.run(queue, give_up).await;
                drop(running);
            });
        }
        let job_tasks = Tasks::new(&client_tasks.stop());
        let limiter = ReadLimiter::new(&settings.limits);
        let (hostname, mut jobs, mut targets_active) = (hostname(), Vec::new(), 0);
        for (job, pipeline) in settings.jobs.iter().zip(pipelines) {
            let (targets, dropped) = file_targets(&job.targets, &job.rules, &hostname);
            for target in &dropped {
                shared.metrics.targets_failed.get_or_create(&Failed { reason: target.reason.as_str() }).inc();
                info!(job = job.name, reason = target.reason.as_str(), "target is not followed");
            }
            targets_active += targets.len() as i64;
            let status =
                Arc::new(Mutex::new(JobStatus { job: job.name.clone(), targets: Vec::new(), dropped }));
            jobs.push(status.clone());
            if targets.is_empty() {
                continue;
            }
            let options = TailOptions { poll_interval: settings.poll_interval, ..TailOptions::default() };
            let follow = |target| FollowedTarget::new(target, options.clone(), positions.clone());
            let task = JobTask {
                pipeline,
                targets: targets.into_iter().map(follow).collect(),
                fanout: fanout.clone(),
                metrics: shared.metrics.clone(),
                pipeline_metrics: shared.pipeline_metrics.clone(),
                limiter: limiter.clone(),
                status,
                poll_interval: settings.poll_interval,
                discovery_interval: settings.discovery_interval,
            };
            spawn_job(&job_tasks, job.name.clone(), task);
        }
        shared.metrics.targets_active.inc_by(targets_active);
        let saver = Tasks::new(&Stop::never());
        if !settings.dry_run {
            saver.spawn(
                "positions",
                save_positions(positions.clone(), settings.positions.sync_period, saver.stop()),
            );
        }
        let metrics = shared.metrics.clone();
        Ok(Generation {
            settings,
            custom,
            jobs,
            positions,
            job_tasks,
            client_tasks,
            drained,
            saver,
            fanout,
            targets: targets_active,
            metrics,
        })
    }
}

impl Generation {
    /// Requested when one of its tasks has failed for good. Jobs stop with clients, so theirs covers both.
    pub(crate) fn failed(&self) -> Stop {
        self.job_tasks.stop()
    }

    /// Stops reading, sends what was read if the servers take it in time, and saves positions.
    pub(crate) async fn finish(self) {
        let Self {
            settings,
            positions,
            job_tasks,
            client_tasks,
            mut drained,
            saver,
            fanout,
            targets,
            metrics,
            ..
        } = self;
        log_late(job_tasks.finish(JOBS_DEADLINE).await);
        drop(fanout);
        // The queues are closed now: clients end when they are empty.
        if tokio::time::timeout(CLIENTS_DEADLINE, drained.recv()).await.is_err() {
            warn!("servers did not take all entries in time, the rest is read again at the next start");
        }
        log_late(client_tasks.finish(Duration::from_secs(1)).await);
        log_late(saver.finish(Duration::from_secs(5)).await);
        metrics.targets_active.dec_by(targets);
        if !settings.dry_run {
            save(positions).await;
        }
    }
}

fn spawn_job(tasks: &Tasks, name: String, task: JobTask) {
    let (stop, runtime) = (tasks.stop(), Handle::current());
    tasks.spawn(format!("job {name}"), async move {
        let (running, ended) = std::sync::mpsc::sync_channel(1);
        let until = stop.clone();
        let mut thread = service::spawn_blocking(move || task.run(&runtime, &stop, &ended));
        let outcome = tokio::select! {
            outcome = &mut thread => outcome,
            () = until.requested() => {
                drop(running);
                thread.await
            }
        };
        if let Err(error) = outcome
            && error.is_panic()
        {
            // The group notices, and the daemon ends instead of limping on.
            std::panic::resume_unwind(error.into_panic());
        }
    });
}

fn log_late(outcome: Result<(), StillRunning>) {
    if let Err(error) = outcome {
        warn!(%error, "tasks were cut off");
    }
}

async fn save_positions(positions: Arc<Positions>, period: Duration, stop: Stop) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = stop.requested() => return,
        }
        save(positions.clone()).await;
    }
}

async fn save(positions: Arc<Positions>) {
    let saved = service::spawn_blocking(move || positions.save()).await;
    if let Ok(Err(error)) = saved {
        error!(error = report(&error), "positions are not saved");
    }
}
