//! Each middleware against a table of requests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{
    Body, BoxFuture, Client, Handler, MiddlewareConfig, NetworkError, Request, Response, Workshop, answer,
    build, empty, full,
    rate_limit::{Buckets, Verdict},
};

/// Remembers what it was asked and answers as told.
struct Upstream {
    seen: Mutex<Vec<http::request::Parts>>,
    answer: Box<dyn Fn(usize) -> Response + Send + Sync>,
}

impl Handler for Upstream {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let (parts, _) = request.into_parts();
        let mut seen = self.seen.lock();
        seen.push(parts);
        let response = (self.answer)(seen.len());
        Box::pin(async { response })
    }
}

fn upstream(answer: impl Fn(usize) -> Response + Send + Sync + 'static) -> Arc<Upstream> {
    Arc::new(Upstream { seen: Mutex::default(), answer: Box::new(answer) })
}

fn config(options: Value) -> MiddlewareConfig {
    serde_json::from_value(options).expect("options")
}

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: Body) -> Request {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().expect("a target");
    for (name, value) in headers {
        request.headers_mut().append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_str(value).expect("a value"),
        );
    }
    let address = "192.0.2.9:5000".parse().expect("an address");
    request.extensions_mut().insert(Client { address, is_tls: false });
    request
}

fn get(target: &str, headers: &[(&str, &str)]) -> Request {
    request(Method::GET, target, headers, empty())
}

async fn through(options: Value, request: Request) -> (Response, Option<http::request::Parts>) {
    let upstream = upstream(|_| answer(StatusCode::OK, "hello"));
    let handler = build(&config(options), &Workshop::default(), upstream.clone()).expect("builds");
    let response = handler.handle(request).await;
    let seen = upstream.seen.lock().pop();
    (response, seen)
}

fn header<'h>(headers: &'h http::HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("-", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn paths() {
    let check = async |options: Value, target: &str, want: &str, name: &str, value: &str| {
        let (_, seen) = through(options.clone(), get(target, &[])).await;
        let seen = seen.expect("reaches the server");
        assert_eq!(seen.uri.to_string(), want, "{options} {target}");
        assert_eq!(header(&seen.headers, name), value, "{options} {target}");
    };
    let strip = json!({"stripPrefix": {"prefixes": ["/prometheus", "/loki/"]}});
    check(strip.clone(), "/prometheus/graph?x=1", "/graph?x=1", "x-forwarded-prefix", "/prometheus").await;
    check(strip.clone(), "/prometheus", "/", "x-forwarded-prefix", "/prometheus").await;
    check(strip.clone(), "/prometheusx", "/x", "x-forwarded-prefix", "/prometheus").await;
    check(strip.clone(), "/loki/a", "/a", "x-forwarded-prefix", "/loki").await;
    check(strip, "/other", "/other", "x-forwarded-prefix", "-").await;
    let regex = json!({"stripPrefixRegex": {"regex": ["/a/[0-9]+"]}});
    check(regex.clone(), "/a/12/b", "/b", "x-forwarded-prefix", "/a/12").await;
    check(regex, "/x/a/12/b", "/x/a/12/b", "x-forwarded-prefix", "-").await;
    check(json!({"addPrefix": {"prefix": "/v1"}}), "/a?b", "/v1/a?b", "x-replaced-path", "-").await;
    check(json!({"addPrefix": {"prefix": "v1"}}), "/a", "/v1/a", "x-replaced-path", "-").await;
    check(json!({"replacePath": {"path": "/ü x"}}), "/a?b", "/%C3%BC%20x?b", "x-replaced-path", "/a").await;
    let replace = json!({"replacePathRegex": {"regex": "^/api/(.*)", "replacement": "/v2/$1"}});
    check(replace.clone(), "/api/x%20y", "/v2/x%20y", "x-replaced-path", "/api/x%20y").await;
    check(replace, "/other", "/other", "x-replaced-path", "-").await;
}

#[tokio::test]
async fn redirects() {
    let check = async |options: Value, request: Request, want: (u16, &str)| {
        let (response, _) = through(options.clone(), request).await;
        assert_eq!((response.status().as_u16(), header(response.headers(), "location")), want, "{options}");
    };
    let https = json!({"redirectScheme": {"scheme": "https", "permanent": true}});
    check(https.clone(), get("/a?b=c", &[("host", "x.org")]), (301, "https://x.org/a?b=c")).await;
    check(https.clone(), get("/", &[("host", "x.org:8080")]), (301, "https://x.org/")).await;
    let post = request(Method::POST, "/", &[("host", "x.org")], empty());
    check(https.clone(), post, (308, "https://x.org/")).await;
    check(https, get("/", &[("host", "x.org"), ("x-forwarded-proto", "https")]), (200, "-")).await;
    let port = json!({"redirectScheme": {"scheme": "https", "port": "8443"}});
    check(port, get("/", &[("host", "[::1]:80")]), (302, "https://[::1]:8443/")).await;
    let regex =
        json!({"redirectRegex": {"regex": "^http://([^/]+)/old/(.*)", "replacement": "https://${1}/new/$2"}});
    check(regex.clone(), get("/old/p?q", &[("host", "x.org")]), (302, "https://x.org/new/p?q")).await;
    check(regex, get("/p", &[("host", "x.org")]), (200, "-")).await;
}

#[tokio::test]
async fn basic_auth() {
    // admin:secret in MD5, bcrypt:bcrypt.
    let hash = bcrypt::hash("bcrypt", 4).expect("hashes");
    let options = json!({"basicAuth": {
        "users": ["admin:$apr1$testsalt$j7AAmGAhN8liB8qiU.irj1", format!("bcrypt:{hash}")],
        "removeHeader": true, "headerField": "X-User", "realm": "my \"place\"",
    }});
    let check = async |credentials: &str, want: u16| {
        let value =
            format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, credentials));
        let (response, seen) = through(options.clone(), get("/", &[("authorization", &value)])).await;
        assert_eq!(response.status().as_u16(), want, "{credentials}");
        if let Some(seen) = seen {
            assert_eq!(Some(header(&seen.headers, "x-user")), credentials.split(':').next());
            assert_eq!(header(&seen.headers, "authorization"), "-");
        }
    };
    check("admin:secret", 200).await;
    check("bcrypt:bcrypt", 200).await;
    check("admin:bcrypt", 401).await;
    check("nobody:secret", 401).await;
    check("nocolon", 401).await;
    let (response, _) = through(options, get("/", &[])).await;
    assert_eq!(header(response.headers(), "www-authenticate"), r#"Basic realm="my \"place\"""#);
}

#[tokio::test]
async fn secure_and_custom_headers() {
    let options = json!({"headers": {
        "stsSeconds": 31536000, "stsIncludeSubdomains": true, "stsPreload": true, "forceSTSHeader": true, "frameDeny": true,
        "contentTypeNosniff": true, "browserXssFilter": true, "referrerPolicy": "strict-origin-when-cross-origin",
        "customRequestHeaders": {"X-Remove": "", "X-Set": "1"}, "customResponseHeaders": {"Server": "", "X-Set": "2"},
    }});
    let (response, seen) = through(options, get("/", &[("x-remove", "y")])).await;
    let seen = seen.expect("reaches the server").headers;
    assert_eq!((header(&seen, "x-remove"), header(&seen, "x-set")), ("-", "1"));
    let check = |name: &str, want: &str| assert_eq!(header(response.headers(), name), want, "{name}");
    check("strict-transport-security", "max-age=31536000; includeSubDomains; preload");
    check("x-frame-options", "DENY");
    check("x-content-type-options", "nosniff");
    check("x-xss-protection", "1; mode=block");
    check("referrer-policy", "strict-origin-when-cross-origin");
    check("x-set", "2");
    let (response, _) = through(json!({"headers": {"stsSeconds": 5}}), get("/", &[])).await;
    assert_eq!(header(response.headers(), "strict-transport-security"), "-");
    let proxied = get("/", &[("x-forwarded-proto", "https")]);
    let (response, _) = through(json!({"headers": {"stsSeconds": 5}}), proxied).await;
    assert_eq!(header(response.headers(), "strict-transport-security"), "max-age=5");
    let hosts = json!({"headers": {"allowedHosts": ["a.org"]}});
    assert_eq!(through(hosts.clone(), get("/", &[("host", "a.org:80")])).await.0.status(), 200);
    assert_eq!(through(hosts, get("/", &[("host", "b.org")])).await.0.status(), 500);
}

#[tokio::test]
async fn cors() {
    let options = json!({"headers": {
        "accessControlAllowMethods": ["GET", "PUT"], "accessControlAllowOriginList": ["https://foo.bar.org"],
        "accessControlAllowOriginListRegex": ["^https://.*\\.example\\.com$"], "accessControlMaxAge": 100, "addVaryHeader": true,
    }});
    let preflight = [("origin", "https://foo.bar.org"), ("access-control-request-method", "PUT")];
    let (response, seen) = through(options.clone(), request(Method::OPTIONS, "/", &preflight, empty())).await;
    assert!(seen.is_none(), "a preflight is answered here");
    assert_eq!(header(response.headers(), "access-control-allow-methods"), "GET,PUT");
    assert_eq!(header(response.headers(), "access-control-allow-origin"), "https://foo.bar.org");
    assert_eq!(header(response.headers(), "access-control-max-age"), "100");
    let check = async |origin: &str, want: &str| {
        let (response, _) = through(options.clone(), get("/", &[("origin", origin)])).await;
        assert_eq!(header(response.headers(), "access-control-allow-origin"), want, "{origin}");
        assert_eq!(header(response.headers(), "vary"), "Origin");
    };
    check("https://a.example.com", "https://a.example.com").await;
    check("https://evil.org", "-").await;
}

#[test]
fn token_buckets() {
    let start = Instant::now();
    let mut buckets = Buckets::new(2.0, 2.0);
    let mut take = |source: &str, millis: u64| buckets.take(source, start + Duration::from_millis(millis));
    assert_eq!(take("a", 0), Verdict::Pass(Duration::ZERO));
    assert_eq!(take("a", 0), Verdict::Pass(Duration::ZERO));
    assert_eq!(take("a", 0), Verdict::Refuse(Duration::from_millis(500)));
    assert_eq!(take("b", 0), Verdict::Pass(Duration::ZERO));
    assert_eq!(take("a", 250), Verdict::Pass(Duration::from_millis(250)));
    assert_eq!(take("a", 250), Verdict::Refuse(Duration::from_millis(750)));
    for source in 0..200_000 {
        take(&source.to_string(), 300);
    }
    assert_eq!(take("c", 300), Verdict::Pass(Duration::ZERO));
}

#[tokio::test]
async fn limits_and_lists() {
    let limit = config(json!({"rateLimit": {"average": 1, "period": "1m", "burst": 2}}));
    let handler =
        build(&limit, &Workshop::default(), upstream(|_| answer(StatusCode::OK, ""))).expect("builds");
    for want in [200, 200, 429] {
        let response = handler.handle(get("/", &[])).await;
        assert_eq!(response.status().as_u16(), want);
        assert_eq!(response.headers().contains_key("retry-after"), want == 429);
    }

    let in_flight = config(json!({"inFlightReq": {"amount": 1}}));
    let handler =
        build(&in_flight, &Workshop::default(), upstream(|_| answer(StatusCode::OK, "x"))).expect("builds");
    let first = handler.handle(get("/", &[("host", "a")])).await;
    assert_eq!(handler.handle(get("/", &[("host", "a")])).await.status(), 429);
    assert_eq!(handler.handle(get("/", &[("host", "b")])).await.status(), 200);
    drop(first);
    assert_eq!(handler.handle(get("/", &[("host", "a")])).await.status(), 200);

    let check = async |options: Value, forwarded: &str, want: u16| {
        let (response, _) = through(options.clone(), get("/", &[("x-forwarded-for", forwarded)])).await;
        assert_eq!(response.status().as_u16(), want, "{options} {forwarded}");
    };
    check(json!({"ipAllowList": {"sourceRange": ["192.0.2.0/24"]}}), "10.0.0.1", 200).await;
    check(json!({"ipWhiteList": {"sourceRange": ["10.0.0.0/8"]}}), "10.0.0.1", 403).await;
    let depth = json!({"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 2}, "rejectStatusCode": 404}});
    check(depth.clone(), "10.0.0.1, 11.0.0.1", 200).await;
    check(depth, "10.0.0.1, 12.0.0.1, 11.0.0.1", 404).await;
    let excluded = json!({"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"excludedIPs": ["11.0.0.0/8"]}}});
    check(excluded, "10.0.0.1, 11.0.0.1", 200).await;
}

#[tokio::test]
async fn buffering_limits_sizes() {
    let post =
        |body: &'static str| request(Method::POST, "/", &[], full(Bytes::from_static(body.as_bytes())));
    let options = json!({"buffering": {"maxRequestBodyBytes": 4}});
    assert_eq!(through(options.clone(), post("1234")).await.0.status(), 200);
    assert_eq!(through(options, post("12345")).await.0.status(), 413);
    let options = json!({"buffering": {"maxResponseBodyBytes": 4}});
    assert_eq!(through(options, post("")).await.0.status(), 500);
}

#[tokio::test]
async fn retries_network_errors_only() {
    let check = async |failures: usize, attempts: u32, status: u16, asked: usize| {
        let upstream = upstream(move |nth| {
            let mut response = answer(StatusCode::OK, "");
            if nth <= failures {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response.extensions_mut().insert(NetworkError);
            }
            response
        });
        let options = config(json!({"retry": {"attempts": attempts}}));
        let handler = build(&options, &Workshop::default(), upstream.clone()).expect("builds");
        assert_eq!(handler.handle(get("/", &[])).await.status().as_u16(), status);
        assert_eq!(upstream.seen.lock().len(), asked);
    };
    check(0, 3, 200, 1).await;
    check(2, 3, 200, 3).await;
    check(9, 3, 502, 3).await;
}

#[tokio::test]
async fn compresses_what_is_worth_it() {
    let text = "compress me ".repeat(1000);
    let check = async |accept: &str, content_type: &'static str, body: &str, want: &str| {
        let body = body.to_owned();
        let upstream = upstream(move |_| {
            let mut response = answer(StatusCode::OK, body.clone());
            response.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            response
        });
        let options = config(json!({"compress": {"excludedContentTypes": ["image/png"]}}));
        let handler = build(&options, &Workshop::default(), upstream).expect("builds");
        let response = handler.handle(get("/", &[("accept-encoding", accept)])).await;
        assert_eq!(header(response.headers(), "content-encoding"), want, "{accept} {content_type}");
        response.into_body().collect().await.expect("a body").to_bytes()
    };
    let zipped = check("gzip, deflate", "text/plain", &text, "gzip").await;
    let mut unzipped = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*zipped), &mut unzipped).expect("gzip");
    assert_eq!(unzipped, text);
    let zipped = check("gzip;q=0.5, zstd", "text/plain", &text, "zstd").await;
    assert_eq!(zstd::decode_all(&*zipped).expect("zstd"), text.as_bytes());
    check("gzip;q=0", "text/plain", &text, "-").await;
    check("gzip", "image/png", &text, "-").await;
    check("gzip", "application/grpc+proto", &text, "-").await;
    check("gzip", "text/plain", "short", "-").await;
}

#[test]
fn what_cannot_be_built_says_why() {
    let check = |options: Value, want: &str| {
        let upstream = upstream(|_| answer(StatusCode::OK, ""));
        let error = match build(&config(options.clone()), &Workshop::default(), upstream) {
            Ok(_) => panic!("{options} builds"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(want), "{options}: {error}");
    };
    check(json!({"forwardAuth": {"address": "x"}}), "not supported yet: middleware type forwardAuth");
    check(json!({}), "no type");
    check(json!({"addPrefix": {"prefix": "/a"}, "retry": {"attempts": 1}}), "multi-types middleware");
    check(json!({"addPrefix": {}}), "addPrefix.prefix");
    check(json!({"redirectRegex": {"regex": "("}}), "redirectRegex.regex: error parsing regexp");
    check(json!({"basicAuth": {"users": ["x"]}}), "user:hash");
    check(json!({"ipAllowList": {"sourceRange": ["x"]}}), "invalid IP address");
    check(json!({"rateLimit": {"average": 1, "redis": {}}}), "not supported yet: rateLimit.redis");
    let unknown = serde_json::from_value::<MiddlewareConfig>(json!({"addPrefix": {"prefx": "/a"}}));
    assert!(unknown.expect_err("unknown").to_string().contains("unknown field `prefx`"));
}
