//! Names of cipher suites, versions and groups as Go writes them.

use rustls::{NamedGroup, SupportedCipherSuite, SupportedProtocolVersion, crypto::CryptoProvider, version};
use tracing::warn;

use crate::TlsError;

/// Suites of Go's that this proxy does not speak: without forward secrecy or without authenticated encryption.
const WEAK_SUITES: [&str; 13] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
];

/// The provider's suites, narrowed to those named. The suites of TLS 1.3 stay, as in Go.
pub(crate) fn cipher_suites(
    provider: &CryptoProvider,
    names: &[String],
) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    if names.is_empty() {
        return Ok(provider.cipher_suites.clone());
    }
    let named = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite());
    let is_tls13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
    let mut wanted = Vec::new();
    for name in names {
        // Go's older names lack the hash; IANA writes `TLS_` where rustls writes `TLS13_`.
        let full = match name.as_str() {
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" => {
                format!("{name}_SHA256")
            }
            "TLS_AES_128_GCM_SHA256" | "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256" => {
                name.replacen("TLS_", "TLS13_", 1)
            }
            _ => name.clone(),
        };
        match provider.cipher_suites.iter().find(|suite| named(suite) == full) {
            Some(suite) => wanted.push(*suite),
            None if WEAK_SUITES.contains(&name.as_str()) => {
                warn!("not supported yet: cipher suite {name}, it is left out");
            }
            None => {
                return Err(TlsError::value("cipherSuites", format!("invalid cipher suite: {name}")));
            }
        }
    }
    wanted.retain(|suite| !is_tls13(suite));
    let tls13 = provider.cipher_suites.iter().filter(|suite| is_tls13(suite));
    Ok(tls13.copied().chain(wanted).collect())
}

/// The versions between two names, both included; empty names are no bound.
pub(crate) fn versions(min: &str, max: &str) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let rank = |key: &'static str, name: &str| match name {
        "VersionTLS10" | "VersionTLS11" => Ok(1),
        "VersionTLS12" => Ok(2),
        "VersionTLS13" => Ok(3),
        _ => Err(TlsError::value(key, format!("invalid TLS version: {name}"))),
    };
    let lowest = if min.is_empty() { 2 } else { rank("minVersion", min)? };
    let highest = if max.is_empty() { 3 } else { rank("maxVersion", max)? };
    if lowest < 2 {
        warn!("not supported yet: {min}, the oldest version spoken is TLS 1.2");
    }
    let mut versions = Vec::new();
    if lowest <= 2 && highest >= 2 {
        versions.push(&version::TLS12);
    }
    if lowest <= 3 && highest >= 3 {
        versions.push(&version::TLS13);
    }
    if versions.is_empty() {
        return Err(TlsError::value("maxVersion", "no TLS version is left that this proxy speaks"));
    }
    Ok(versions)
}

/// The provider's groups, narrowed to those named and in that order.
pub(crate) fn restrict_groups(provider: &mut CryptoProvider, names: &[String]) -> Result<(), TlsError> {
    if names.is_empty() {
        return Ok(());
    }
    let mut groups = Vec::new();
    for name in names {
        let group = match name.as_str() {
            "CurveP256" | "secp256r1" => NamedGroup::secp256r1,
            "CurveP384" | "secp384r1" => NamedGroup::secp384r1,
            "CurveP521" | "secp521r1" => NamedGroup::secp521r1,
            "X25519" | "x25519" => NamedGroup::X25519,
            "X25519MLKEM768" => NamedGroup::X25519MLKEM768,
            _ => return Err(TlsError::value("curvePreferences", format!("invalid curve: {name}"))),
        };
        match provider.kx_groups.iter().find(|known| known.name() == group) {
            Some(known) => groups.push(*known),
            None => warn!("not supported yet: curve {name}, it is left out"),
        }
    }
    if groups.is_empty() {
        return Err(TlsError::value("curvePreferences", "no curve is left that this proxy speaks"));
    }
    provider.kx_groups = groups;
    Ok(())
}
