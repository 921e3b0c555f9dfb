//! Metrics read from the runtime at the scrape: servers up, certificates' ends. Series of removed objects end by themselves.

use std::sync::Weak;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::shared::Shared;

pub(super) struct RuntimeCollector(Weak<Shared>);

impl RuntimeCollector {
    pub(super) fn new(shared: Weak<Shared>) -> Self {
        Self(shared)
    }
}

impl std::fmt::Debug for RuntimeCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RuntimeCollector")
    }
}

impl Collector for RuntimeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(shared) = self.0.upgrade() else { return Ok(()) };
        let runtime = shared.runtime.load();
        if shared.settings.prometheus.as_ref().is_some_and(|options| options.add_services_labels) {
            let help = "service server is up, described by gauge value of 0 or 1";
            let mut family =
                encoder.encode_descriptor("traefik_service_server_up", help, None, MetricType::Gauge)?;
            for (service, balancer) in &runtime.balancers {
                for server in balancer.status() {
                    let labels = [("service", service.as_str()), ("url", &*server.url)];
                    let gauge = ConstGauge::<i64>::new(i64::from(server.is_up));
                    gauge.encode(family.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Certificate expiration timestamp";
        let mut family =
            encoder.encode_descriptor("traefik_tls_certs_not_after", help, None, MetricType::Gauge)?;
        let store = &runtime.tls.store;
        for certificate in store.certificates().iter().chain(Some(store.default_certificate())) {
            let facts = &certificate.facts;
            let sans = facts.sans.join(",");
            let labels = [("cn", facts.common_name.as_str()), ("serial", &facts.serial), ("sans", &sans)];
            ConstGauge::<i64>::new(facts.not_after).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
