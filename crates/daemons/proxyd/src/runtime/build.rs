//! From configuration to a runtime. What is wrong with an element is noted at the element and does not stop the others.

use std::{collections::BTreeMap, sync::Arc};

use balance::{Transport, Tunnels};
use middleware::{Handler, Workshop};
use service::{Stop, Tasks, report};
use tracing::warn;

use super::{
    ForeignInfo, MiddlewareInfo, RouterInfo, Runtime, ServiceInfo, TlsRuntime, chain::ChainInput,
    model::Findings, services::ServiceBuilder, tls_setup,
};
use crate::{config::settings::Settings, provider::Configuration};

/// What a runtime is built from.
pub(crate) struct BuildInput<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) configuration: &'a Configuration,
    /// The proxy's own services, by `name@internal`.
    pub(crate) internal: BTreeMap<&'static str, Arc<dyn Handler>>,
    pub(crate) workshop: &'a Workshop,
    pub(crate) tunnels: &'a Tunnels,
    pub(crate) default_certificate: &'a tls::StoredCertificate,
    pub(crate) stop: &'a Stop,
}

impl<'a> BuildInput<'a> {
    pub(super) fn chain(&self) -> ChainInput<'a> {
        ChainInput { configuration: self.configuration, workshop: self.workshop }
    }
}

/// A runtime in the making.
pub(crate) struct Builder<'a> {
    pub(super) input: BuildInput<'a>,
    pub(super) routers: BTreeMap<String, RouterInfo>,
    pub(super) services: BTreeMap<String, ServiceInfo>,
    pub(super) middlewares: BTreeMap<String, MiddlewareInfo>,
    pub(super) tls: TlsRuntime,
}

impl<'a> Builder<'a> {
    pub(crate) fn build(input: BuildInput<'a>) -> Runtime {
        let tls = tls_setup::build(&input);
        let mut builder = Self {
            routers: BTreeMap::new(),
            services: list_services(&input),
            middlewares: list_middlewares(input.configuration),
            tls,
            input,
        };
        let transports = builder.transports();
        let mut services = ServiceBuilder::new(&builder.input, transports);
        services.build_all(&mut builder.services);
        let tables = builder.build_routers(&mut services);
        let foreign = list_foreign(builder.input.configuration);
        let watchers = Tasks::new(builder.input.stop);
        let balancers = services.into_balancers();
        for (name, balancer) in &balancers {
            let (balancer, stop) = (balancer.clone(), watchers.stop());
            watchers.spawn(format!("watch over {name}"), async move { balancer.watch(stop).await });
        }
        let Self { routers, services, middlewares, tls, .. } = builder;
        for (name, info) in &routers {
            for error in &info.findings.errors {
                warn!(router = name, error = &**error, status = ?info.findings.status, "router");
            }
        }
        Runtime { routers, services, middlewares, foreign, balancers, tls, tables, watchers }
    }

    fn transports(&self) -> BTreeMap<String, Result<Arc<Transport>, String>> {
        let BuildInput { settings, configuration, .. } = &self.input;
        let make = |config| {
            Transport::new(config, settings.hosts.clone()).map(Arc::new).map_err(|error| report(&error))
        };
        let mut transports = BTreeMap::new();
        transports.insert("default@internal".to_owned(), make(&settings.servers_transport));
        for (name, provided) in &configuration.transports {
            let transport = match &provided.config {
                Ok(config) => make(config),
                Err(error) => Err(error.to_string()),
            };
            transports.insert(name.clone(), transport);
        }
        transports
    }
}

/// A name with its provider: `auth` used by something of `file` is `auth@file`.
pub(super) fn qualify(name: &str, user: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    format!("{name}@{}", provider_of(user))
}

/// `file` of `auth@file`.
pub(crate) fn provider_of(name: &str) -> &str {
    name.rsplit_once('@').map_or("", |(_, provider)| provider)
}

fn list_services(input: &BuildInput<'_>) -> BTreeMap<String, ServiceInfo> {
    let internal = input.internal.keys().map(|name| ((*name).to_owned(), ServiceInfo::default()));
    let provided = input.configuration.services.iter().map(|(name, provided)| {
        let (config, findings) = read(&provided.config, provided.stale.as_ref());
        (name.clone(), ServiceInfo { config, findings, used_by: Vec::new() })
    });
    internal.chain(provided).collect()
}

fn list_middlewares(configuration: &Configuration) -> BTreeMap<String, MiddlewareInfo> {
    let list = configuration.middlewares.iter().map(|(name, provided)| {
        let (config, mut findings) = read(&provided.config, provided.stale.as_ref());
        // Those that no router uses should say so too.
        if let Some(config) = &config
            && config.chain.is_none()
            && let Err(error) = middleware::build(config, &Workshop::default(), Arc::new(Nowhere))
        {
            findings.disable(report(&error));
        }
        (name.clone(), MiddlewareInfo { config, findings, used_by: Vec::new() })
    });
    list.collect()
}

fn list_foreign(configuration: &Configuration) -> BTreeMap<&'static str, BTreeMap<String, ForeignInfo>> {
    let section = |section: &'static str| {
        let kind = if section.starts_with("udp") { "UDP" } else { "TCP" };
        let elements = configuration.foreign.get(section).into_iter().flatten();
        let elements = elements.map(move |(name, provided)| {
            let (config, mut findings) = read(&provided.config, provided.stale.as_ref());
            findings.disable(format!("not supported yet: {kind}"));
            (name.clone(), ForeignInfo { config: config.unwrap_or_default(), findings })
        });
        (section, elements.collect())
    };
    ["tcpRouters", "tcpServices", "tcpMiddlewares", "udpRouters", "udpServices"].map(section).into()
}

fn read<T: Clone>(config: &Result<T, Arc<str>>, stale: Option<&Arc<str>>) -> (Option<T>, Findings) {
    let mut findings = Findings::default();
    if let Some(stale) = stale {
        findings.warn(stale.clone());
    }
    match config {
        Ok(config) => (Some(config.clone()), findings),
        Err(error) => {
            findings.disable(error.clone());
            (None, findings)
        }
    }
}

/// Stands after a middleware that is built only to be checked.
struct Nowhere;

impl Handler for Nowhere {
    fn handle(&self, _: middleware::Request) -> middleware::BoxFuture<'_, middleware::Response> {
        Box::pin(async { middleware::answer(http::StatusCode::NOT_FOUND, "") })
    }
}
