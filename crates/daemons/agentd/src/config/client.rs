//! One entry of `clients`.

use std::collections::BTreeMap;

use ::config::{ByteSize, GoDuration, Inert, Secret, null_as_default};
use serde::{Deserialize, Serialize, Serializer};

client::http_client_shape! {
    /// Where entries are pushed to.
    #[derive(Debug, Clone, Deserialize, Serialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ClientConfig {
        #[serde(serialize_with = "without_password")]
        pub url: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub name: String,
        #[serde(deserialize_with = "null_as_default")]
        pub headers: BTreeMap<String, Secret>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub tenant_id: String,
        pub batchwait: GoDuration,
        pub batchsize: ByteSize,
        #[serde(deserialize_with = "null_as_default")]
        pub backoff_config: BackoffConfig,
        pub drop_rate_limited_batches: bool,
        #[serde(deserialize_with = "null_as_default")]
        pub external_labels: BTreeMap<String, String>,
        pub timeout: GoDuration,
        #[serde(skip_serializing)]
        pub stream_lag_labels: Inert,
    }
}

/// Pauses between tries.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BackoffConfig {
    pub min_period: GoDuration,
    pub max_period: GoDuration,
    /// Tries after which a warning is logged; the batch is kept.
    pub max_retries: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: String::new(),
            headers: BTreeMap::new(),
            tenant_id: String::new(),
            batchwait: GoDuration::from_secs(1),
            batchsize: ByteSize::mib(1),
            backoff_config: BackoffConfig::default(),
            drop_rate_limited_batches: false,
            external_labels: BTreeMap::new(),
            timeout: GoDuration::from_secs(10),
            stream_lag_labels: Inert::default(),
            basic_auth: None,
            authorization: None,
            bearer_token: None,
            bearer_token_file: None,
            oauth2: Inert::default(),
            proxy_url: None,
            no_proxy: None,
            proxy_from_environment: None,
            proxy_connect_header: Inert::default(),
            follow_redirects: None,
            enable_http2: None,
            tls_config: None,
            http_headers: BTreeMap::new(),
        }
    }
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            min_period: GoDuration(std::time::Duration::from_millis(500)),
            max_period: GoDuration::from_secs(300),
            max_retries: 10,
        }
    }
}

/// A URL may carry a password, which no page may show.
fn without_password<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("xxxxx"));
            serializer.serialize_str(url.as_str())
        }
        _ => serializer.serialize_str(text),
    }
}
