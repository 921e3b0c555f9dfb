//! Where data comes from.

use std::collections::BTreeMap;

use config::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::hex;

/// A data source. Secrets are kept apart and never answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataSource {
    /// Number, from 1.
    pub id: u64,
    /// Public identifier.
    pub uid: String,
    /// Its name; no other has it.
    pub name: String,
    /// `prometheus`, `loki`, `alertmanager`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `proxy` or `direct`.
    pub access: String,
    /// Where it is.
    pub url: String,
    /// User of databases.
    pub user: String,
    /// Database of databases.
    pub database: String,
    /// Whether `basic_auth_user` is sent.
    pub basic_auth: bool,
    /// User for basic authentication.
    pub basic_auth_user: String,
    /// Whether browsers send their cookies along.
    pub with_credentials: bool,
    /// Whether panels without a data source use it.
    pub is_default: bool,
    /// Settings.
    pub json_data: Map<String, Value>,
    /// Secrets.
    #[serde(with = "secrets")]
    pub secure_json_data: BTreeMap<String, Secret>,
    /// Grows with every change, from 1.
    pub version: u64,
    /// Whether it comes from a file and is changed there only.
    pub read_only: bool,
}

/// What we can ask of a data source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataSourceKind {
    /// Prometheus' HTTP API.
    Prometheus,
    /// Loki's HTTP API.
    Loki,
    /// Alertmanager's HTTP API.
    Alertmanager,
    /// Proxied only.
    Other,
}

impl DataSource {
    /// What we can ask of it.
    pub(crate) fn kind(&self) -> DataSourceKind {
        match self.kind.as_str() {
            "prometheus" => DataSourceKind::Prometheus,
            "loki" => DataSourceKind::Loki,
            "alertmanager" => DataSourceKind::Alertmanager,
            _ => DataSourceKind::Other,
        }
    }

    /// A text of `jsonData`, if it is there and not empty. Numbers are read as text, as forms send either.
    pub(crate) fn setting(&self, key: &str) -> Option<String> {
        match self.json_data.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether a flag of `jsonData` is set.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.json_data.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A secret, if it is there and not empty.
    pub(crate) fn secret(&self, key: &str) -> Option<&Secret> {
        self.secure_json_data.get(key).filter(|secret| !secret.is_empty())
    }
}

/// The uid that Grafana gives a provisioned data source without one.
pub(crate) fn uid_of_name(name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut uid = format!("P{}", hex(&digest).to_uppercase());
    uid.truncate(17);
    uid
}

/// `Secret` prints as `<secret>` everywhere; the store is the one place that needs the text.
mod secrets {
    use std::collections::BTreeMap;

    use config::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        secrets: &BTreeMap<String, Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(secrets.iter().map(|(name, secret)| (name, secret.expose())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Secret>, D::Error> {
        BTreeMap::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn uids_of_names_are_grafanas() {
        assert_eq!(super::uid_of_name("Prometheus"), "PBFA97CFB590B2093");
        assert_eq!(super::uid_of_name("Loki"), "P8E80F9AEF21F6940");
    }
}
