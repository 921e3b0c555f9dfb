//! Encrypted connections: which certificate, which routers, which options.

use std::net::SocketAddr;

use http::StatusCode;
use rcgen::{CertificateParams, KeyPair};
use testkit::HttpRecorder;

use crate::harness::{Proxy, client_with};

const STATIC: &str = "
entryPoints:
  web: {address: '127.0.0.1:0'}
  secure: {address: '127.0.0.1:0', http: {tls: {certResolver: letsencrypt}}}
certificatesResolvers: {letsencrypt: {acme: {email: a@b.org, storage: acme.json, httpChallenge: {entryPoint: web}}}}
";

async fn fetch(address: SocketAddr, host: &str, path: &str) -> reqwest::Result<(u16, String, http::Version)> {
    let client = client_with(|builder| builder.resolve(host, address).tls_info(true));
    let response = client.get(format!("https://{host}:{}{path}", address.port())).send().await?;
    let (status, version) = (response.status().as_u16(), response.version());
    Ok((status, response.text().await?, version))
}

#[tokio::test]
async fn routers_with_tls_answer_encrypted_requests_only() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "hello".to_owned())).await;
    let dynamic = format!(
        "http:\n  routers:\n    tls: {{rule: 'Host(`a.org`)', service: s, entryPoints: [web, secure], tls: {{}}}}\n    \
         plain: {{rule: 'Host(`b.org`)', service: s, entryPoints: [web]}}\n    \
         default: {{rule: 'Host(`c.org`)', service: s, entryPoints: [secure]}}\n  \
         services:\n    s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        server.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic)]).await;
    let check = async |entry_point: &str, host: &str, want: u16| {
        let (status, _, version) = fetch(proxy.address(entry_point), host, "/").await.expect("answers");
        assert_eq!((status, version), (want, http::Version::HTTP_2), "{entry_point} {host}");
    };
    check("secure", "a.org", 200).await;
    check("web", "a.org", 200).await;
    check("web", "b.org", 404).await;
    check("secure", "c.org", 200).await;
    let plain = crate::harness::fetch(&proxy.url("web", "/"), "a.org").await;
    assert_eq!(plain.0, 404);
    assert_eq!(crate::harness::fetch(&proxy.url("web", "/"), "b.org").await.0, 200);
    let seen = &server.requests()[0];
    assert_eq!(seen.headers["x-forwarded-proto"], "https");
    let port = proxy.address("secure").port().to_string();
    assert_eq!(seen.headers["x-forwarded-port"].to_str().expect("text"), port);
    assert_eq!(
        seen.headers["host"].to_str().expect("text"),
        format!("a.org:{port}"),
        "the host of an HTTP/2 request arrives"
    );
}

fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    (params.self_signed(&key).expect("signs").pem(), key.serialize_pem())
}

#[tokio::test]
async fn the_client_s_name_chooses_certificate_and_options() {
    let server = HttpRecorder::start().await;
    let dir = tempfile::tempdir().expect("a folder");
    let (cert, key) = certificate("known.org");
    std::fs::write(dir.path().join("cert.pem"), &cert).expect("writes");
    std::fs::write(dir.path().join("key.pem"), key).expect("writes");
    let dynamic = format!(
        "http:\n  routers:\n    known: {{rule: 'Host(`known.org`)', service: s, tls: {{}}}}\n    \
         strict: {{rule: 'Host(`strict.org`)', service: s, tls: {{options: strict}}}}\n    \
         nowhere: {{rule: 'Host(`nowhere.org`)', service: s, tls: {{options: nope}}}}\n  services:\n    \
         s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\ntls:\n  certificates:\n    \
         - {{certFile: '{dir}/cert.pem', keyFile: '{dir}/key.pem'}}\n  options:\n    strict: {{sniStrict: true, minVersion: VersionTLS13}}\n",
        server.url(""),
        dir = dir.path().display(),
    );
    let static_file = format!("{STATIC}\napi: {{insecure: true}}\n");
    let proxy = Proxy::start(&static_file, &[("a.yml", &dynamic)]).await;
    let address = proxy.address("secure");
    // This client trusts that certificate alone, so an answer proves that it was shown.
    let trusting = reqwest::Client::builder()
        .no_proxy()
        .resolve("known.org", address)
        .tls_certs_only([reqwest::Certificate::from_pem(cert.as_bytes()).expect("PEM")])
        .build()
        .expect("a client");
    let answer = trusting.get(format!("https://known.org:{}/", address.port())).send().await;
    assert_eq!(answer.expect("trusts it").status(), 200);
    assert!(fetch(address, "strict.org", "/").await.is_err(), "no certificate for the name");
    assert_eq!(fetch(address, "nowhere.org", "/").await.expect("answers").0, 404);
    let router = {
        let url = format!("http://{}/api/http/routers/nowhere@file", proxy.address("traefik"));
        crate::harness::client().get(url).send().await.expect("answers").text().await.expect("text")
    };
    assert!(router.contains("unknown TLS options: nope@file"), "{router}");
    // A connection for one name does not serve another name with other options.
    let request = client_with(|builder| builder.resolve("known.org", address).http1_only());
    let request = request.get(format!("https://known.org:{}/", address.port())).header("host", "strict.org");
    assert_eq!(request.send().await.expect("answers").status(), 421);
}

#[tokio::test]
async fn servers_can_be_encrypted_too() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "hello".to_owned())).await;
    let inner = format!(
        "http:\n  routers:\n    r: {{rule: 'PathPrefix(`/`)', service: s, entryPoints: [secure]}}\n  services:\n    \
         s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        server.url("")
    );
    let inner = Proxy::start(STATIC, &[("a.yml", &inner)]).await;
    let url = format!("https://{}", inner.address("secure"));
    let outer = format!(
        "http:\n  routers:\n    lax: {{rule: 'Path(`/lax`)', service: lax, entryPoints: [web]}}\n    \
         careful: {{rule: 'Path(`/careful`)', service: careful, entryPoints: [web]}}\n  \
         serversTransports:\n    lax: {{insecureSkipVerify: true}}\n  services:\n    \
         lax: {{loadBalancer: {{serversTransport: lax, servers: [{{url: '{url}'}}]}}}}\n    \
         careful: {{loadBalancer: {{servers: [{{url: '{url}'}}]}}}}\n"
    );
    let outer = Proxy::start(STATIC, &[("a.yml", &outer)]).await;
    for _ in 0..2 {
        let found = crate::harness::fetch(&outer.url("web", "/lax"), "x.org").await;
        assert_eq!(found, (200, "hello".to_owned()));
    }
    assert_eq!(server.requests()[1].headers["host"], "x.org");
    // Nobody has signed the inner proxy's certificate.
    assert_eq!(crate::harness::fetch(&outer.url("web", "/careful"), "x.org").await.0, 502);
}
