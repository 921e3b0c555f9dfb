//! Gauges that are counted when they are asked for.

use std::{fmt, sync::Weak};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};

use super::Inner;

pub(super) struct StateMetrics(pub Weak<Inner>);

impl fmt::Debug for StateMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateMetrics")
    }
}

impl Collector for StateMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(engine) = self.0.upgrade() else { return Ok(()) };
        let (active, suppressed) = engine.count_alerts();
        let alerts = [("active", active as i64), ("suppressed", suppressed as i64), ("unprocessed", 0)];
        by_state(&mut encoder, "alertmanager_alerts", "How many alerts by state", alerts)?;
        let silences = engine.count_silences();
        by_state(&mut encoder, "alertmanager_silences", "How many silences by state", silences)?;
        let entries = ConstGauge::new(engine.log.len() as i64);
        let name = "alertmanager_nflog_entries";
        let help = "Number of entries in the notification log";
        entries.encode(encoder.encode_descriptor(name, help, None, entries.metric_type())?)
    }
}

fn by_state(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: impl IntoIterator<Item = (&'static str, i64)>,
) -> fmt::Result {
    let metric_type = ConstGauge::new(0_i64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, metric_type)?;
    for (state, count) in counts {
        let labels = [("state", state)];
        let member = family.encode_family(&labels)?;
        ConstGauge::new(count).encode(member)?;
    }
    Ok(())
}
