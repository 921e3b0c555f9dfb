//! Reloading the configuration: by SIGHUP, by `/-/reload`, one at a time.

use std::{future::Future, pin::Pin, sync::Arc, time::SystemTime};

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::sync::Mutex;
use tracing::{error, info};

use crate::{Error, report};

type Handler = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> + Send + Sync>;

/// Where a daemon leaves what to do at a reload, and others ask for one. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Reload(Arc<Mutex<Option<Handler>>>);

impl Reload {
    /// Without a handler yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a reload does. It must leave the old configuration in force when it fails.
    pub async fn on_reload<F, Fut>(&self, handler: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        *self.0.lock().await = Some(Box::new(move || Box::pin(handler())));
    }

    /// Reloads now; waits for a reload under way. The error is the reason why the old configuration stays in force.
    pub async fn trigger(&self) -> Result<(), Error> {
        let handler = self.0.lock().await;
        let Some(handler) = handler.as_ref() else {
            return Err("not ready to reload yet: the daemon is still starting".into());
        };
        match handler().await {
            Ok(()) => {
                info!("configuration reloaded");
                Ok(())
            }
            Err(error) => {
                error!(error = report(&*error), "configuration not reloaded, the old one stays in force");
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reload")
    }
}

/// `<prefix>_config_last_reload_successful` and `<prefix>_config_last_reload_success_timestamp_seconds`.
#[derive(Debug, Clone, Default)]
pub struct ReloadMetrics {
    successful: Gauge,
    success_time: Gauge<f64, std::sync::atomic::AtomicU64>,
}

impl ReloadMetrics {
    /// Registers both under the peer's prefix: `prometheus`, `alertmanager`, …
    pub fn register(registry: &mut Registry, prefix: &str) -> Self {
        let metrics = Self::default();
        registry.register(
            format!("{prefix}_config_last_reload_successful"),
            "Whether the last configuration reload attempt was successful",
            metrics.successful.clone(),
        );
        registry.register(
            format!("{prefix}_config_last_reload_success_timestamp_seconds"),
            "Timestamp of the last successful configuration reload",
            metrics.success_time.clone(),
        );
        metrics
    }

    /// Whether the last load succeeded, and when one last did, in seconds since the Unix epoch.
    pub fn last(&self) -> (bool, f64) {
        (self.successful.get() == 1, self.success_time.get())
    }

    /// Notes how a load went.
    pub fn record(&self, successful: bool) {
        self.successful.set(i64::from(successful));
        if successful {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.success_time.set(now.as_secs_f64());
        }
    }
}
