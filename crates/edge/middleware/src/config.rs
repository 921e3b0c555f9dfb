//! The shape of one entry of `http.middlewares`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    AddPrefix, BasicAuth, Buffering, Compress, Headers, InFlightReq, IpAllowList, RateLimit, RedirectRegex,
    RedirectScheme, ReplacePath, ReplacePathRegex, Retry, StripPrefix, StripPrefixRegex,
};

/// Options of `chain`: other middlewares, in order. Whoever builds a router puts them in its place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Chain {
    /// Their names.
    pub middlewares: Vec<String>,
}

/// Options of a middleware that is not there yet, as they are in the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Unsupported(pub Value);

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self)
    }
}

macro_rules! middleware_config {
    ($($(#[$attribute:meta])* $field:ident: $type:ty = $name:literal,)*) => {
        /// One middleware: exactly one of the keys is set.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[allow(missing_docs, reason = "each is documented at its type")]
        pub struct MiddlewareConfig {
            $($(#[$attribute])*
            #[serde(rename = $name, skip_serializing_if = "Option::is_none", deserialize_with = "config::present")]
            pub $field: Option<$type>,)*
        }

        impl MiddlewareConfig {
            /// The keys that are set, as written in a file.
            pub fn kinds(&self) -> Vec<&'static str> {
                let mut kinds = Vec::new();
                $(if self.$field.is_some() {
                    kinds.push($name);
                })*
                kinds
            }
        }
    };
}

middleware_config! {
    add_prefix: AddPrefix = "addPrefix",
    basic_auth: BasicAuth = "basicAuth",
    buffering: Buffering = "buffering",
    chain: Chain = "chain",
    circuit_breaker: Unsupported = "circuitBreaker",
    compress: Compress = "compress",
    content_type: Unsupported = "contentType",
    digest_auth: Unsupported = "digestAuth",
    errors: Unsupported = "errors",
    forward_auth: Unsupported = "forwardAuth",
    grpc_web: Unsupported = "grpcWeb",
    headers: Headers = "headers",
    in_flight_req: InFlightReq = "inFlightReq",
    ip_allow_list: IpAllowList = "ipAllowList",
    ip_white_list: IpAllowList = "ipWhiteList",
    pass_tls_client_cert: Unsupported = "passTLSClientCert",
    plugin: Unsupported = "plugin",
    rate_limit: RateLimit = "rateLimit",
    redirect_regex: RedirectRegex = "redirectRegex",
    redirect_scheme: RedirectScheme = "redirectScheme",
    replace_path: ReplacePath = "replacePath",
    replace_path_regex: ReplacePathRegex = "replacePathRegex",
    retry: Retry = "retry",
    strip_prefix: StripPrefix = "stripPrefix",
    strip_prefix_regex: StripPrefixRegex = "stripPrefixRegex",
    // What the vendor's paid product has, so that its files load here too.
    api_key: Unsupported = "apiKey",
    jwt: Unsupported = "jwt",
    oidc: Unsupported = "oidc",
    ldap: Unsupported = "ldap",
    hmac: Unsupported = "hmac",
    opa: Unsupported = "opa",
    waf: Unsupported = "waf",
    oauth_client_credentials: Unsupported = "oAuthClientCredentials",
    oauth_introspection: Unsupported = "oAuthIntrospection",
    distributed_rate_limit: Unsupported = "distributedRateLimit",
    encoded_characters: Unsupported = "encodedCharacters",
}
