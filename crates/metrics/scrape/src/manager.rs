//! All jobs: one pool each, changed in place by a reload.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use service::{StillRunning, Stop, Tasks};
use storage::Appendable;

use crate::{
    JobConfig, PoolState,
    metrics::ScrapeMetrics,
    pool::{Pool, PoolContext, PoolHandle},
};

/// Scrapes the targets of all jobs into a storage.
pub struct Manager {
    context: PoolContext,
    pools: Mutex<BTreeMap<String, PoolHandle>>,
    tasks: Tasks,
}

impl Manager {
    /// A manager without jobs. `user_agent` is sent with every scrape.
    pub fn new(
        storage: Arc<dyn Appendable>,
        registry: &mut Registry,
        user_agent: impl Into<String>,
        shutdown: &Stop,
    ) -> Self {
        let context = PoolContext {
            storage,
            metrics: ScrapeMetrics::register(registry),
            user_agent: user_agent.into(),
            shutdown: shutdown.clone(),
        };
        Self { context, pools: Mutex::default(), tasks: Tasks::new(&Stop::never()) }
    }

    /// Puts the jobs in force: starts new ones, changes those that differ, stops those that are gone.
    pub fn apply(&self, jobs: Vec<JobConfig>) {
        let mut pools = self.pools.lock();
        let mut wanted: BTreeMap<String, JobConfig> =
            jobs.into_iter().map(|job| (job.job_name.clone(), job)).collect();
        pools.retain(|name, handle| match wanted.remove(name) {
            None => {
                handle.stopper.stop();
                false
            }
            Some(job) => {
                let differs = !handle.config.borrow().is_same(&job);
                if differs {
                    handle.config.send_replace(Arc::new(job));
                }
                true
            }
        });
        for (name, job) in wanted {
            let (pool, handle, config) = Pool::new(self.context.clone(), Arc::new(job));
            self.tasks.spawn(format!("scrape pool {name}"), pool.run(config, handle.stopper.token()));
            pools.insert(name, handle);
        }
    }

    /// The pools in order of their jobs' names.
    pub fn pools(&self) -> Vec<Arc<PoolState>> {
        self.pools.lock().values().map(|handle| handle.state.lock().clone()).collect()
    }

    /// Waits for all scrapes to end. Call it after the shutdown was requested, before the storage closes.
    pub async fn stop(&self, deadline: Duration) -> Result<(), StillRunning> {
        for handle in self.pools.lock().values() {
            handle.stopper.stop();
        }
        self.tasks.finish(deadline).await
    }
}
