//! Which request reaches which server, and what happens on the way.

use http::StatusCode;
use testkit::{HttpRecorder, free_port};

use crate::harness::{Proxy, STATIC, client, fetch, get};

async fn named(name: &'static str) -> HttpRecorder {
    HttpRecorder::answering(move |_| (StatusCode::OK, name.to_owned())).await
}

#[tokio::test]
async fn by_host_and_path() {
    let (a, b, c) = (named("a").await, named("b").await, named("c").await);
    let dynamic = format!(
        "http:\n  routers:\n    a: {{rule: 'Host(`a.org`)', service: a}}\n    b: {{rule: 'Host(`a.org`) && PathPrefix(`/b`)', service: b}}\n    \
         c: {{rule: 'PathPrefix(`/only`)', service: c, priority: 1000}}\n  services:\n    \
         a: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n    b: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n    \
         c: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        a.url(""),
        b.url(""),
        c.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic)]).await;
    let check = async |host: &str, path: &str, status: u16, body: &str| {
        let found = fetch(&proxy.url("web", path), host).await;
        assert_eq!((found.0, found.1.as_str()), (status, body), "{host}{path}");
    };
    check("a.org", "/", 200, "a").await;
    check("A.org:80", "/x?y", 200, "a").await;
    check("a.org", "/b/x", 200, "b").await;
    check("a.org", "//b/../b/./x", 200, "b").await;
    check("z.org", "/only", 200, "c").await;
    check("z.org", "/", 404, "404 page not found\n").await;
    let seen = &a.requests()[1];
    assert_eq!(seen.uri.to_string(), "/x?y");
    let header = |name: &str| seen.headers[name].to_str().expect("text");
    assert_eq!(header("host"), "A.org:80");
    assert_eq!(header("x-forwarded-host"), "A.org:80");
    assert_eq!(header("x-forwarded-port"), "80");
    assert_eq!(header("x-forwarded-proto"), "http");
    assert_eq!(header("x-forwarded-for"), "127.0.0.1");
    assert_eq!(header("x-real-ip"), "127.0.0.1");
    assert!(seen.headers.contains_key("x-forwarded-server"));
    proxy.stop().await;
}

#[tokio::test]
async fn middlewares_stand_in_order() {
    let server = HttpRecorder::start().await;
    let bcrypt = bcrypt::hash("bcrypt", 4).expect("hashes");
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: 'PathPrefix(`/prometheus`)', service: s, middlewares: [both]}}\n  middlewares:\n    \
         both: {{chain: {{middlewares: [auth, strip]}}}}\n    auth:\n      basicAuth:\n        users:\n          - \
         'admin:$apr1$testsalt$j7AAmGAhN8liB8qiU.irj1'\n          - 'second:{bcrypt}'\n    strip: {{stripPrefix: {{prefixes: [/prometheus]}}}}\n  \
         services:\n    s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        server.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic)]).await;
    let check = async |user: &str, password: &str, want: u16| {
        let request = client().get(proxy.url("web", "/prometheus/graph")).basic_auth(user, Some(password));
        assert_eq!(request.send().await.expect("answers").status().as_u16(), want, "{user}");
    };
    check("admin", "secret", 200).await;
    check("second", "bcrypt", 200).await;
    check("admin", "wrong", 401).await;
    let response = get(&proxy.url("web", "/prometheus/graph"), "x").await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"traefik\"");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].uri.path(), "/graph");
    assert_eq!(requests[0].headers["x-forwarded-prefix"], "/prometheus");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_502() {
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: 'Path(`/`)', service: s}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: \
         'http://127.0.0.1:{}'}}]}}}}\n",
        free_port()
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic)]).await;
    assert_eq!(fetch(&proxy.url("web", "/"), "x").await, (502, "Bad Gateway".to_owned()));
}

#[tokio::test]
async fn one_entry_point_can_send_everyone_to_another() {
    // The port stands in the redirection, so it has to be known before.
    let static_file = format!(
        "entryPoints:\n  web: {{address: '127.0.0.1:0', http: {{redirections: {{entryPoint: {{to: websecure}}}}}}}}\n  \
         websecure: {{address: '127.0.0.1:{}'}}\n",
        free_port()
    );
    let proxy = Proxy::start(&static_file, &[]).await;
    let response = get(&proxy.url("web", "/a?b"), "x.org").await;
    assert_eq!(response.status(), 301);
    let port = proxy.address("websecure").port();
    assert_eq!(response.headers()["location"].to_str().expect("text"), format!("https://x.org:{port}/a?b"));
}

#[tokio::test]
async fn forwarded_headers_are_believed_from_trusted_peers_only() {
    let server = HttpRecorder::start().await;
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: 'Path(`/`)', service: s}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        server.url("")
    );
    let static_file = "
entryPoints:
  web: {address: '127.0.0.1:0'}
  trusting: {address: '127.0.0.1:0', forwardedHeaders: {trustedIPs: [127.0.0.0/8]}}
";
    let proxy = Proxy::start(static_file, &[("a.yml", &dynamic)]).await;
    for entry_point in ["web", "trusting"] {
        let request = client().get(proxy.url(entry_point, "/"));
        let request = request.header("x-forwarded-for", "10.0.0.1").header("x-forwarded-proto", "https");
        assert_eq!(request.send().await.expect("answers").status(), 200);
    }
    let header =
        |at: usize, name: &str| server.requests()[at].headers[name].to_str().expect("text").to_owned();
    assert_eq!(header(0, "x-forwarded-for"), "127.0.0.1");
    assert_eq!(header(0, "x-forwarded-proto"), "http");
    assert_eq!(header(1, "x-forwarded-for"), "10.0.0.1, 127.0.0.1");
    assert_eq!(header(1, "x-forwarded-proto"), "https");
}

#[tokio::test]
async fn ambiguous_requests_are_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = HttpRecorder::start().await;
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: 'PathPrefix(`/`)', service: s}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: \
         '{}'}}]}}}}\n",
        server.url("")
    );
    let proxy = Proxy::start(STATIC, &[("a.yml", &dynamic)]).await;
    let check = async |request: &str| {
        let mut stream = tokio::net::TcpStream::connect(proxy.address("web")).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.expect("reads");
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 400", "{request}");
    };
    check("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd").await;
    check("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: x\r\n\r\n").await;
    check("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").await;
    check("GET / HTTP/1.1\r\n\r\n").await;
    assert!(server.requests().is_empty());
}
