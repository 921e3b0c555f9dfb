//! What a certificate says of itself.

use rustls_pki_types::CertificateDer;
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
};

/// Facts of a certificate, for names, metrics and the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Common name; empty if there is none.
    pub common_name: String,
    /// Serial number, decimal as far as 128 bits go, else hexadecimal.
    pub serial: String,
    /// DNS names and addresses it is for, lower case.
    pub sans: Vec<String>,
    /// End of validity, in seconds since 1970.
    pub not_after: i64,
}

/// Reads a certificate; `None` if it is none.
pub fn describe(certificate: &CertificateDer<'_>) -> Option<CertificateFacts> {
    let (_, x509) = X509Certificate::from_der(certificate).ok()?;
    let common_name = x509.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let mut sans = Vec::new();
    if let Ok(Some(extension)) = x509.subject_alternative_name() {
        for name in &extension.value.general_names {
            match name {
                GeneralName::DNSName(name) => sans.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => {
                    if let Ok(v4) = <[u8; 4]>::try_from(*bytes) {
                        sans.push(std::net::Ipv4Addr::from(v4).to_string());
                    } else if let Ok(v6) = <[u8; 16]>::try_from(*bytes) {
                        sans.push(std::net::Ipv6Addr::from(v6).to_string());
                    }
                }
                _ => {}
            }
        }
    }
    Some(CertificateFacts {
        common_name: common_name.unwrap_or_default().to_owned(),
        serial: serial_text(x509.raw_serial()),
        sans,
        not_after: x509.validity().not_after.timestamp(),
    })
}

fn serial_text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
    if bytes.len() <= 16 {
        return bytes.iter().fold(0u128, |number, byte| number << 8 | u128::from(*byte)).to_string();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
