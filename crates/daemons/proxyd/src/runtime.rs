//! Configuration in force: tables of routers per entry point, services under watch, TLS by name, and what the API tells of it all.
//!
//! A [`Runtime`] is built whole, then swapped in; requests under way keep the one they started with. Dropping it stops its watchers.

mod build;
mod chain;
mod model;
mod routers;
mod services;
mod tls_setup;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use balance::LoadBalancer;
use middleware::Handler;
use router::Table;
use service::Tasks;

pub(crate) use build::{BuildInput, Builder};
pub(crate) use model::{ForeignInfo, MiddlewareInfo, RouterInfo, ServiceInfo, Status};
pub(crate) use tls_setup::TlsRuntime;

/// Everything that a request may need.
pub(crate) struct Runtime {
    pub(crate) routers: BTreeMap<String, RouterInfo>,
    pub(crate) services: BTreeMap<String, ServiceInfo>,
    pub(crate) middlewares: BTreeMap<String, MiddlewareInfo>,
    /// TCP and UDP elements by the API's section names.
    pub(crate) foreign: BTreeMap<&'static str, BTreeMap<String, ForeignInfo>>,
    pub(crate) balancers: BTreeMap<String, Arc<LoadBalancer>>,
    pub(crate) tls: TlsRuntime,
    tables: HashMap<String, Tables>,
    watchers: Tasks,
}

/// The routers of an entry point: those for plain connections and those for encrypted ones.
#[derive(Default)]
struct Tables {
    plain: Option<Table<Arc<Route>>>,
    tls: Option<Table<Arc<Route>>>,
}

/// What a router leads to.
pub(crate) struct Route {
    /// `name@provider`.
    pub(crate) router: Arc<str>,
    pub(crate) service: Arc<str>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) logs_access: bool,
    pub(crate) is_measured: bool,
}

impl Runtime {
    /// The router for a request that came in on an entry point.
    pub(crate) fn find(
        &self,
        entry_point: &str,
        is_tls: bool,
        request: &router::RequestView<'_>,
    ) -> Option<&Arc<Route>> {
        let tables = self.tables.get(entry_point)?;
        let table = if is_tls { &tables.tls } else { &tables.plain };
        table.as_ref()?.find(request)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.watchers.request_stop();
    }
}
