//! Routers: rule, middlewares, service, and the tables of the entry points.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use router::{Rule, Syntax, Table};

use super::{
    Builder, Route, RouterInfo, Status, Tables,
    build::{provider_of, qualify},
    chain::wrap,
    services::{ServiceBuilder, ServiceHandler},
};
use crate::{
    config::{
        dynamic_file::{RouterConfig, RouterTls},
        settings::{EntryPoint, OWN_ENTRY_POINT, parse_syntax},
    },
    provider::internal,
};

/// Routes of one entry point before they make a table.
#[derive(Default)]
struct Routes {
    plain: Vec<(i64, Rule, Arc<Route>)>,
    tls: Vec<(i64, Rule, Arc<Route>)>,
}

impl Builder<'_> {
    pub(super) fn build_routers(&mut self, services: &mut ServiceBuilder<'_>) -> HashMap<String, Tables> {
        let mut routes: HashMap<String, Routes> = HashMap::new();
        let configuration = self.input.configuration;
        for (name, provided) in &configuration.routers {
            let mut info = RouterInfo::default();
            if let Some(stale) = &provided.stale {
                info.findings.warn(stale.clone());
            }
            match &provided.config {
                Err(error) => info.findings.disable(error.clone()),
                Ok(config) => {
                    info.config = Some(config.clone());
                    if let Err(error) = self.build_router(name, config, &mut info, services, &mut routes) {
                        info.findings.disable(error);
                    }
                }
            }
            self.routers.insert(name.clone(), info);
        }
        self.tls.settle_conflicts(&mut self.routers);
        self.note_users();
        let table = |routes: Vec<_>| (!routes.is_empty()).then(|| Table::new(routes));
        routes
            .into_iter()
            .map(|(name, Routes { plain, tls })| (name, Tables { plain: table(plain), tls: table(tls) }))
            .collect()
    }

    fn build_router(
        &mut self,
        name: &str,
        config: &RouterConfig,
        info: &mut RouterInfo,
        services: &mut ServiceBuilder<'_>,
        routes: &mut HashMap<String, Routes>,
    ) -> Result<(), String> {
        if !config.parent_refs.is_empty() {
            return Err("not supported yet: parentRefs".to_owned());
        }
        let points = self.entry_points_of(config, info)?;
        info.using = points.iter().map(|point| point.name.clone()).collect();
        let syntax = parse_syntax(&config.rule_syntax)?.unwrap_or(self.input.settings.default_syntax);
        let rule = compile(&config.rule, syntax)?;
        info.priority = if config.priority == 0 { rule.default_priority() } else { config.priority };
        if config.service.is_empty() {
            return Err("the service is missing on the router".to_owned());
        }
        let service_name = qualify(&config.service, name);
        let service = services.get(&service_name)?;
        let chain = self.input.chain();
        let handler = wrap(&chain, name, &config.middlewares, Arc::new(ServiceHandler(service)))?;
        let is_internal = provider_of(name) == internal::PROVIDER;
        let settings = self.input.settings;
        let mut made = Vec::new();
        for point in points {
            let tls = config.tls.as_ref().or(point.tls.as_ref().filter(|_| !is_internal));
            if let Some(tls) = tls {
                self.note_tls(name, tls, &rule, info)?;
            }
            let own = config.observability.as_ref();
            let is_observed = |point: bool, own: Option<bool>, internals: bool| {
                if is_internal { internals } else { own.unwrap_or(point) }
            };
            let logs_internals = settings.logs_internals;
            let route = Arc::new(Route {
                router: name.into(),
                service: service_name.as_str().into(),
                handler: wrap(&chain, name, &point.middlewares, handler.clone())?,
                logs_access: is_observed(
                    point.logs_access,
                    own.and_then(|own| own.access_logs),
                    logs_internals,
                ),
                is_measured: is_observed(
                    point.is_measured,
                    own.and_then(|own| own.metrics),
                    settings.measures_internals,
                ),
            });
            made.push((point.name.clone(), tls.is_some(), compile(&config.rule, syntax)?, route));
        }
        for (point, is_tls, rule, route) in made {
            let lists = routes.entry(point).or_default();
            let list = if is_tls { &mut lists.tls } else { &mut lists.plain };
            list.push((info.priority, rule, route));
        }
        Ok(())
    }

    /// The entry points a router names, or the default ones.
    fn entry_points_of(
        &self,
        config: &RouterConfig,
        info: &mut RouterInfo,
    ) -> Result<Vec<Arc<EntryPoint>>, String> {
        let all = &self.input.settings.entry_points;
        if config.entry_points.is_empty() {
            let is_asked = all.values().any(|point| point.is_default);
            let defaults = all
                .values()
                .filter(|point| if is_asked { point.is_default } else { point.name != OWN_ENTRY_POINT });
            return Ok(defaults.cloned().collect());
        }
        let mut points = Vec::new();
        for name in &config.entry_points {
            match all.get(name) {
                Some(point) => points.push(point.clone()),
                None => info.findings.warn(format!("entryPoint {name:?} doesn't exist")),
            }
        }
        if points.is_empty() {
            return Err("no valid entryPoint for this router".to_owned());
        }
        Ok(points)
    }

    fn note_tls(
        &mut self,
        name: &str,
        tls: &RouterTls,
        rule: &Rule,
        info: &mut RouterInfo,
    ) -> Result<(), String> {
        let options = match tls.options.as_str() {
            "" | "default" => "default".to_owned(),
            named => qualify(named, name),
        };
        self.tls.use_options(name, &options, rule.hosts())?;
        let resolver = &tls.cert_resolver;
        if !resolver.is_empty() && !self.input.settings.certificate_resolvers.contains(resolver) {
            info.findings.warn(format!("router uses a nonexistent certificate resolver {resolver:?}"));
        }
        Ok(())
    }

    /// Tells services and middlewares which routers use them.
    fn note_users(&mut self) {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (router, info) in &self.routers {
            let Some(config) = &info.config else { continue };
            for used in config.middlewares.iter().chain(Some(&config.service)).filter(|used| !used.is_empty())
            {
                users.entry(qualify(used, router)).or_default().push(router.clone());
            }
        }
        for (name, used_by) in users {
            if let Some(service) = self.services.get_mut(&name) {
                service.used_by = used_by;
            } else if let Some(middleware) = self.middlewares.get_mut(&name) {
                middleware.used_by = used_by;
            }
        }
    }
}

fn compile(rule: &str, syntax: Syntax) -> Result<Rule, String> {
    if rule.is_empty() {
        return Err("the router has no rule".to_owned());
    }
    Rule::compile(rule, syntax).map_err(|error| format!("{error}, in {rule}"))
}

impl RouterInfo {
    /// Whether requests reach it.
    pub(crate) fn is_in_force(&self) -> bool {
        self.findings.status != Status::Disabled
    }
}
