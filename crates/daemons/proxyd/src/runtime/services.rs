//! Services, each built once, those they are made of before them.

use std::{collections::BTreeMap, sync::Arc};

use balance::{Failover, LoadBalancer, Service, ServiceConfig, Transport, Weighted};
use middleware::{BoxFuture, Handler, Request, Response};
use service::report;

use super::{
    ServiceInfo,
    build::{BuildInput, qualify},
    chain::{ChainInput, wrap},
};

/// Deepest nesting of services.
const MAX_DEPTH: usize = 32;

type Built = Result<Arc<dyn Service>, String>;

/// Builds services on demand and keeps them.
pub(super) struct ServiceBuilder<'a> {
    chain: ChainInput<'a>,
    configs: BTreeMap<String, ServiceConfig>,
    transports: BTreeMap<String, Result<Arc<Transport>, String>>,
    tunnels: balance::Tunnels,
    built: BTreeMap<String, Built>,
    balancers: BTreeMap<String, Arc<LoadBalancer>>,
}

impl<'a> ServiceBuilder<'a> {
    pub(super) fn new(
        input: &BuildInput<'a>,
        transports: BTreeMap<String, Result<Arc<Transport>, String>>,
    ) -> Self {
        let internal = input.internal.iter().map(|(name, handler)| {
            let service: Arc<dyn Service> = Arc::new(Internal(handler.clone()));
            ((*name).to_owned(), Ok(service))
        });
        let configs = input.configuration.services.iter();
        Self {
            chain: input.chain(),
            configs: configs
                .filter_map(|(name, provided)| Some((name.clone(), provided.config.as_ref().ok()?.clone())))
                .collect(),
            transports,
            tunnels: input.tunnels.clone(),
            built: internal.collect(),
            balancers: BTreeMap::new(),
        }
    }

    /// Builds every service and notes at each what is wrong with it.
    pub(super) fn build_all(&mut self, infos: &mut BTreeMap<String, ServiceInfo>) {
        for (name, info) in infos.iter_mut().filter(|(_, info)| info.config.is_some()) {
            if let Err(error) = self.get(name) {
                info.findings.disable(error);
            }
        }
    }

    /// The service of that name, built now if it was not yet.
    pub(super) fn get(&mut self, name: &str) -> Built {
        self.get_at(name, 0)
    }

    pub(super) fn into_balancers(self) -> BTreeMap<String, Arc<LoadBalancer>> {
        self.balancers
    }

    fn get_at(&mut self, name: &str, depth: usize) -> Built {
        if let Some(built) = self.built.get(name) {
            return built.clone();
        }
        let Some(config) = self.configs.get(name).cloned() else {
            return Err(format!("the service {name:?} does not exist"));
        };
        if depth > MAX_DEPTH {
            return Err(format!("services nest deeper than {MAX_DEPTH} levels at {name:?}"));
        }
        // Whoever comes back here while it is being built is part of a circle.
        self.built.insert(name.to_owned(), Err(format!("the service {name:?} contains itself")));
        let built = self
            .build(name, &config, depth)
            .and_then(|service| self.with_middlewares(name, &config, service));
        self.built.insert(name.to_owned(), built.clone());
        built
    }

    fn with_middlewares(&self, name: &str, config: &ServiceConfig, service: Arc<dyn Service>) -> Built {
        if config.middlewares.is_empty() {
            return Ok(service);
        }
        let handler =
            wrap(&self.chain, name, &config.middlewares, Arc::new(ServiceHandler(service.clone())))?;
        Ok(Arc::new(Wrapped { handler, service }))
    }

    fn build(&mut self, name: &str, config: &ServiceConfig, depth: usize) -> Built {
        match config.kinds().as_slice() {
            [_] => {}
            [] => return Err("the service has no type".to_owned()),
            kinds => {
                return Err(format!(
                    "cannot create service: multi-types service not supported, consider declaring two different pieces of service instead: {}",
                    kinds.join(", ")
                ));
            }
        }
        if let Some(options) = &config.load_balancer {
            let transport = match options.servers_transport.as_str() {
                "" => "default@internal".to_owned(),
                named => qualify(named, name),
            };
            let transport = match self.transports.get(&transport) {
                Some(transport) => transport.clone()?,
                None => return Err(format!("servers transport not found {transport}")),
            };
            let balancer = LoadBalancer::new(name, options, &transport, self.tunnels.clone())
                .map_err(|error| report(&error))?;
            let balancer = Arc::new(balancer);
            self.balancers.insert(name.to_owned(), balancer.clone());
            return Ok(balancer);
        }
        if let Some(options) = &config.weighted {
            let members = options
                .services
                .iter()
                .map(|member| self.get_at(&qualify(&member.name, name), depth + 1))
                .collect::<Result<_, _>>()?;
            let weighted = Weighted::new(name, options, members).map_err(|error| report(&error))?;
            return Ok(Arc::new(weighted));
        }
        if let Some(options) = &config.failover {
            let primary = self.get_at(&qualify(&options.service, name), depth + 1)?;
            let fallback = self.get_at(&qualify(&options.fallback, name), depth + 1)?;
            return Ok(Arc::new(Failover { primary, fallback }));
        }
        Err(format!("not supported yet: service type {}", config.kinds().join(", ")))
    }
}

/// A service as the end of middlewares.
pub(super) struct ServiceHandler(pub(super) Arc<dyn Service>);

impl Handler for ServiceHandler {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        self.0.handle(request)
    }
}

/// A service with middlewares before it.
struct Wrapped {
    handler: Arc<dyn Handler>,
    service: Arc<dyn Service>,
}

impl Handler for Wrapped {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        self.handler.handle(request)
    }
}

impl Service for Wrapped {
    fn is_up(&self) -> bool {
        self.service.is_up()
    }
}

/// A service of the proxy's own.
struct Internal(Arc<dyn Handler>);

impl Handler for Internal {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        self.0.handle(request)
    }
}

impl Service for Internal {
    fn is_up(&self) -> bool {
        true
    }
}
