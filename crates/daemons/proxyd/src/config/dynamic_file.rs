//! The shape of a dynamic configuration, and reading it element by element: a router that is wrong does not take its file with it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use ::config::{ConfigError, null_as_default, present};
use balance::{ServersTransportConfig, ServiceConfig};
use middleware::MiddlewareConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tls::{Domain, TlsConfig};

use super::{
    decode::{decode, decode_part},
    node::{Entry, Node},
    static_file::ObservabilityFile,
};

/// One entry of `http.routers`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RouterConfig {
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) entry_points: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) middlewares: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) service: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) rule: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) rule_syntax: String,
    /// 0 for the rule's length.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) priority: i64,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<RouterTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observability: Option<ObservabilityFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parent_refs: Vec<String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `tls` of a router or an entry point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RouterTls {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) options: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cert_resolver: String,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) domains: Vec<Domain>,
}

/// An element as a provider gives it: what it says, or why it cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct Element<T> {
    pub(crate) config: Result<T, Arc<str>>,
    /// `file:line:column`, for messages.
    pub(crate) origin: Arc<str>,
}

/// Elements by name, without their provider.
pub(crate) type Elements<T> = BTreeMap<String, Element<T>>;

/// What one file says.
#[derive(Debug, Clone, Default)]
pub(crate) struct DynamicFile {
    pub(crate) routers: Elements<RouterConfig>,
    pub(crate) services: Elements<ServiceConfig>,
    pub(crate) middlewares: Elements<MiddlewareConfig>,
    pub(crate) transports: Elements<ServersTransportConfig>,
    pub(crate) tls: TlsConfig,
    /// `tcp` and `udp`, by section and name: shown, not served.
    pub(crate) foreign: BTreeMap<&'static str, Elements<Json>>,
    /// Mistakes, those of elements among them, as `file:line:column: message`.
    pub(crate) mistakes: Vec<String>,
}

/// Root keys of the static kind, which Traefik passes over in a dynamic file.
const STATIC_SECTIONS: [&str; 18] = [
    "global",
    "serversTransport",
    "tcpServersTransport",
    "entryPoints",
    "providers",
    "api",
    "metrics",
    "ping",
    "log",
    "accessLog",
    "tracing",
    "hostResolver",
    "certificatesResolvers",
    "experimental",
    "core",
    "spiffe",
    "ocsp",
    "pilot",
];

/// Sections of `tcp` and `udp`, as the API names them.
const FOREIGN_SECTIONS: [(&str, &str, &str); 6] = [
    ("tcp", "routers", "tcpRouters"),
    ("tcp", "services", "tcpServices"),
    ("tcp", "middlewares", "tcpMiddlewares"),
    ("tcp", "serversTransports", "tcpServersTransports"),
    ("udp", "routers", "udpRouters"),
    ("udp", "services", "udpServices"),
];

impl DynamicFile {
    /// Takes a tree apart. Never fails: what is wrong is among the mistakes.
    pub(crate) fn read(path: &Path, tree: &Node) -> Self {
        let mut file = Self::default();
        for entry in tree.entries() {
            let key = entry.key.to_ascii_lowercase();
            match key.as_str() {
                "http" => file.read_http(path, &entry.node),
                "tcp" | "udp" => file.read_foreign(path, &key, &entry.node),
                "tls" => match decode_part(path, &["tls"], &entry.node) {
                    Ok(tls) => file.tls = tls,
                    Err(error) => file.mistakes.push(error.to_string()),
                },
                _ if STATIC_SECTIONS.iter().any(|known| known.eq_ignore_ascii_case(&key)) => {}
                // Anchors to be used elsewhere in the file.
                _ if key.starts_with("x-") => {}
                _ => file.unknown(path, entry, "http, tcp, udp, tls"),
            }
        }
        file
    }

    fn unknown(&mut self, path: &Path, entry: &Entry, expected: &str) {
        let message = format!("unknown field `{}`, expected one of {expected}", entry.key);
        self.mistakes.push(error_at(path, entry, message).to_string());
    }

    fn read_http(&mut self, path: &Path, http: &Node) {
        for entry in http.entries() {
            let Self { routers, services, middlewares, transports, mistakes, .. } = self;
            match entry.key.to_ascii_lowercase().as_str() {
                "routers" => read_elements(path, &["http", "routers"], &entry.node, routers, mistakes),
                "services" => read_elements(path, &["http", "services"], &entry.node, services, mistakes),
                "middlewares" => {
                    read_elements(path, &["http", "middlewares"], &entry.node, middlewares, mistakes);
                }
                "serverstransports" => {
                    read_elements(path, &["http", "serversTransports"], &entry.node, transports, mistakes);
                }
                _ => self.unknown(path, entry, "routers, services, middlewares, serversTransports"),
            }
        }
    }

    fn read_foreign(&mut self, path: &Path, kind: &str, section: &Node) {
        for entry in section.entries() {
            let known = FOREIGN_SECTIONS
                .iter()
                .find(|(section, name, _)| *section == kind && name.eq_ignore_ascii_case(&entry.key));
            match known {
                Some((_, name, shown)) => {
                    let elements = self.foreign.entry(shown).or_default();
                    read_elements(path, &[kind, name], &entry.node, elements, &mut self.mistakes);
                }
                None => self.unknown(path, entry, "routers, services"),
            }
        }
    }
}

fn read_elements<'de, T: Deserialize<'de>>(
    path: &Path,
    section: &[&str],
    node: &'de Node,
    elements: &mut Elements<T>,
    mistakes: &mut Vec<String>,
) {
    if let Err(error) = decode::<BTreeMap<String, ::config::Inert>>(path, node) {
        mistakes.push(error.to_string());
    }
    for entry in node.entries() {
        let mut prefix = section.to_vec();
        prefix.push(&entry.key);
        let config = if entry.key.contains('@') {
            let message = format!("{}: names cannot contain `@`", prefix.join("."));
            Err(error_at(path, entry, message))
        } else {
            decode_part(path, &prefix, &entry.node)
        };
        let config = config.map_err(|error| {
            mistakes.push(error.to_string());
            error.to_string().into()
        });
        let origin = match entry.place {
            Some((line, column)) => format!("{}:{line}:{column}", path.display()),
            None => path.display().to_string(),
        };
        elements.insert(entry.key.clone(), Element { config, origin: origin.into() });
    }
}

fn error_at(path: &Path, entry: &Entry, message: String) -> ConfigError {
    match entry.place {
        Some((line, column)) => ConfigError::at(path, line, column, message),
        None => ConfigError::of(path, message),
    }
}
