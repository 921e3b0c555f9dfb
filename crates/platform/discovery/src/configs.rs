//! The `*_sd_configs` keys of a block, and what holds for them.

use config::Inert;
use serde::{Deserialize, Serialize};

use crate::{FileSdConfig, StaticConfig};

/// The discovery keys that a block has beside its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoveryConfigs {
    /// `static_configs`.
    pub static_configs: Vec<StaticConfig>,
    /// Whether an entry of `static_configs` is empty.
    #[serde(skip)]
    pub has_empty_static_config: bool,
    /// `file_sd_configs`.
    pub file_sd_configs: Vec<FileSdConfig>,
    /// Keys of kinds that are known and not there yet.
    #[serde(skip)]
    pub not_supported: Vec<&'static str>,
}

/// Why discovery settings do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// A kind that is not there yet.
    #[error("not supported yet: {0}")]
    NotSupported(&'static str),
    /// A value.
    #[error("{0}")]
    Invalid(String),
}

impl DiscoveryConfigs {
    /// Refuses what does not hold.
    pub fn check(&self) -> Result<(), DiscoveryError> {
        if let Some(kind) = self.not_supported.first() {
            return Err(DiscoveryError::NotSupported(kind));
        }
        if self.has_empty_static_config {
            return Err(DiscoveryError::Invalid("empty or null section in static_configs".into()));
        }
        self.file_sd_configs.iter().try_for_each(FileSdConfig::check)
    }

    /// Whether the block names no discovery at all.
    pub fn is_empty(&self) -> bool {
        self.static_configs.is_empty() && self.file_sd_configs.is_empty() && self.not_supported.is_empty()
    }

    /// Makes paths relative to `base`, the configuration file's folder.
    pub fn resolve_paths(&mut self, base: &std::path::Path) {
        for config in &mut self.file_sd_configs {
            for file in &mut config.files {
                *file = base.join(&file).to_string_lossy().into_owned();
            }
        }
    }
}

/// For [`discovery_shape!`](crate::discovery_shape): the names of the keys that are set.
pub fn set_keys(keys: &[(&'static str, Inert)]) -> Vec<&'static str> {
    keys.iter().filter(|(_, value)| value.is_set()).map(|(name, _)| *name).collect()
}

/// Adds the discovery keys to the struct of a block that has them beside its own, and `discovery()` to collect them.
#[macro_export]
macro_rules! discovery_shape {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $crate::discovery_shape! {
            @kinds [
                aws_sd_configs azure_sd_configs consul_sd_configs digitalocean_sd_configs dns_sd_configs docker_sd_configs
                dockerswarm_sd_configs ec2_sd_configs eureka_sd_configs gce_sd_configs hetzner_sd_configs http_sd_configs ionos_sd_configs
                kubernetes_sd_configs kuma_sd_configs lightsail_sd_configs linode_sd_configs marathon_sd_configs nerve_sd_configs
                nomad_sd_configs oci_sd_configs openstack_sd_configs outscale_sd_configs ovhcloud_sd_configs puppetdb_sd_configs
                scaleway_sd_configs serverset_sd_configs stackit_sd_configs triton_sd_configs uyuni_sd_configs vultr_sd_configs
            ]
            $(#[$meta])* pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
        }
    };
    (@kinds [$($kind:ident)*] $(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        ::client::http_client_shape! {
            $(#[$meta])*
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
                /// Targets written down.
                #[serde(deserialize_with = "::config::null_as_default", skip_serializing_if = "Vec::is_empty")]
                pub static_configs: Vec<Option<$crate::StaticConfig>>,
                /// Targets in files.
                #[serde(deserialize_with = "::config::null_as_default", skip_serializing_if = "Vec::is_empty")]
                pub file_sd_configs: Vec<$crate::FileSdConfig>,
                $(
                    /// Not supported yet.
                    #[serde(skip_serializing)]
                    pub $kind: ::config::Inert,
                )*
            }
        }

        impl $name {
            /// The keys that are discovery's.
            pub fn discovery(&self) -> $crate::DiscoveryConfigs {
                $crate::DiscoveryConfigs {
                    static_configs: self.static_configs.iter().flatten().cloned().collect(),
                    has_empty_static_config: self.static_configs.contains(&None),
                    file_sd_configs: self.file_sd_configs.clone(),
                    not_supported: $crate::set_keys(&[$((stringify!($kind), self.$kind)),*]),
                }
            }
        }
    };
}
