//! Towards clients: one entry of `tls.options` as a server configuration.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};

use crate::{CertificateStore, TlsError, TlsOptions, names, pem};

/// Options of one name together with the certificates.
#[derive(Debug)]
pub struct ServerOptions<'a> {
    /// What the file says.
    pub options: &'a TlsOptions,
    /// Where certificates are found.
    pub store: Arc<CertificateStore>,
}

impl ServerOptions<'_> {
    /// Checks the options and makes the configuration.
    ///
    /// # Errors
    /// Names that are not known, authorities that cannot be read, kinds of client authentication without verification.
    pub fn build(self) -> Result<Arc<ServerConfig>, TlsError> {
        let Self { options, store } = self;
        let TlsOptions {
            min_version,
            max_version,
            cipher_suites,
            curve_preferences,
            client_auth,
            sni_strict,
            alpn_protocols,
            disable_session_tickets,
            prefer_server_cipher_suites: _,
        } = options;
        let mut provider = aws_lc_rs::default_provider();
        let versions = names::versions(min_version, max_version)?;
        provider.cipher_suites = names::cipher_suites(&provider, cipher_suites)?;
        names::restrict_groups(&mut provider, curve_preferences)?;
        let provider = Arc::new(provider);
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .map_err(|error| TlsError::rejected("the combination of versions and cipher suites", error))?;
        let authorities = || -> Result<Arc<RootCertStore>, TlsError> {
            pem::roots("clientAuth.caFiles", &client_auth.ca_files).map(Arc::new)
        };
        let verifier = |roots| WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
        let rejected = |error| TlsError::rejected("clientAuth", error);
        let with_auth = match client_auth.client_auth_type.as_str() {
            "" | "NoClientCert" => builder.with_no_client_auth(),
            "VerifyClientCertIfGiven" => builder.with_client_cert_verifier(
                verifier(authorities()?).allow_unauthenticated().build().map_err(rejected)?,
            ),
            "RequireAndVerifyClientCert" => {
                builder.with_client_cert_verifier(verifier(authorities()?).build().map_err(rejected)?)
            }
            kind @ ("RequestClientCert" | "RequireAnyClientCert") => {
                return Err(TlsError::NotSupported(format!("clientAuth.clientAuthType {kind}")));
            }
            kind => {
                return Err(TlsError::value(
                    "clientAuth.clientAuthType",
                    format!("unknown client auth type {kind:?}"),
                ));
            }
        };
        let mut config = with_auth.with_cert_resolver(Arc::new(Resolver { store, is_strict: *sni_strict }));
        config.alpn_protocols = if alpn_protocols.is_empty() {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            // The ACME challenge's protocol is nothing to speak with clients.
            let spoken = alpn_protocols.iter().filter(|name| *name != "acme-tls/1");
            spoken.map(|name| name.clone().into_bytes()).collect()
        };
        if *disable_session_tickets {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Ok(Arc::new(config))
    }
}

#[derive(Debug)]
struct Resolver {
    store: Arc<CertificateStore>,
    is_strict: bool,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = hello.server_name().and_then(|name| self.store.find(name));
        match found {
            Some(key) => Some(key.clone()),
            None if self.is_strict => None,
            None => Some(self.store.default_certificate().key.clone()),
        }
    }
}
