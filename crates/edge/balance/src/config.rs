//! The shape of one entry of `http.services`.

use std::collections::BTreeMap;

use config::{GoDuration, present};
use serde::{Deserialize, Serialize};

/// One service: exactly one of the kinds is set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceConfig {
    /// Middlewares before the service, for whoever uses it. Whoever builds it puts them there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    /// Servers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub load_balancer: Option<LoadBalancerConfig>,
    /// Other services by weight.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub weighted: Option<WeightedConfig>,
    /// A service and one for when it is down.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub failover: Option<FailoverConfig>,
    /// Copies of requests, which is not there yet.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub mirroring: Option<MirroringConfig>,
    /// Other services by a hash of the client, which is not there yet.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub highest_random_weight: Option<WeightedConfig>,
}

impl ServiceConfig {
    /// The kinds that are set.
    pub fn kinds(&self) -> Vec<&'static str> {
        let Self { middlewares: _, load_balancer, weighted, failover, mirroring, highest_random_weight } =
            self;
        let all = [
            ("loadBalancer", load_balancer.is_some()),
            ("weighted", weighted.is_some()),
            ("failover", failover.is_some()),
            ("mirroring", mirroring.is_some()),
            ("highestRandomWeight", highest_random_weight.is_some()),
        ];
        all.into_iter().filter_map(|(kind, is_set)| is_set.then_some(kind)).collect()
    }
}

/// Options of `loadBalancer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LoadBalancerConfig {
    /// Whether a client stays with its server.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub sticky: Option<Sticky>,
    /// The servers.
    pub servers: Vec<ServerConfig>,
    /// `wrr`, the only one yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub strategy: String,
    /// How servers are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheckConfig>,
    /// Leaving servers out after failures, which is not there yet.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub passive_health_check: Option<PassiveHealthCheck>,
    /// Whether servers see the client's `Host`, or their own.
    pub pass_host_header: bool,
    /// When answers are passed on: here always at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_forwarding: Option<ResponseForwarding>,
    /// Name of the settings towards servers; `default` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub servers_transport: String,
}

impl Default for LoadBalancerConfig {
    fn default() -> Self {
        Self {
            sticky: None,
            servers: Vec::new(),
            strategy: String::new(),
            health_check: None,
            passive_health_check: None,
            pass_host_header: true,
            response_forwarding: None,
            servers_transport: String::new(),
        }
    }
}

/// One server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerConfig {
    /// `http://`, `https://` or `h2c://`, host and port.
    pub url: String,
    /// Its share; 1 if nothing is said, 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Whether the path of `url` goes before that of requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_path: bool,
}

/// Options of `sticky`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sticky {
    /// By a cookie.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub cookie: Option<Cookie>,
}

/// A cookie that names a server without telling its address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cookie {
    /// Its name; made from the service's name if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// For encrypted connections only.
    pub secure: bool,
    /// Hidden from scripts.
    pub http_only: bool,
    /// `none`, `lax` or `strict`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub same_site: String,
    /// Seconds; 0 for the browser's session.
    pub max_age: i64,
    /// `/` if nothing is said.
    pub path: String,
    /// For subdomains too.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: String::new(),
            secure: false,
            http_only: false,
            same_site: String::new(),
            max_age: 0,
            path: "/".to_owned(),
            domain: String::new(),
        }
    }
}

/// Options of `healthCheck`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCheckConfig {
    /// Instead of the server's scheme.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// `http`, the only one yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// What to ask for; needed.
    pub path: String,
    /// `GET` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The only good status; any of 200 to 399 if 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: u16,
    /// Instead of the server's port; 0 for that.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
    /// Time between checks, 30 s if nothing is said.
    pub interval: GoDuration,
    /// The same while the server is down; `interval` if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<GoDuration>,
    /// How long a check may take, 5 s if nothing is said.
    pub timeout: GoDuration,
    /// The `Host` to ask for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// Redirections count as good here and are never followed.
    pub follow_redirects: bool,
    /// Headers to send.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Default for HealthCheckConfig {
    fn default() -> Self {
        Self {
            scheme: String::new(),
            mode: String::new(),
            path: String::new(),
            method: String::new(),
            status: 0,
            port: 0,
            interval: GoDuration::from_secs(30),
            unhealthy_interval: None,
            timeout: GoDuration::from_secs(5),
            hostname: String::new(),
            follow_redirects: true,
            headers: BTreeMap::new(),
        }
    }
}

/// Options of `passiveHealthCheck`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PassiveHealthCheck {
    /// Time in which failures count together.
    pub failure_window: GoDuration,
    /// Failures that are too many.
    pub max_failed_attempts: u32,
}

/// Options of `responseForwarding`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResponseForwarding {
    /// How long an answer may be held back; may be negative, so it is kept as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush_interval: Option<FlushInterval>,
}

/// A duration that may be negative, or a number of seconds. It has no effect here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlushInterval {
    /// Seconds.
    Seconds(i64),
    /// As text.
    Text(String),
}

/// Options of `weighted` and `highestRandomWeight`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WeightedConfig {
    /// The services.
    pub services: Vec<GroupMember>,
    /// Whether a client stays with its service.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub sticky: Option<Sticky>,
    /// Whether services that are down are left out.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub health_check: Option<Propagate>,
}

/// One service of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GroupMember {
    /// Its name.
    pub name: String,
    /// Its share; 1 if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

/// `healthCheck: {}` of a service made of services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propagate {}

/// Options of `failover`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FailoverConfig {
    /// Asked while it is up.
    pub service: String,
    /// Asked while it is not.
    pub fallback: String,
    /// Whether the state of both shows in parents.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub health_check: Option<Propagate>,
}

/// Options of `mirroring`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MirroringConfig {
    /// Who answers.
    pub service: String,
    /// Whether mirrors get bodies.
    pub mirror_body: Option<bool>,
    /// Largest body that is copied.
    pub max_body_size: Option<i64>,
    /// Who gets copies.
    pub mirrors: Vec<Mirror>,
    /// Whether the state shows in parents.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub health_check: Option<Propagate>,
}

/// Who gets copies of requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Mirror {
    /// Its name.
    pub name: String,
    /// Of how many requests in a hundred.
    pub percent: i64,
}
