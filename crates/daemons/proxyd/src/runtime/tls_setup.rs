//! TLS of a runtime: certificates, options by name, and which host gets which options.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rustls::ServerConfig;
use service::report;
use tls::{CertificateStore, ServerOptions, StoredCertificate, TlsOptions};
use tracing::warn;

use super::{RouterInfo, build::BuildInput};

/// The options that hold where nothing else is said.
const DEFAULT: &str = "default";

/// TLS by host name.
pub(crate) struct TlsRuntime {
    pub(crate) store: Arc<CertificateStore>,
    /// By name: `default`, or `name@provider`.
    options: BTreeMap<String, Result<Arc<ServerConfig>, String>>,
    /// Options of hosts and the routers that ask for them.
    hosts: HashMap<String, HostOptions>,
    default: Arc<ServerConfig>,
}

struct HostOptions {
    options: String,
    routers: Vec<String>,
    conflicts: bool,
}

/// Loads certificates and builds options; what does not hold is left out with a warning.
pub(super) fn build(input: &BuildInput<'_>) -> TlsRuntime {
    let mut certificates = Vec::new();
    let mut default_certificate = None;
    let load = |file| match StoredCertificate::load(file) {
        Ok(certificate) => Some(certificate),
        Err(error) => {
            warn!(error = report(&error), "certificate left out");
            None
        }
    };
    for config in &input.configuration.tls {
        certificates.extend(config.certificates.iter().filter_map(load));
        for (name, store) in &config.stores {
            if name != DEFAULT {
                warn!(store = name, "only the TLS store `default` is used");
                continue;
            }
            if store.default_generated_cert.is_some() {
                warn!(
                    "not supported yet: tls.stores.default.defaultGeneratedCert, the self-signed certificate is used"
                );
            }
            default_certificate = store.default_certificate.as_ref().and_then(load).or(default_certificate);
        }
    }
    let default_certificate = default_certificate.unwrap_or_else(|| input.default_certificate.clone());
    let store = Arc::new(CertificateStore::new(certificates, default_certificate));
    let make = |options: &TlsOptions| {
        let built = ServerOptions { options, store: store.clone() }.build();
        built.map_err(|error| report(&error))
    };
    let mut options = BTreeMap::new();
    for (name, config) in input.configuration.tls.iter().flat_map(|config| &config.options) {
        let full = if name == DEFAULT { name.clone() } else { format!("{name}@file") };
        let built = make(config);
        if let Err(error) = &built {
            warn!(options = name, error, "TLS options cannot be used");
        }
        options.insert(full, built);
    }
    let default = match options.get(DEFAULT) {
        Some(Ok(config)) => config.clone(),
        _ => make(&TlsOptions::default()).expect("BUG: TLS options without any setting hold"),
    };
    options.entry(DEFAULT.to_owned()).or_insert_with(|| Ok(default.clone()));
    TlsRuntime { store, options, hosts: HashMap::new(), default }
}

impl TlsRuntime {
    /// The configuration for a client that asks for a name.
    pub(crate) fn config_for(&self, name: Option<&str>) -> &Arc<ServerConfig> {
        let options = name.and_then(|name| self.options_of(name));
        options.and_then(|options| self.options.get(options)?.as_ref().ok()).unwrap_or(&self.default)
    }

    /// Whether a request for `host` may come over a connection opened for `name`: both must have the same options, or what one demands
    /// (a client certificate) could be got around through the other.
    pub(crate) fn same_options(&self, name: Option<&str>, host: &str) -> bool {
        let of = |host: &str| self.options_of(host).unwrap_or(DEFAULT);
        name.map_or(DEFAULT, of) == of(host)
    }

    fn options_of(&self, host: &str) -> Option<&str> {
        let entry = self.hosts.get(host).or_else(|| {
            let (_, parent) = host.split_once('.')?;
            self.hosts.get(&format!("*.{parent}"))
        })?;
        Some(if entry.conflicts { DEFAULT } else { &entry.options })
    }

    /// A router's hosts are to be served with these options.
    pub(super) fn use_options(
        &mut self,
        router: &str,
        options: &str,
        hosts: Vec<String>,
    ) -> Result<(), String> {
        match self.options.get(options) {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(format!("TLS options {options}: {error}")),
            None => return Err(format!("unknown TLS options: {options}")),
        }
        if hosts.is_empty() && options != DEFAULT {
            warn!(
                router,
                options,
                "TLS options are chosen by host and this rule names none, the default options are used"
            );
        }
        for host in hosts {
            let entry = self.hosts.entry(host).or_insert_with(|| HostOptions {
                options: options.to_owned(),
                routers: Vec::new(),
                conflicts: false,
            });
            entry.conflicts |= entry.options != options;
            entry.routers.push(router.to_owned());
        }
        Ok(())
    }

    /// Tells routers whose hosts have different options that the default ones are used.
    pub(super) fn settle_conflicts(&self, routers: &mut BTreeMap<String, RouterInfo>) {
        for (host, entry) in self.hosts.iter().filter(|(_, entry)| entry.conflicts) {
            for name in &entry.routers {
                if let Some(router) = routers.get_mut(name) {
                    router.findings.warn(format!(
                        "found different TLS options for routers on the same host {host}, so using the default TLS options instead"
                    ));
                }
            }
        }
    }
}
