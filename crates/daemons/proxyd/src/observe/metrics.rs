//! Traefik's metric names: version 3's, and those of version 2 that cost nothing to keep.

use std::{sync::Arc, time::SystemTime};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::exchange::Outcome;
use crate::config::static_file::PrometheusFile;

/// A name shared by many label sets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(pub(crate) Arc<str>);

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&&*self.0, encoder)
    }
}

/// Version and cipher of a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TlsFacts {
    /// `1.2` or `1.3`.
    pub(crate) version: &'static str,
    pub(crate) cipher: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EntryPointLabels {
    code: u16,
    method: &'static str,
    protocol: &'static str,
    entrypoint: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouterLabels {
    code: u16,
    method: &'static str,
    protocol: &'static str,
    router: Name,
    service: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    code: u16,
    method: &'static str,
    protocol: &'static str,
    service: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EntryPointTlsLabels {
    tls_version: &'static str,
    tls_cipher: &'static str,
    entrypoint: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouterTlsLabels {
    tls_version: &'static str,
    tls_cipher: &'static str,
    router: Name,
    service: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceTlsLabels {
    tls_version: &'static str,
    tls_cipher: &'static str,
    service: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    entrypoint: Name,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpenRequestLabels {
    entrypoint: Name,
    method: &'static str,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RetryLabels {
    service: Name,
}

/// Makes a histogram with the configured buckets.
#[derive(Debug, Clone)]
struct Buckets(Arc<[f64]>);

impl prometheus_client::metrics::family::MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// The five metrics of one kind of object.
#[derive(Debug)]
struct Group<L: Clone + std::hash::Hash + Eq, T: Clone + std::hash::Hash + Eq> {
    requests: Family<L, Counter>,
    requests_tls: Family<T, Counter>,
    durations: Family<L, Histogram, Buckets>,
    request_bytes: Family<L, Counter>,
    response_bytes: Family<L, Counter>,
}

impl<L, T> Group<L, T>
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + Send + Sync + std::fmt::Debug + 'static,
    T: EncodeLabelSet + Clone + std::hash::Hash + Eq + Send + Sync + std::fmt::Debug + 'static,
{
    fn register(registry: &mut Registry, kind: &str, what: &str, buckets: &Buckets) -> Self {
        let group = Self {
            requests: Family::default(),
            requests_tls: Family::default(),
            durations: Family::new_with_constructor(buckets.clone()),
            request_bytes: Family::default(),
            response_bytes: Family::default(),
        };
        let name = |rest: &str| format!("traefik_{kind}_{rest}");
        registry.register(
            name("requests"),
            format!("How many HTTP requests {what}, by status code, protocol, and method"),
            group.requests.clone(),
        );
        registry.register(
            name("requests_tls"),
            format!("How many HTTP requests with TLS {what}, by TLS version and cipher"),
            group.requests_tls.clone(),
        );
        registry.register(
            name("request_duration_seconds"),
            format!("How long it took to process requests {what}"),
            group.durations.clone(),
        );
        registry.register(
            name("requests_bytes"),
            format!("The total size of requests in bytes {what}"),
            group.request_bytes.clone(),
        );
        registry.register(
            name("responses_bytes"),
            format!("The total size of responses in bytes {what}"),
            group.response_bytes.clone(),
        );
        group
    }

    fn observe(&self, labels: &L, tls: Option<&T>, outcome: &Outcome<'_>) {
        self.requests.get_or_create(labels).inc();
        if let Some(tls) = tls {
            self.requests_tls.get_or_create(tls).inc();
        }
        self.durations.get_or_create(labels).observe(outcome.duration.as_secs_f64());
        self.request_bytes.get_or_create(labels).inc_by(outcome.request_bytes);
        self.response_bytes.get_or_create(labels).inc_by(outcome.response_bytes);
    }
}

/// All metrics of a proxy but those read at the scrape.
#[derive(Debug)]
pub(crate) struct ProxyMetrics {
    entry_points: Option<Group<EntryPointLabels, EntryPointTlsLabels>>,
    routers: Option<Group<RouterLabels, RouterTlsLabels>>,
    services: Option<Group<ServiceLabels, ServiceTlsLabels>>,
    retries: Family<RetryLabels, Counter>,
    connections: Family<ConnectionLabels, Gauge>,
    open_requests: Family<OpenRequestLabels, Gauge>,
    reloads: Counter,
    failed_reloads: Counter,
    last_success: Gauge,
    last_failure: Gauge,
}

impl ProxyMetrics {
    /// Registers what the section asks for.
    pub(crate) fn register(registry: &mut Registry, options: &PrometheusFile) -> Self {
        let buckets = Buckets(options.buckets.clone().into());
        let metrics = Self {
            entry_points: options
                .add_entry_points_labels
                .then(|| Group::register(registry, "entrypoint", "processed on an entrypoint", &buckets)),
            routers: options
                .add_routers_labels
                .then(|| Group::register(registry, "router", "processed on a router", &buckets)),
            services: options
                .add_services_labels
                .then(|| Group::register(registry, "service", "processed on a service", &buckets)),
            retries: Family::default(),
            connections: Family::default(),
            open_requests: Family::default(),
            reloads: Counter::default(),
            failed_reloads: Counter::default(),
            last_success: Gauge::default(),
            last_failure: Gauge::default(),
        };
        if options.add_services_labels {
            registry.register(
                "traefik_service_retries",
                "How many request retries happened on a service",
                metrics.retries.clone(),
            );
        }
        registry.register(
            "traefik_open_connections",
            "How many open connections exist, by entryPoint and protocol",
            metrics.connections.clone(),
        );
        registry.register(
            "traefik_entrypoint_open_connections",
            "How many requests are open on an entrypoint, by method and protocol",
            metrics.open_requests.clone(),
        );
        registry.register("traefik_config_reloads", "Config reloads", metrics.reloads.clone());
        registry.register(
            "traefik_config_reloads_failure",
            "Config failure reloads",
            metrics.failed_reloads.clone(),
        );
        registry.register(
            "traefik_config_last_reload_success",
            "Last config reload success",
            metrics.last_success.clone(),
        );
        registry.register(
            "traefik_config_last_reload_failure",
            "Last config reload failure",
            metrics.last_failure.clone(),
        );
        metrics
    }

    /// Notes how a reload went.
    pub(crate) fn reloaded(&self, is_clean: bool) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.reloads.inc();
        if is_clean {
            self.last_success.set(now);
        } else {
            self.failed_reloads.inc();
            self.last_failure.set(now);
        }
    }

    /// An open connection, until it is dropped.
    pub(crate) fn connection(&self, entry_point: &Arc<str>) -> OpenRequest {
        let labels = ConnectionLabels { entrypoint: Name(entry_point.clone()), protocol: "TCP" };
        OpenRequest::count(self.connections.get_or_create_owned(&labels))
    }

    /// An open request, until it is dropped.
    pub(crate) fn request(
        &self,
        entry_point: &Arc<str>,
        method: &'static str,
        protocol: &'static str,
    ) -> OpenRequest {
        let labels = OpenRequestLabels { entrypoint: Name(entry_point.clone()), method, protocol };
        OpenRequest::count(self.open_requests.get_or_create_owned(&labels))
    }

    /// Counts an answered request.
    pub(crate) fn observe(&self, outcome: &Outcome<'_>) {
        let Outcome { code, method, protocol, tls, entry_point, router, service, .. } = *outcome;
        let entrypoint = Name(entry_point.clone());
        if let Some(group) = &self.entry_points {
            let tls = tls.map(|tls| EntryPointTlsLabels {
                tls_version: tls.version,
                tls_cipher: tls.cipher,
                entrypoint: entrypoint.clone(),
            });
            group.observe(&EntryPointLabels { code, method, protocol, entrypoint }, tls.as_ref(), outcome);
        }
        let Some(service) = service.map(|service| Name(service.clone())) else { return };
        if let (Some(group), Some(router)) = (&self.routers, router.map(|router| Name(router.clone()))) {
            let tls = tls.map(|tls| RouterTlsLabels {
                tls_version: tls.version,
                tls_cipher: tls.cipher,
                router: router.clone(),
                service: service.clone(),
            });
            let labels = RouterLabels { code, method, protocol, router, service: service.clone() };
            group.observe(&labels, tls.as_ref(), outcome);
        }
        if let Some(group) = &self.services {
            if outcome.retries > 0 {
                let labels = RetryLabels { service: service.clone() };
                self.retries.get_or_create(&labels).inc_by(u64::from(outcome.retries));
            }
            let tls = tls.map(|tls| ServiceTlsLabels {
                tls_version: tls.version,
                tls_cipher: tls.cipher,
                service: service.clone(),
            });
            group.observe(&ServiceLabels { code, method, protocol, service }, tls.as_ref(), outcome);
        }
    }
}

/// Counted in a gauge until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest(Gauge);

impl OpenRequest {
    fn count(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.dec();
    }
}
