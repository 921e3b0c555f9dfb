//! Services against real servers on the loopback interface.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use middleware::{Client, Handler, Request, Response, empty, full};
use service::Stopper;
use testkit::{HttpRecorder, eventually, free_port};

use crate::{
    Failover, Hosts, LoadBalancer, LoadBalancerConfig, ServerConfig, ServersTransportConfig, Service,
    Transport, Tunnels, Weighted, WeightedConfig,
};

fn transport(hosts: Hosts) -> Arc<Transport> {
    let mut config = ServersTransportConfig::default();
    config.forwarding_timeouts.response_header_timeout = config::GoDuration(Duration::from_secs(5));
    Arc::new(Transport::new(&config, Arc::new(hosts)).expect("holds"))
}

fn balancer(urls: &[&str], change: impl FnOnce(&mut LoadBalancerConfig)) -> LoadBalancer {
    let servers = urls.iter().map(|url| ServerConfig { url: (*url).to_owned(), ..ServerConfig::default() });
    let mut config = LoadBalancerConfig { servers: servers.collect(), ..LoadBalancerConfig::default() };
    change(&mut config);
    let tunnels = Tunnels::new(service::Stop::never());
    LoadBalancer::new("svc@test", &config, &transport(Hosts::new()), tunnels).expect("builds")
}

fn get(target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(empty());
    *request.uri_mut() = target.parse().expect("a target");
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a value");
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    let address = "192.0.2.9:5000".parse().expect("an address");
    request.extensions_mut().insert(Client { address, is_tls: false });
    request
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_request_arrives_fit_for_the_next_hop() {
    let server = HttpRecorder::answering(|request| {
        (StatusCode::OK, String::from_utf8_lossy(&request.body).into_owned())
    })
    .await;
    let service = balancer(&[&server.url("")], |_| {});
    for _ in 0..3 {
        let mut request = get(
            "/a/b?c=d",
            &[
                ("host", "example.org"),
                ("connection", "close, x-private"),
                ("x-private", "1"),
                ("x-forwarded-for", "10.0.0.1"),
                ("cookie", "a=1"),
                ("cookie", "b=2"),
            ],
        );
        *request.method_mut() = http::Method::POST;
        *request.body_mut() = full("ping");
        let response = service.handle(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "ping");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let seen = &requests[2];
    let header = |name: &str| seen.headers.get(name).map_or("-", |value| value.to_str().expect("text"));
    assert_eq!(seen.uri.to_string(), "/a/b?c=d");
    assert_eq!(header("host"), "example.org");
    assert_eq!(header("x-forwarded-for"), "10.0.0.1, 192.0.2.9");
    assert_eq!(header("x-private"), "-");
    assert_eq!(header("cookie"), "a=1; b=2");
}

#[tokio::test]
async fn names_can_be_mapped_and_the_host_hidden() {
    let server = HttpRecorder::start().await;
    let hosts = Hosts::from_iter([("prometheus".to_owned(), server.address())]);
    let servers = vec![ServerConfig {
        url: "http://Prometheus:9090/base/".to_owned(),
        weight: None,
        preserve_path: true,
    }];
    let config = LoadBalancerConfig { servers, pass_host_header: false, ..LoadBalancerConfig::default() };
    let tunnels = Tunnels::new(service::Stop::never());
    let service = LoadBalancer::new("svc", &config, &transport(hosts), tunnels).expect("builds");
    assert_eq!(service.handle(get("/x", &[("host", "example.org")])).await.status(), 200);
    let seen = &server.requests()[0];
    assert_eq!(seen.uri.path(), "/base/x");
    assert_eq!(seen.headers["host"], "prometheus:9090");
}

#[tokio::test]
async fn http2_in_the_clear_carries_the_client_s_host() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "hello".to_owned())).await;
    let service = balancer(&[&server.url("").replace("http://", "h2c://")], |_| {});
    for _ in 0..2 {
        let response = service.handle(get("/a?b", &[("host", "example.org"), ("te", "trailers, x")])).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "hello");
    }
    let seen = &server.requests()[1];
    assert_eq!(seen.uri.to_string(), "http://example.org/a?b");
    assert_eq!(seen.headers["te"], "trailers");
}

#[tokio::test]
async fn unreachable_is_502_and_nothing_is_503() {
    let service = balancer(&[&format!("http://127.0.0.1:{}", free_port())], |_| {});
    let response = service.handle(get("/", &[])).await;
    assert_eq!(response.status(), 502);
    assert!(response.extensions().get::<middleware::NetworkError>().is_some());
    assert_eq!(text(response).await, "Bad Gateway");
    let service = balancer(&[], |_| {});
    assert_eq!(service.handle(get("/", &[])).await.status(), 503);
}

#[tokio::test]
async fn a_slow_server_is_504() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut config = ServersTransportConfig::default();
    config.forwarding_timeouts.response_header_timeout = config::GoDuration(Duration::from_millis(30));
    let transport = Arc::new(Transport::new(&config, Arc::default()).expect("holds"));
    let config = LoadBalancerConfig {
        servers: vec![ServerConfig { url, ..ServerConfig::default() }],
        ..LoadBalancerConfig::default()
    };
    let tunnels = Tunnels::new(service::Stop::never());
    let service = LoadBalancer::new("svc", &config, &transport, tunnels).expect("builds");
    assert_eq!(service.handle(get("/", &[])).await.status(), 504);
}

#[tokio::test]
async fn a_closed_idle_connection_is_not_the_clients_problem() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await.expect("reads");
            // Says that it would go on, then closes.
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("writes");
        }
    });
    let service = balancer(&[&url], |_| {});
    for _ in 0..3 {
        let response = service.handle(get("/", &[("host", "x")])).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "ok");
    }
    server.await.expect("served three connections");
}

#[tokio::test]
async fn sticky_clients_stay() {
    let (a, b) = (HttpRecorder::start().await, HttpRecorder::start().await);
    let service = balancer(&[&a.url(""), &b.url("")], |config| {
        config.sticky = Some(crate::Sticky { cookie: Some(crate::Cookie::default()) });
    });
    let response = service.handle(get("/", &[])).await;
    let cookie = response.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.starts_with('_') && cookie.ends_with("; Path=/"), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    for _ in 0..3 {
        let response = service.handle(get("/", &[("cookie", &pair)])).await;
        assert!(!response.headers().contains_key("set-cookie"));
    }
    assert_eq!((a.requests().len(), b.requests().len()), (4, 0));
}

#[tokio::test]
async fn a_failed_check_takes_the_server_out() {
    let (good, bad) = (HttpRecorder::start().await, HttpRecorder::start().await);
    bad.answer(|request| match request.uri.path() {
        "/ready" => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        _ => (StatusCode::OK, String::new()),
    });
    let service = Arc::new(balancer(&[&good.url(""), &bad.url("")], |config| {
        config.health_check = Some(crate::HealthCheckConfig {
            path: "/ready".to_owned(),
            interval: config::GoDuration(Duration::from_millis(5)),
            ..crate::HealthCheckConfig::default()
        });
    }));
    let stopper = Stopper::new();
    let watch = tokio::spawn({
        let (service, stop) = (service.clone(), stopper.token());
        async move { service.watch(stop).await }
    });
    let states = || service.status().iter().map(|status| status.is_up).collect::<Vec<_>>();
    eventually("the bad server is out", || async { (states() == [true, false]).then_some(()) }).await;
    for _ in 0..4 {
        service.handle(get("/x", &[])).await;
    }
    assert!(bad.requests().iter().all(|request| request.uri.path() == "/ready"));
    bad.answer(|_| (StatusCode::OK, String::new()));
    eventually("it is back", || async { (states() == [true, true]).then_some(()) }).await;
    stopper.stop();
    watch.await.expect("ends");
}

#[tokio::test]
async fn groups() {
    let (a, b) = (HttpRecorder::start().await, HttpRecorder::start().await);
    let services: Vec<Arc<dyn Service>> =
        vec![Arc::new(balancer(&[&a.url("")], |_| {})), Arc::new(balancer(&[&b.url("")], |_| {}))];
    let member = |name: &str, weight| crate::GroupMember { name: name.to_owned(), weight: Some(weight) };
    let config =
        WeightedConfig { services: vec![member("a", 3), member("b", 1)], ..WeightedConfig::default() };
    let weighted = Weighted::new("w", &config, services).expect("builds");
    for _ in 0..8 {
        weighted.handle(get("/", &[])).await;
    }
    assert_eq!((a.requests().len(), b.requests().len()), (6, 2));

    let (a, b) = (Arc::new(balancer(&[], |_| {})), HttpRecorder::start().await);
    let failover = Failover { primary: a, fallback: Arc::new(balancer(&[&b.url("")], |_| {})) };
    assert!(failover.is_up());
    assert_eq!(failover.handle(get("/", &[])).await.status(), 200);
}

#[test]
fn what_cannot_be_built_says_why() {
    let check = |url: &str, change: fn(&mut LoadBalancerConfig), want: &str| {
        let servers = vec![ServerConfig { url: url.to_owned(), ..ServerConfig::default() }];
        let mut config = LoadBalancerConfig { servers, ..LoadBalancerConfig::default() };
        change(&mut config);
        let tunnels = Tunnels::new(service::Stop::never());
        let built = LoadBalancer::new("svc", &config, &transport(Hosts::new()), tunnels);
        let error = built.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(want), "{url}: {error}");
    };
    check("foobar", |_| {}, "error parsing server URL \"foobar\"");
    check("ftp://x", |_| {}, "is not http, https or h2c");
    check(
        "http://x",
        |config| config.strategy = "p2c".into(),
        "not supported yet: loadBalancer.strategy p2c",
    );
    check("http://x", |config| config.strategy = "x".into(), "unsupported load-balancer strategy");
    check(
        "http://x",
        |config| {
            config.health_check =
                Some(crate::HealthCheckConfig { mode: "grpc".into(), ..Default::default() });
        },
        "not supported yet: healthCheck.mode grpc",
    );
}
