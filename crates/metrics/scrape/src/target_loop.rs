//! One target's loop: scrape at its own moments within the interval, until told to stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use client::HttpClient;
use model::Millis;
use service::{Stop, report};
use storage::Appendable;
use tracing::{debug, error, warn};

use crate::{
    Health, JobConfig, Target, TargetStatus,
    cache::Cache,
    fetch::{Exposition, FetchError, fetch},
    ingest::{Ingest, IngestError},
    metrics::ScrapeMetrics,
};

/// A scrape that begins this close to its moment counts as being on it: regular times compress well.
const ALIGNMENT_TOLERANCE: Millis = 2;

/// What a loop works with.
pub(crate) struct TargetLoop {
    pub job: Arc<JobConfig>,
    pub target: Arc<Target>,
    pub client: HttpClient,
    pub storage: Arc<dyn Appendable>,
    pub metrics: ScrapeMetrics,
    /// Set when the target goes on elsewhere: then the end writes no staleness markers.
    pub continued: Arc<AtomicBool>,
}

impl TargetLoop {
    /// Runs until `stop`. When the target is gone, and the daemon is not, its series end with staleness markers.
    pub async fn run(self, stop: Stop, shutdown: Stop) {
        let mut cache = Cache::default();
        let interval = self.target.interval.as_millis() as Millis;
        let mut due = first_moment(now(), interval, self.target.key());
        loop {
            let wait = Duration::from_millis((due - now()).max(0) as u64);
            tokio::select! {
                () = stop.requested() => break,
                () = tokio::time::sleep(wait) => {}
            }
            let begun = now();
            let at = if (begun - due).abs() <= ALIGNMENT_TOLERANCE { due } else { begun };
            // Not interrupted: a scrape is bounded by its timeout, and the series it brings must be known at the end.
            cache = self.scrape(cache, at).await;
            due += interval;
            // A scrape that took longer than the interval skips the moments it missed.
            let late = now() - due;
            if late > 0 {
                due += late / interval * interval + if late % interval > 0 { interval } else { 0 };
            }
        }
        if !shutdown.is_requested() && !self.continued.load(Ordering::Acquire) {
            self.end(cache).await;
        }
    }

    async fn scrape(&self, cache: Cache, at: Millis) -> Cache {
        let started = Instant::now();
        let fetched = fetch(&self.client, &self.job, &self.target).await;
        if let Err(FetchError::BodyTooLarge(_)) = &fetched {
            self.metrics.exceeded_body_size_limit.inc();
        }
        let (job, target, storage) = (self.job.clone(), self.target.clone(), self.storage.clone());
        let metrics = self.metrics.clone();
        let stored = service::spawn_blocking(move || {
            let mut cache = cache;
            let outcome = store(&job, &target, storage.as_ref(), &metrics, &mut cache, fetched, at, started);
            (cache, outcome)
        })
        .await;
        let (cache, outcome) = match stored {
            Ok(stored) => stored,
            Err(error) => {
                error!(%error, target = %self.target.url, "BUG: scrape panicked");
                (Cache::default(), Err("internal error".to_owned()))
            }
        };
        let (health, last_error) = match outcome {
            Ok(()) => (Health::Up, String::new()),
            Err(error) => (Health::Down, error),
        };
        let before = self.target.status().health;
        if health == Health::Down {
            if before == Health::Down {
                debug!(job = self.job.job_name, target = %self.target.url, error = last_error, "scrape failed");
            } else {
                warn!(job = self.job.job_name, target = %self.target.url, error = last_error, "scrape failed");
            }
        }
        self.target.set_status(TargetStatus {
            health,
            last_error,
            last_scrape: at,
            last_duration: started.elapsed(),
        });
        cache
    }

    async fn end(self, mut cache: Cache) {
        let Self { job, target, storage, metrics, .. } = self;
        let ended = service::spawn_blocking(move || {
            Ingest { job: &job, target: &target, cache: &mut cache, metrics: &metrics, now: now() }
                .end(storage.as_ref())
        })
        .await;
        if let Ok(Err(error)) = ended {
            warn!(error = report(&error), "staleness markers of a removed target not stored");
        }
    }
}

/// Writes what was fetched, or that nothing was. The error is the target's `lastError`.
#[allow(clippy::too_many_arguments)]
fn store(
    job: &JobConfig,
    target: &Target,
    storage: &dyn Appendable,
    metrics: &ScrapeMetrics,
    cache: &mut Cache,
    fetched: Result<Exposition, FetchError>,
    at: Millis,
    started: Instant,
) -> Result<(), String> {
    let mut ingest = Ingest { job, target, cache, metrics, now: at };
    let error = match fetched {
        Ok(Exposition { body, format }) => {
            match ingest.exposition(storage, &body, format, || started.elapsed()) {
                Ok(_) => return Ok(()),
                Err(error @ IngestError::Commit(_)) => return Err(report(&error)),
                Err(error) => report(&error),
            }
        }
        Err(error) => report(&error),
    };
    match ingest.failure(storage, started.elapsed()) {
        Ok(()) => Err(error),
        Err(commit) => Err(format!("{error}; {}", report(&commit))),
    }
}

/// The first moment at or after `now` that is the target's: each has its own within the interval, the same after a restart.
fn first_moment(now: Millis, interval: Millis, key: u64) -> Millis {
    let offset = (key % interval.max(1) as u64) as Millis;
    let base = now - now.rem_euclid(interval.max(1)) + offset;
    if base >= now { base } else { base + interval }
}

pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

#[cfg(test)]
mod tests {
    use super::first_moment;

    #[test]
    fn moments_are_the_same_after_a_restart() {
        assert_eq!(first_moment(1_000_000, 15_000, 4_000), 1_009_000);
        assert_eq!(first_moment(1_009_000, 15_000, 4_000), 1_009_000);
        assert_eq!(first_moment(1_009_001, 15_000, 4_000), 1_024_000);
        assert_eq!(first_moment(5, 15_000, 15_004), 15_004);
    }
}
