//! What the parts of a running proxy share, and the reload.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use balance::Tunnels;
use http::HeaderValue;
use jiff::Timestamp;
use middleware::Workshop;
use parking_lot::Mutex;
use service::{Frame, Stop};
use tls::StoredCertificate;
use tracing::{error, info};

use crate::{
    api,
    config::settings::Settings,
    observe::{AccessLog, ProxyMetrics},
    provider::{
        Configuration,
        file::{FileReader, Stamps},
        internal,
    },
    runtime::{BuildInput, Builder, Runtime},
};

/// How often the file provider looks for changes.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// One proxy. All its parts hold it; what it hands to its own services is weak.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) runtime: ArcSwap<Runtime>,
    pub(crate) metrics: Option<Arc<ProxyMetrics>>,
    pub(crate) frame: Frame,
    /// For `X-Forwarded-Server`.
    pub(crate) host_name: HeaderValue,
    pub(crate) started: Timestamp,
    access_log: ArcSwapOption<AccessLog>,
    provider: Mutex<Provider>,
    workshop: Workshop,
    tunnels: Tunnels,
    default_certificate: StoredCertificate,
    stop: Stop,
}

struct Provider {
    reader: Option<FileReader>,
    referenced: Vec<PathBuf>,
    stamps: Stamps,
}

/// What a proxy is made of before it runs.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) frame: Frame,
    pub(crate) metrics: Option<Arc<ProxyMetrics>>,
    pub(crate) access_log: Option<Arc<AccessLog>>,
    pub(crate) tunnels: Tunnels,
    pub(crate) default_certificate: StoredCertificate,
    /// Stops health checks.
    pub(crate) stop: Stop,
}

/// Some of the dynamic configuration does not hold; the rest is in force.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct Mistakes(Vec<String>);

impl Shared {
    /// Puts the first runtime in force.
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { settings, frame, metrics, access_log, tunnels, default_certificate, stop } = parts;
        let workshop = Workshop::default();
        let empty = Builder::build(BuildInput {
            settings: &settings,
            configuration: &Configuration::default(),
            internal: BTreeMap::new(),
            workshop: &workshop,
            tunnels: &tunnels,
            default_certificate: &default_certificate,
            stop: &stop,
        });
        let reader = settings.file_provider.clone().map(FileReader::new);
        let shared = Arc::new(Self {
            runtime: ArcSwap::from_pointee(empty),
            metrics,
            frame,
            host_name: host_name(),
            started: Timestamp::now(),
            access_log: ArcSwapOption::new(access_log),
            provider: Mutex::new(Provider { reader, referenced: Vec::new(), stamps: Stamps::new() }),
            workshop,
            tunnels,
            default_certificate,
            stop,
            settings,
        });
        // What does not hold is logged where it is found; the proxy starts with the rest.
        let _ = shared.reload();
        shared
    }

    /// Reads the dynamic configuration and puts it in force. Does file I/O: call it off the async threads.
    ///
    /// # Errors
    /// Some of it does not hold; what does is in force all the same.
    pub(crate) fn reload(self: &Arc<Self>) -> Result<(), Mistakes> {
        let mut provider = self.provider.lock();
        // Taken before the files are read: what changes meanwhile is noticed the next time.
        let before = provider.current_stamps();
        let mut configuration = Configuration::default();
        internal::add(&self.settings, &mut configuration);
        if let Some(reader) = &mut provider.reader {
            reader.read(&mut configuration);
        }
        configuration.collect_referenced();
        let runtime = Builder::build(BuildInput {
            settings: &self.settings,
            configuration: &configuration,
            internal: api::services(self),
            workshop: &self.workshop,
            tunnels: &self.tunnels,
            default_certificate: &self.default_certificate,
            stop: &self.stop,
        });
        let disabled = runtime.routers.values().filter(|router| !router.is_in_force()).count();
        info!(
            routers = runtime.routers.len(),
            disabled,
            services = runtime.services.len(),
            "dynamic configuration in force"
        );
        self.runtime.store(Arc::new(runtime));
        provider.referenced = configuration.referenced;
        let mut stamps = provider.current_stamps();
        for (path, stamp) in &mut stamps {
            if let Some(earlier) = before.get(path) {
                *stamp = *earlier;
            }
        }
        provider.stamps = stamps;
        if let Some(metrics) = &self.metrics {
            metrics.reloaded(configuration.mistakes.is_empty());
        }
        if configuration.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(configuration.mistakes)) }
    }

    /// Reloads whenever a file changes, until the stop.
    pub(crate) async fn watch_files(self: Arc<Self>, stop: Stop) {
        if !self.provider.lock().reader.as_ref().is_some_and(FileReader::watches) {
            return;
        }
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(WATCH_INTERVAL) => {}
            }
            let shared = self.clone();
            let reloaded = service::spawn_blocking(move || {
                if shared.has_changed() {
                    info!("dynamic configuration changed");
                    let _ = shared.reload();
                }
            });
            if let Err(error) = reloaded.await {
                error!(%error, "BUG: the reload panicked, the old configuration stays in force");
            }
        }
    }

    fn has_changed(&self) -> bool {
        let provider = self.provider.lock();
        provider.current_stamps() != provider.stamps
    }

    pub(crate) fn access_log(&self) -> Option<Arc<AccessLog>> {
        self.access_log.load_full()
    }

    /// Lets go of the access log, so that its writer ends when the last line is in.
    pub(crate) fn close_access_log(&self) {
        self.access_log.store(None);
    }
}

impl Provider {
    fn current_stamps(&self) -> Stamps {
        self.reader.as_ref().map(|reader| reader.stamps(&self.referenced)).unwrap_or_default()
    }
}

fn host_name() -> HeaderValue {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    HeaderValue::from_str(name.trim()).unwrap_or_else(|_| HeaderValue::from_static("localhost"))
}
