//! The targets of one job: kept in step with discovery and configuration, each with its loop.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use client::{ClientOptions, HttpClient};
use discovery::{Discovery, Groups};
use model::Labels;
use parking_lot::Mutex;
use service::{Stop, Stopper, Tasks, report};
use storage::Appendable;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::{
    JobConfig, Target,
    metrics::{PoolLabels, ScrapeMetrics},
    target::{Outcome, targets_of},
    target_loop::TargetLoop,
};

/// How long running scrapes may go on when a pool stops: their own timeouts end them.
const STOP_DEADLINE: Duration = Duration::from_secs(15);

/// A target that relabelling dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedTarget {
    /// Its labels before relabelling.
    pub discovered: Labels,
}

/// What the API shows of a pool.
#[derive(Debug)]
pub struct PoolState {
    /// The job's configuration in force.
    pub job: Arc<JobConfig>,
    /// The targets that are scraped.
    pub active: Vec<Arc<Target>>,
    /// Targets that were dropped, up to `keep_dropped_targets`.
    pub dropped: Vec<DroppedTarget>,
    /// How many were dropped in all.
    pub dropped_count: usize,
}

/// What pools share with the rest of the daemon.
#[derive(Clone)]
pub(crate) struct PoolContext {
    pub storage: Arc<dyn Appendable>,
    pub metrics: ScrapeMetrics,
    pub user_agent: String,
    /// The daemon's stop: scraping ends without staleness markers then.
    pub shutdown: Stop,
}

/// One job's pool. Owned by its task.
pub(crate) struct Pool {
    context: PoolContext,
    job: Arc<JobConfig>,
    client: Option<HttpClient>,
    running: HashMap<u64, Running>,
    loops: Tasks,
    state: Arc<Mutex<Arc<PoolState>>>,
}

struct Running {
    target: Arc<Target>,
    stopper: Stopper,
    continued: Arc<AtomicBool>,
}

/// The manager's end of a pool.
pub(crate) struct PoolHandle {
    pub config: watch::Sender<Arc<JobConfig>>,
    pub state: Arc<Mutex<Arc<PoolState>>>,
    pub stopper: Stopper,
}

impl Pool {
    /// A pool without targets yet.
    pub fn new(
        context: PoolContext,
        job: Arc<JobConfig>,
    ) -> (Self, PoolHandle, watch::Receiver<Arc<JobConfig>>) {
        context.metrics.pools.inc();
        let empty = PoolState { job: job.clone(), active: Vec::new(), dropped: Vec::new(), dropped_count: 0 };
        let state = Arc::new(Mutex::new(Arc::new(empty)));
        let stopper = context.shutdown.child();
        let (config, receiver) = watch::channel(job.clone());
        // Loops stop with the pool's own token, target by target.
        let loops = Tasks::new(&Stop::never());
        let pool = Self { context, job, client: None, running: HashMap::new(), loops, state: state.clone() };
        (pool, PoolHandle { config, state, stopper }, receiver)
    }

    /// Follows discovery and configuration until the stop, then ends all loops.
    pub async fn run(mut self, mut config: watch::Receiver<Arc<JobConfig>>, stop: Stop) {
        loop {
            self.client = self.build_client();
            let (discovery, mut groups) = Discovery::new(&self.job.discovery);
            let discovering = Tasks::new(&stop);
            discovering.spawn("discovery", discovery.run(discovering.stop()));
            let reconfigured = loop {
                let known: Groups = groups.borrow_and_update().clone();
                self.sync(&known);
                tokio::select! {
                    () = stop.requested() => break false,
                    changed = config.changed() => break changed.is_ok(),
                    Ok(()) = groups.changed() => {}
                }
            };
            let _ = discovering.finish(Duration::from_secs(1)).await;
            if !reconfigured {
                break;
            }
            let job = config.borrow_and_update().clone();
            self.restart_with(job);
        }
        for running in self.running.values() {
            running.stopper.stop();
        }
        self.context.metrics.pool_targets.remove(&self.metric_labels());
        if let Err(error) = self.loops.finish(STOP_DEADLINE).await {
            warn!(%error, job = self.job.job_name, "scrape loops did not end in time");
        }
    }

    /// Ends all loops; what the new configuration still has goes on without staleness markers.
    fn restart_with(&mut self, job: Arc<JobConfig>) {
        let (_, groups) = Discovery::new(&job.discovery);
        let kept: Vec<u64> = groups
            .borrow()
            .iter()
            .flat_map(|group| targets_of(&job, group))
            .filter_map(|outcome| match outcome {
                Ok(Outcome::Active(target)) => Some(target.labels.hash64()),
                _ => None,
            })
            .collect();
        for (_, running) in self.running.drain() {
            if kept.contains(&running.target.labels.hash64()) {
                running.continued.store(true, Ordering::Release);
            }
            running.stopper.stop();
        }
        self.job = job;
    }

    fn build_client(&self) -> Option<HttpClient> {
        let options = ClientOptions {
            timeout: self.job.timeout,
            user_agent: self.context.user_agent.clone(),
            base_dir: self.job.base_dir().to_owned(),
        };
        HttpClient::new(&self.job.http, &options)
            .inspect_err(|error| {
                error!(
                    job = self.job.job_name,
                    error = report(error),
                    "cannot make the HTTP client, nothing is scraped"
                )
            })
            .ok()
    }

    /// Starts loops for new targets and stops those of targets that are gone.
    fn sync(&mut self, groups: &Groups) {
        let mut wanted: HashMap<u64, Target> = HashMap::new();
        let mut dropped = Vec::new();
        let mut dropped_count = 0;
        let keep_dropped = usize::try_from(self.job.limits.keep_dropped_targets).unwrap_or(usize::MAX);
        for outcome in groups.iter().flat_map(|group| targets_of(&self.job, group)) {
            match outcome {
                Ok(Outcome::Active(target)) => {
                    wanted.insert(target.key(), *target);
                }
                Ok(Outcome::Dropped(discovered)) => {
                    dropped_count += 1;
                    if keep_dropped == 0 || dropped.len() < keep_dropped {
                        dropped.push(DroppedTarget { discovered });
                    }
                }
                Err(error) => error!(job = self.job.job_name, %error, "target not scraped"),
            }
        }
        let limit = self.job.limits.targets;
        if limit > 0 && wanted.len() as u64 > limit {
            self.context.metrics.pool_exceeded_target_limit.inc();
            error!(
                job = self.job.job_name,
                targets = wanted.len(),
                limit,
                "target limit exceeded, nothing is scraped"
            );
            wanted.clear();
        }
        self.running.retain(|key, running| {
            let stays = wanted.remove(key).is_some();
            if !stays {
                running.stopper.stop();
            }
            stays
        });
        if let Some(client) = &self.client {
            for (key, target) in wanted {
                let running = self.start(Arc::new(target), client.clone());
                self.running.insert(key, running);
            }
        }
        let mut active: Vec<_> = self.running.values().map(|running| running.target.clone()).collect();
        active.sort_by(|a, b| a.labels.cmp(&b.labels));
        self.context.metrics.pool_targets.get_or_create(&self.metric_labels()).set(active.len() as i64);
        *self.state.lock() = Arc::new(PoolState { job: self.job.clone(), active, dropped, dropped_count });
    }

    fn start(&self, target: Arc<Target>, client: HttpClient) -> Running {
        let stopper = Stopper::new();
        let continued = Arc::new(AtomicBool::new(false));
        let scraping = TargetLoop {
            job: self.job.clone(),
            target: target.clone(),
            client,
            storage: self.context.storage.clone(),
            metrics: self.context.metrics.clone(),
            continued: continued.clone(),
        };
        self.loops.spawn(
            format!("scrape {}", target.url),
            scraping.run(stopper.token(), self.context.shutdown.clone()),
        );
        Running { target, stopper, continued }
    }

    fn metric_labels(&self) -> PoolLabels {
        PoolLabels { scrape_job: self.job.job_name.clone() }
    }
}
