//! Where routers, services and middlewares come from. Providers only produce dynamic configuration; what it means is decided in
//! [`crate::runtime`].

pub(crate) mod file;
pub(crate) mod internal;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use balance::{ServersTransportConfig, ServiceConfig};
use middleware::MiddlewareConfig;
use serde_json::Value as Json;
use tls::TlsConfig;

use crate::config::dynamic_file::{DynamicFile, Element, Elements, RouterConfig};

/// An element with what its provider has to say about it.
#[derive(Debug, Clone)]
pub(crate) struct Provided<T> {
    pub(crate) config: Result<T, Arc<str>>,
    /// Why it is not the newest: its file has a mistake, and this is of the last version without one.
    pub(crate) stale: Option<Arc<str>>,
}

/// Everything of all providers, by `name@provider`.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    pub(crate) routers: BTreeMap<String, Provided<RouterConfig>>,
    pub(crate) services: BTreeMap<String, Provided<ServiceConfig>>,
    pub(crate) middlewares: BTreeMap<String, Provided<MiddlewareConfig>>,
    pub(crate) transports: BTreeMap<String, Provided<ServersTransportConfig>>,
    pub(crate) foreign: BTreeMap<&'static str, BTreeMap<String, Provided<Json>>>,
    pub(crate) tls: Vec<TlsConfig>,
    /// What was wrong, as `file:line:column: message`.
    pub(crate) mistakes: Vec<String>,
    /// Files that the configuration names: certificates, users.
    pub(crate) referenced: Vec<PathBuf>,
}

impl Configuration {
    /// Adds one file of a provider.
    pub(crate) fn add(&mut self, provider: &str, file: DynamicFile, stale: Option<&Arc<str>>) {
        let DynamicFile { routers, services, middlewares, transports, tls, foreign, mistakes } = file;
        let mut merger = Merger { provider, stale, mistakes: &mut self.mistakes };
        merger.add(routers, &mut self.routers);
        merger.add(services, &mut self.services);
        merger.add(middlewares, &mut self.middlewares);
        merger.add(transports, &mut self.transports);
        for (section, elements) in foreign {
            merger.add(elements, self.foreign.entry(section).or_default());
        }
        self.mistakes.extend(mistakes);
        self.tls.push(tls);
    }

    /// Notes the files that are named.
    pub(crate) fn collect_referenced(&mut self) {
        let mut referenced = Vec::new();
        let mut note = |name: &str| {
            if !name.is_empty() && !name.contains("-----BEGIN") {
                referenced.push(PathBuf::from(name));
            }
        };
        for tls in &self.tls {
            let defaults = tls.stores.values().filter_map(|store| store.default_certificate.as_ref());
            for file in tls.certificates.iter().chain(defaults) {
                note(file.cert_file.expose());
                note(file.key_file.expose());
            }
        }
        for middleware in self.middlewares.values().filter_map(|provided| provided.config.as_ref().ok()) {
            if let Some(auth) = &middleware.basic_auth {
                note(&auth.users_file);
            }
        }
        self.referenced = referenced;
    }
}

struct Merger<'m> {
    provider: &'m str,
    stale: Option<&'m Arc<str>>,
    mistakes: &'m mut Vec<String>,
}

impl Merger<'_> {
    /// Of two elements of one name neither is right, unless they say the same.
    fn add<T: PartialEq>(&mut self, elements: Elements<T>, into: &mut BTreeMap<String, Provided<T>>) {
        let mut origins: HashMap<String, Arc<str>> = HashMap::new();
        for (name, Element { config, origin }) in elements {
            let full = format!("{name}@{}", self.provider);
            origins.insert(full.clone(), origin.clone());
            match into.get_mut(&full) {
                None => {
                    into.insert(full, Provided { config, stale: self.stale.cloned() });
                }
                Some(known) if known.config == config => {}
                Some(known) => {
                    let message: Arc<str> =
                        format!("{origin}: {name} is defined twice with different configuration").into();
                    self.mistakes.push(message.to_string());
                    known.config = Err(message);
                }
            }
        }
    }
}
