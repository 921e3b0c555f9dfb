//! Certificates and keys from files or from the configuration itself.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::TlsError;

/// Whether a value is PEM text rather than a file's name.
fn is_inline(value: &str) -> bool {
    value.contains("-----BEGIN")
}

/// All certificates of a file or text, at least one.
pub(crate) fn certificates(key: &'static str, value: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = if is_inline(value) {
        CertificateDer::pem_slice_iter(value.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TlsError::Inline { key, source })?
    } else {
        let file = |source| TlsError::File { path: PathBuf::from(value), source };
        CertificateDer::pem_file_iter(value).map_err(file)?.collect::<Result<_, _>>().map_err(file)?
    };
    if found.is_empty() {
        return Err(TlsError::NoCertificate(if is_inline(value) {
            key.to_owned()
        } else {
            value.to_owned()
        }));
    }
    Ok(found)
}

/// The first private key of a file or text.
pub(crate) fn private_key(key: &'static str, value: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    if is_inline(value) {
        return PrivateKeyDer::from_pem_slice(value.as_bytes())
            .map_err(|source| TlsError::Inline { key, source });
    }
    PrivateKeyDer::from_pem_file(value)
        .map_err(|source| TlsError::File { path: PathBuf::from(value), source })
}

/// The authorities of several files or texts.
pub(crate) fn roots(key: &'static str, values: &[String]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for value in values {
        for certificate in certificates(key, value)? {
            roots.add(certificate).map_err(|error| TlsError::rejected("the authority", error))?;
        }
    }
    Ok(roots)
}
