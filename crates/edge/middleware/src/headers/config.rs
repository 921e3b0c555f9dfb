//! The shape of `headers`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Options of `headers`; names and meanings are Traefik's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each is named after the header it sets")]
pub struct Headers {
    /// Set on the request; an empty value removes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Set on the response; an empty value removes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub access_control_allow_credentials: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_methods: Vec<String>,
    /// Origins that may; `*` for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list_regex: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_expose_headers: Vec<String>,
    /// Seconds a preflight answer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_max_age: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub add_vary_header: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Headers that may tell the host instead of `Host`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts_proxy_headers: Vec<String>,
    /// Headers with the values that say the connection before was encrypted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ssl_proxy_headers: BTreeMap<String, String>,
    /// Seconds; 0 sets no `Strict-Transport-Security`.
    #[serde(rename = "stsSeconds", skip_serializing_if = "is_zero")]
    pub sts_seconds: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_include_subdomains: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_preload: bool,
    /// On plain connections too.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "std::ops::Not::not")]
    pub force_sts_header: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frame_deny: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_frame_options_value: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub content_type_nosniff: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub browser_xss_filter: bool,
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "String::is_empty")]
    pub custom_browser_xss_value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy_report_only: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub public_key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub permissions_policy: String,
    /// Leaves out what would hinder on a developer's machine: host check, STS, key pinning.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_development: bool,
    /// Of version 2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub feature_policy: String,
    /// Of version 2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ssl_redirect: bool,
    /// Of version 2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ssl_temporary_redirect: bool,
    /// Of version 2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ssl_host: String,
    /// Of version 2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ssl_force_host: bool,
}

impl Headers {
    /// Keys that version 3 has retired, and whether they are set.
    pub(super) fn retired(&self) -> [(&'static str, bool); 4] {
        [
            ("sslRedirect", self.ssl_redirect),
            ("sslTemporaryRedirect", self.ssl_temporary_redirect),
            ("sslHost", !self.ssl_host.is_empty()),
            ("sslForceHost", self.ssl_force_host),
        ]
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
