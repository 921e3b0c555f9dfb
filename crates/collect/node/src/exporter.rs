//! All collectors together.

use std::time::Instant;

use tracing::{debug, warn};

use crate::{
    Format, Options, OptionsError,
    collector::{CollectError, Collector},
    collectors::COLLECTORS,
    exposition::{Exposition, Kind},
};

/// Collectors that are switched on.
pub struct NodeExporter {
    collectors: Vec<(&'static str, Box<dyn Collector>)>,
}

/// Which collectors a scrape asks for.
#[derive(Debug, Clone)]
pub struct Selection(Vec<bool>);

/// A request asks for what is not there.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// Both lists are given.
    #[error("Combined collect and exclude queries are not allowed.")]
    Combined,
    /// A collector that does not run.
    #[error("couldn't create filtered metrics handler: {0}")]
    Missing(String),
}

impl NodeExporter {
    /// Checks the flags. Reads nothing yet.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        let mut collectors = Vec::new();
        for info in COLLECTORS {
            if options.is_enabled(info.name, info.by_default) {
                collectors.push((info.name, (info.build)(&options)?));
            }
        }
        drop(options);
        Ok(Self { collectors })
    }

    /// Names of the collectors that run.
    pub fn collectors(&self) -> impl Iterator<Item = &'static str> {
        self.collectors.iter().map(|(name, _)| *name)
    }

    /// The collectors of a request: all, those in `collect`, or all but those in `exclude`.
    pub fn select(&self, collect: &[String], exclude: &[String]) -> Result<Selection, SelectionError> {
        if !collect.is_empty() && !exclude.is_empty() {
            return Err(SelectionError::Combined);
        }
        for name in collect {
            if !self.collectors().any(|own| own == name) {
                let what =
                    if COLLECTORS.iter().any(|info| info.name == name) { "disabled" } else { "missing" };
                return Err(SelectionError::Missing(format!("{what} collector: {name}")));
            }
        }
        let is_wanted = |name: &str| {
            (collect.is_empty() || collect.iter().any(|own| own == name))
                && !exclude.iter().any(|own| own == name)
        };
        Ok(Selection(self.collectors().map(is_wanted).collect()))
    }

    /// Asks the selected collectors, one after the other, and returns their exposition without an end mark. Blocking.
    pub fn gather(&self, selection: &Selection, format: Format) -> String {
        let mut out = Exposition::new(format);
        let mut outcomes = Vec::with_capacity(self.collectors.len());
        for ((name, collector), wanted) in self.collectors.iter().zip(&selection.0) {
            if !wanted {
                continue;
            }
            let (before, started) = (out.len(), Instant::now());
            let outcome = collector.update(&mut out);
            let seconds = started.elapsed().as_secs_f64();
            if let Err(error) = &outcome {
                out.truncate(before);
                report(name, error);
            }
            outcomes.push((*name, seconds, outcome.is_ok()));
        }
        let mut durations =
            out.family("node_scrape_collector_duration_seconds", Kind::Gauge, "How long a collector took.");
        for (name, seconds, _) in &outcomes {
            durations.add(&[("collector", name)], *seconds);
        }
        let mut successes =
            out.family("node_scrape_collector_success", Kind::Gauge, "Whether a collector succeeded.");
        for (name, _, succeeded) in &outcomes {
            successes.add(&[("collector", name)], f64::from(u8::from(*succeeded)));
        }
        let version = env!("CARGO_PKG_VERSION");
        out.family(
            "node_exporter_build_info",
            Kind::Gauge,
            "The version of what answers here; the value is 1.",
        )
        .add(&[("version", version)], 1.0);
        out.finish()
    }
}

fn report(collector: &str, error: &CollectError) {
    match error {
        CollectError::NoData(why) => debug!(collector, why, "collector has no data"),
        error => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            warn!(%error, cause, collector, "collector failed");
        }
    }
}
