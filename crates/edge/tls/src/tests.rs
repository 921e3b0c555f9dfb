//! Certificates, names and options.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use rcgen::{CertificateParams, DnType, KeyPair};

use crate::{
    CertificateFile, CertificateStore, ClientOptions, ServerOptions, StoredCertificate, TlsOptions,
    default_certificate,
};

fn certificate(common_name: &str, names: &[&str]) -> StoredCertificate {
    let key = KeyPair::generate().expect("a key");
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut params = CertificateParams::new(names).expect("parameters");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let certificate = params.self_signed(&key).expect("signs");
    StoredCertificate::load(&CertificateFile {
        cert_file: config::Secret::new(certificate.pem()),
        key_file: config::Secret::new(key.serialize_pem()),
        stores: Vec::new(),
    })
    .expect("loads")
}

#[test]
fn exact_beats_wildcard_beats_nothing() {
    let store = CertificateStore::new(
        vec![
            certificate("wild", &["*.example.com"]),
            certificate("exact", &["a.example.com", "127.0.0.1"]),
            certificate("later", &["a.example.com"]),
            certificate("cn.example.org", &[]),
        ],
        certificate("default", &["default"]),
    );
    let check = |name: &str, want: Option<&str>| {
        let found = store.find(name).map(|key| {
            let facts = crate::describe(&key.cert[0]).expect("parses");
            facts.common_name
        });
        assert_eq!(found.as_deref(), want, "{name}");
    };
    check("a.example.com", Some("exact"));
    check("A.Example.com.", Some("exact"));
    check("b.example.com", Some("wild"));
    check("b.c.example.com", None);
    check("example.com", None);
    check("cn.example.org", Some("cn.example.org"));
    check("127.0.0.1", Some("exact"));
    check("", None);
    assert_eq!(store.default_certificate().facts.sans, ["default"]);
}

#[test]
fn the_default_certificate_is_kept_for_its_owner_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = default_certificate(Some(dir.path())).expect("made");
    assert_eq!(first.facts.common_name, "TRAEFIK DEFAULT CERT");
    let path = dir.path().join("default-certificate.pem");
    assert_eq!(std::fs::metadata(&path).expect("kept").permissions().mode() & 0o777, 0o600);
    let second = default_certificate(Some(dir.path())).expect("read");
    assert_eq!(first.facts, second.facts);
    std::fs::write(&path, "broken").expect("writes");
    let third = default_certificate(Some(dir.path())).expect("made anew");
    assert_ne!(first.facts.serial, third.facts.serial);
}

fn options(change: impl FnOnce(&mut TlsOptions)) -> Result<Arc<rustls::ServerConfig>, String> {
    let mut options = TlsOptions::default();
    change(&mut options);
    let store = Arc::new(CertificateStore::new(Vec::new(), certificate("default", &["default"])));
    ServerOptions { options: &options, store }.build().map_err(|error| error.to_string())
}

#[test]
fn options_are_checked() {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let seed = options(|options| {
        options.min_version = "VersionTLS12".into();
        options.cipher_suites = strings(&[
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        ]);
    })
    .expect("holds");
    assert_eq!(
        seed.crypto_provider().cipher_suites.iter().filter(|suite| suite.tls13().is_none()).count(),
        3
    );
    assert_eq!(seed.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    options(|options| options.min_version = "VersionTLS10".into()).expect("holds, with a warning");
    options(|options| options.cipher_suites = strings(&["TLS_RSA_WITH_AES_128_CBC_SHA"]))
        .expect("TLS 1.3 is left");

    let check = |change: fn(&mut TlsOptions), want: &str| {
        let error = options(change).expect_err(want);
        assert!(error.contains(want), "{error}");
    };
    check(|options| options.min_version = "1.2".into(), "minVersion: invalid TLS version: 1.2");
    check(|options| options.max_version = "VersionTLS11".into(), "no TLS version is left");
    check(|options| options.cipher_suites = vec!["X".into()], "cipherSuites: invalid cipher suite: X");
    check(|options| options.curve_preferences = vec!["X".into()], "curvePreferences: invalid curve: X");
    check(
        |options| options.client_auth.client_auth_type = "RequireAnyClientCert".into(),
        "not supported yet: clientAuth.clientAuthType RequireAnyClientCert",
    );
    check(|options| options.client_auth.client_auth_type = "X".into(), "unknown client auth type");
    check(
        |options| options.client_auth.client_auth_type = "RequireAndVerifyClientCert".into(),
        "clientAuth does not hold",
    );
}

#[test]
fn files_that_do_not_fit_say_so() {
    let load = |cert: &str, key: &str| {
        StoredCertificate::load(&CertificateFile {
            cert_file: config::Secret::new(cert),
            key_file: config::Secret::new(key),
            stores: Vec::new(),
        })
        .expect_err("does not fit")
        .to_string()
    };
    assert_eq!(load("/nowhere/cert.pem", "/nowhere/key.pem"), "cannot read `/nowhere/cert.pem`");
    let key = KeyPair::generate().expect("a key");
    let other = KeyPair::generate().expect("a key").serialize_pem();
    let params = CertificateParams::new(vec!["a".to_owned()]).expect("parameters");
    let pem = params.self_signed(&key).expect("signs").pem();
    assert_eq!(load(&pem, &other), "the certificate with its key does not hold");
    ClientOptions { insecure_skip_verify: true, ..ClientOptions::default() }.build().expect("builds");
    let unknown = ClientOptions { min_version: "x", ..ClientOptions::default() };
    assert!(unknown.build().is_err());
}
