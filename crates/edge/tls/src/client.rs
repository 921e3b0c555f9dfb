//! Towards servers: the TLS side of a `serversTransport`.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};

use crate::{CertificateFile, TlsError, names, pem};

/// Where systems keep the authorities they trust.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How to trust and be trusted by servers.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions<'a> {
    /// Trust whoever answers.
    pub insecure_skip_verify: bool,
    /// Authorities to trust, files or PEM; the system's if empty.
    pub root_cas: &'a [String],
    /// What to show when asked; the first is used.
    pub certificates: &'a [CertificateFile],
    /// As in `tls.options`.
    pub min_version: &'a str,
    /// As in `tls.options`.
    pub max_version: &'a str,
    /// As in `tls.options`.
    pub cipher_suites: &'a [String],
}

impl ClientOptions<'_> {
    /// Checks the options and makes the configuration, without ALPN.
    ///
    /// # Errors
    /// Names that are not known, files that cannot be read, several certificates.
    pub fn build(&self) -> Result<ClientConfig, TlsError> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = names::cipher_suites(&provider, self.cipher_suites)?;
        let provider = Arc::new(provider);
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&names::versions(self.min_version, self.max_version)?)
            .map_err(|error| TlsError::rejected("the combination of versions and cipher suites", error))?;
        let builder = if self.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustEveryone(provider)))
        } else if self.root_cas.is_empty() {
            builder.with_root_certificates(system_roots())
        } else {
            builder.with_root_certificates(pem::roots("rootCAs", self.root_cas)?)
        };
        match self.certificates {
            [] => Ok(builder.with_no_client_auth()),
            [file] => {
                let chain = pem::certificates("certFile", file.cert_file.expose())?;
                let key = pem::private_key("keyFile", file.key_file.expose())?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| TlsError::rejected("the certificate with its key", error))
            }
            _ => Err(TlsError::NotSupported("several certificates in one serversTransport".to_owned())),
        }
    }
}

/// The first bundle there is; certificates in it that do not parse are passed over, as everyone does.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let bundle = SYSTEM_BUNDLES.iter().find(|path| Path::new(path).is_file());
    let pem = bundle.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let certificates = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
    roots.add_parsable_certificates(certificates);
    roots
}

/// `insecureSkipVerify`: the signature of the handshake is checked, who made it is not.
#[derive(Debug)]
struct TrustEveryone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustEveryone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
