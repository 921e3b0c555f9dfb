//! What the server says about itself, under Grafana's names.

use std::sync::{Arc, Weak};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        family::Family,
        gauge::{ConstGauge, Gauge},
    },
    registry::Registry,
};

use crate::store::Stores;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    branch: &'static str,
    edition: &'static str,
    revision: &'static str,
    version: &'static str,
}

/// Counts what is kept at each scrape. Weak, for the registry may live longer than the daemon.
struct Totals(Weak<Stores>);

impl std::fmt::Debug for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Totals")
    }
}

impl Collector for Totals {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(stores) = self.0.upgrade() else { return Ok(()) };
        for (name, help, count) in [
            (
                "grafana_stat_totals_dashboard",
                "Total amount of dashboards",
                stores.catalog.dashboards().len(),
            ),
            ("grafana_stat_totals_folder", "Total amount of folders", stores.catalog.folders().len()),
            (
                "grafana_stat_totals_datasource",
                "Total number of defined data sources",
                stores.data_sources.len(),
            ),
            ("grafana_stat_total_users", "Total amount of users", stores.users.len()),
        ] {
            let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

/// Registers the metrics.
pub(crate) fn register(registry: &mut Registry, stores: &Arc<Stores>) {
    let build = Family::<BuildLabels, Gauge>::default();
    build
        .get_or_create(&BuildLabels {
            branch: "",
            edition: "oss",
            revision: "",
            version: service::Version::NUMBER,
        })
        .set(1);
    registry.register(
        "grafana_build_info",
        "A metric with a constant '1' value labeled by version, revision, branch, and edition",
        build,
    );
    registry.register_collector(Box::new(Totals(Arc::downgrade(stores))));
}
