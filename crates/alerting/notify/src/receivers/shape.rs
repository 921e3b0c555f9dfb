//! Helpers for the shapes of receivers' entries.

use client::HttpClientConfig;
use config::Secret;
use url::Url;

/// A block of the file whose keys may all be absent; unknown ones are refused.
macro_rules! shape {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }
    };
}
pub(super) use shape;

/// Whether a value is set: the empty text counts as absent.
pub(super) trait IsSet {
    fn is_set(&self) -> bool;
}

impl IsSet for Option<String> {
    fn is_set(&self) -> bool {
        self.as_ref().is_some_and(|text| !text.is_empty())
    }
}

impl IsSet for Option<Secret> {
    fn is_set(&self) -> bool {
        self.as_ref().is_some_and(|secret| !secret.is_empty())
    }
}

/// Refuses a value that stands both inline and in a file.
pub(super) fn at_most_one(inline: bool, file: bool, key: &str) -> Result<(), String> {
    at_most_one_of(inline, file, key, &format!("{key}_file"))
}

pub(super) fn at_most_one_of(first: bool, second: bool, a: &str, b: &str) -> Result<(), String> {
    if first && second { Err(format!("at most one of {a} & {b} must be configured")) } else { Ok(()) }
}

/// Refuses a text as if it were wrong.
pub(super) fn refuse_if(wrong: bool, text: &str) -> Result<(), String> {
    if wrong { Err(text.to_owned()) } else { Ok(()) }
}

/// Refuses what is no `http` or `https` URL, unless it is a template or absent.
pub(super) fn check_url(url: Option<&str>) -> Result<(), String> {
    let Some(text) = url.filter(|text| !text.is_empty() && !text.contains("{{")) else { return Ok(()) };
    // The URL may hold a secret: no part of it is repeated.
    let url = Url::parse(text).map_err(|error| format!("invalid URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("unsupported scheme {:?} for URL", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("missing host for URL".into());
    }
    Ok(())
}

pub(super) fn check_secret_url(url: Option<&Secret>) -> Result<(), String> {
    check_url(url.map(Secret::expose))
}

pub(super) fn check_http(http: Option<&HttpClientConfig>) -> Result<(), String> {
    http.map_or(Ok(()), |http| http.check().map_err(|error| format!("http_config: {error}")))
}

/// `host:port` with a port in it.
pub(super) fn check_host_port(address: Option<&str>) -> Result<(), String> {
    let Some(address) = address.filter(|address| !address.is_empty()) else { return Ok(()) };
    match address.rsplit_once(':') {
        None => Err(format!("address {address}: missing port in address")),
        Some((_, "")) => Err(format!("address {address:?}: port cannot be empty")),
        Some((host, _)) if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) => {
            Err(format!("address {address}: too many colons in address"))
        }
        Some(_) => Ok(()),
    }
}
