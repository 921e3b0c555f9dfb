//! The daemon's own metrics: a registry that is passed to every part, and its exposition.

mod process;
mod text;

use std::sync::Arc;

use http::{HeaderMap, header};
use parking_lot::{Mutex, MutexGuard};
use prometheus_client::{encoding::text::encode, registry::Registry};

pub use text::to_text_format;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One daemon's registry. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Metrics {
    /// A registry with the process' own metrics (`process_cpu_seconds_total`, `process_resident_memory_bytes`, …) in it.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::ProcessCollector::new()));
        Self(Arc::new(Mutex::new(registry)))
    }

    /// The registry, to register a part's metrics. Hold it shortly: a scrape waits for it.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock()
    }

    /// All metrics in the format that the `Accept` header prefers: OpenMetrics 1.0 or the text format 0.0.4. Returns the content type
    /// and the text.
    pub fn encode(&self, headers: &HeaderMap) -> (&'static str, String) {
        let mut text = String::new();
        let _ = encode(&mut text, &self.0.lock());
        let wants_openmetrics = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("application/openmetrics-text"));
        if wants_openmetrics { (OPENMETRICS, text) } else { (TEXT, to_text_format(&text)) }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
