//! What is not one request and one answer: WebSockets, streams, the drain.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{WebSocketUpgrade, ws::Message},
    routing::{get, post},
};
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::harness::{Proxy, STATIC, client};

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    url
}

async fn proxy_to(url: &str) -> Proxy {
    let dynamic = format!(
        "http:\n  routers:\n    r: {{rule: 'PathPrefix(`/`)', service: s}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: \
         '{url}'}}]}}}}\n"
    );
    Proxy::start(STATIC, &[("a.yml", &dynamic)]).await
}

#[tokio::test]
async fn a_websocket_echoes() {
    let echo = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(message)) = socket.recv().await {
                if let Message::Text(text) = message {
                    socket.send(Message::Text(text)).await.expect("sends");
                }
            }
        })
    };
    let url = serve(Router::new().route("/ws", get(echo))).await;
    let proxy = proxy_to(&url).await;
    let mut stream = TcpStream::connect(proxy.address("web")).await.expect("connects");
    let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("reads"));
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    // A masked text frame with "hi" (RFC 6455 §5.2); the mask is zero, so the payload stays readable.
    stream.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).await.expect("writes");
    let mut frame = [0; 4];
    stream.read_exact(&mut frame).await.expect("reads");
    assert_eq!(frame, [0x81, 2, b'h', b'i']);
    // The tunnel does not hold up the stop.
    proxy.stop().await;
}

#[tokio::test]
async fn answers_stream_as_they_come() {
    let (release, released) = mpsc::channel::<()>(1);
    let released = std::sync::Arc::new(tokio::sync::Mutex::new(released));
    let app = Router::new().route(
        "/",
        get(move || {
            let released = released.clone();
            async move {
                let parts = futures_util::stream::unfold(0, move |at| {
                    let released = released.clone();
                    async move {
                        match at {
                            0 => Some((Ok::<_, Infallible>(Bytes::from("first")), 1)),
                            1 => {
                                released.lock().await.recv().await;
                                Some((Ok(Bytes::from("second")), 2))
                            }
                            _ => None,
                        }
                    }
                });
                Body::from_stream(parts)
            }
        }),
    );
    let url = serve(app).await;
    let proxy = proxy_to(&url).await;
    let response = client().get(proxy.url("web", "/")).send().await.expect("answers");
    let mut body = response.bytes_stream();
    assert_eq!(body.next().await.expect("a part").expect("whole"), "first");
    // The server waits for this: had the proxy waited for the whole answer, the first part would not be here.
    release.send(()).await.expect("waits");
    assert_eq!(body.next().await.expect("a part").expect("whole"), "second");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn requests_stream_as_they_come() {
    let (parts, mut arrived) = mpsc::channel::<Bytes>(8);
    let app = Router::new().route(
        "/",
        post(move |body: Body| {
            let parts = parts.clone();
            async move {
                let mut body = body.into_data_stream();
                while let Some(Ok(part)) = body.next().await {
                    parts.send(part).await.expect("waits");
                }
                "done"
            }
        }),
    );
    let url = serve(app).await;
    let proxy = proxy_to(&url).await;
    let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    let body = futures_util::stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|part| (part, receive))
    });
    let request = client().post(proxy.url("web", "/")).body(reqwest::Body::wrap_stream(body));
    let answer = tokio::spawn(async move { request.send().await.expect("answers").text().await });
    for part in ["one", "two"] {
        send.send(Ok(Bytes::from(part))).await.expect("waits");
        assert_eq!(arrived.recv().await.expect("arrives"), part);
    }
    drop(send);
    assert_eq!(answer.await.expect("no panic").expect("text"), "done");
}

#[tokio::test]
async fn open_requests_finish_and_new_ones_find_no_one() {
    let (entered, mut inside) = mpsc::channel::<()>(1);
    let (release, released) = mpsc::channel::<()>(1);
    let released = std::sync::Arc::new(tokio::sync::Mutex::new(released));
    let app = Router::new().route(
        "/",
        get(move || {
            let (entered, released) = (entered.clone(), released.clone());
            async move {
                entered.send(()).await.expect("waits");
                released.lock().await.recv().await;
                "finished"
            }
        }),
    );
    let url = serve(app).await;
    let proxy = proxy_to(&url).await;
    let address = proxy.address("web");
    let request = client().get(proxy.url("web", "/"));
    let answer = tokio::spawn(async move { request.send().await.expect("answers").text().await });
    inside.recv().await.expect("the request is under way");
    proxy.request_stop();
    testkit::eventually("the port is closed", || async {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    release.send(()).await.expect("waits");
    assert_eq!(answer.await.expect("no panic").expect("text"), "finished");
    tokio::time::timeout(Duration::from_secs(20), proxy.stop()).await.expect("ends");
}
