//! Certificates by name.

use std::{collections::HashMap, sync::Arc};

use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};

use crate::{CertificateFacts, CertificateFile, TlsError, describe, pem};

/// A certificate with its key, ready to be shown.
#[derive(Debug, Clone)]
pub struct StoredCertificate {
    /// For the handshake.
    pub key: Arc<CertifiedKey>,
    /// What it says of itself.
    pub facts: CertificateFacts,
}

impl StoredCertificate {
    /// Reads certificate and key and checks that they belong together.
    ///
    /// # Errors
    /// Files that cannot be read or hold neither, keys of another certificate, key types the library does not know.
    pub fn load(file: &CertificateFile) -> Result<Self, TlsError> {
        let chain = pem::certificates("certFile", file.cert_file.expose())?;
        let key = pem::private_key("keyFile", file.key_file.expose())?;
        let facts = chain.first().and_then(describe).unwrap_or_default();
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|error| TlsError::rejected("the certificate with its key", error))?;
        Ok(Self { key: Arc::new(key), facts })
    }
}

/// All certificates of a proxy. Immutable: a reload makes a new one.
#[derive(Debug)]
pub struct CertificateStore {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    all: Vec<StoredCertificate>,
    default: StoredCertificate,
}

impl CertificateStore {
    /// Indexes certificates by the names in them. Of two for one name the first stays.
    pub fn new(certificates: Vec<StoredCertificate>, default: StoredCertificate) -> Self {
        let mut by_name = HashMap::new();
        for certificate in &certificates {
            let facts = &certificate.facts;
            let common_name = facts.sans.is_empty().then(|| facts.common_name.to_ascii_lowercase());
            for name in facts.sans.iter().cloned().chain(common_name).filter(|name| !name.is_empty()) {
                by_name.entry(name).or_insert_with(|| certificate.key.clone());
            }
        }
        Self { by_name, all: certificates, default }
    }

    /// The certificate for a name: the exact one, else that of `*.` and all but the first label.
    pub fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self.by_name.get(&name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        })
    }

    /// The certificate for everyone else.
    pub fn default_certificate(&self) -> &StoredCertificate {
        &self.default
    }

    /// All certificates but the default.
    pub fn certificates(&self) -> &[StoredCertificate] {
        &self.all
    }
}
