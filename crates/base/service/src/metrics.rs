//! The daemon's own metrics: a registry that is passed to every part, and its exposition.

mod process;
mod text;

use std::sync::Arc;

use http::{HeaderMap, header};
use parking_lot::{Mutex, MutexGuard};
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    registry::Registry,
};

pub use text::to_text_format;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One daemon's registry. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Registries>);

#[derive(Debug)]
struct Registries {
    main: Mutex<Registry>,
    added: Mutex<Vec<Registry>>,
}

impl Metrics {
    /// A registry with the process' own metrics (`process_cpu_seconds_total`, `process_resident_memory_bytes`, …) in it.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::ProcessCollector::new()));
        Self(Arc::new(Registries { main: Mutex::new(registry), added: Mutex::default() }))
    }

    /// The registry, to register a part's metrics. Hold it shortly: a scrape waits for it.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.main.lock()
    }

    /// Adds a registry that a part filled by itself while it opened, which may take long.
    pub fn add(&self, registry: Registry) {
        self.0.added.lock().push(registry);
    }

    /// All metrics in the format that the `Accept` header prefers: OpenMetrics 1.0 or the text format 0.0.4. Returns the content type
    /// and the text.
    pub fn encode(&self, headers: &HeaderMap) -> (&'static str, String) {
        let mut text = String::new();
        // Writing to a String does not fail; a collector that does leaves its metrics out.
        let _ = encode_registry(&mut text, &self.0.main.lock());
        for registry in self.0.added.lock().iter() {
            let _ = encode_registry(&mut text, registry);
        }
        let _ = encode_eof(&mut text);
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
