//! Pushing over gRPC.

use std::sync::{Arc, Mutex};

use testkit::eventually;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use wire::loki::{
    PushRequest, PushResponse,
    pusher_server::{Pusher, PusherServer},
};

use crate::agent::{Agent, Setup};

#[derive(Clone, Default)]
struct Recording(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    tenants: Vec<String>,
    failures: usize,
}

#[tonic::async_trait]
impl Pusher for Recording {
    async fn push(&self, request: Request<PushRequest>) -> Result<Response<PushResponse>, Status> {
        let mut state = self.0.lock().expect("no panic");
        if state.failures > 0 {
            state.failures -= 1;
            return Err(Status::unavailable("not now"));
        }
        if let Some(tenant) = request.metadata().get("x-scope-orgid") {
            state.tenants.push(tenant.to_str().unwrap_or_default().to_owned());
        }
        let streams = request.into_inner().streams;
        state.lines.extend(streams.into_iter().flat_map(|stream| stream.entries).map(|entry| entry.line));
        Ok(Response::new(PushResponse {}))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_url_pushes_to_the_pusher_service() {
    let server = Recording::default();
    server.0.lock().expect("no panic").failures = 2;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(PusherServer::new(server.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let mut setup = Setup::new().await;
    setup.client = "    tenant_id: team\n".into();
    let config = setup.config().replace(&setup.loki.url("/loki/api/v1/push"), &format!("grpc://{address}"));
    setup.append("a.log", "1\n2\n");
    let agent = Agent::start(agentd::Options::text(config)).await;
    eventually("both lines", || async {
        (server.0.lock().expect("no panic").lines.len() >= 2).then_some(())
    })
    .await;
    agent.stop().await;
    let state = server.0.lock().expect("no panic");
    assert_eq!(state.lines, ["1", "2"]);
    assert_eq!(state.tenants[0], "team");
    serving.abort();
}
