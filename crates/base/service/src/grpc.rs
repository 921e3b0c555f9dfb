//! gRPC servers: a daemon's services with health checking and reflection beside them, on a port of their own.

use std::{net::SocketAddr, time::Duration};

use tokio_stream::wrappers::TcpListenerStream;
use tonic::{service::Routes, transport::Server};
use tracing::{error, info};

use crate::{BindError, Stop, http::bind_listener};

/// A bound socket for gRPC.
#[derive(Debug)]
pub struct GrpcServer {
    listener: tokio::net::TcpListener,
    local_address: SocketAddr,
}

impl GrpcServer {
    /// Binds `host:port` or `:port`.
    pub async fn bind(address: &str) -> Result<Self, BindError> {
        let socket = |source| BindError::Socket { address: address.to_owned(), source };
        let listener = bind_listener(address).await.map_err(socket)?;
        let local_address = listener.local_addr().map_err(socket)?;
        Ok(Self { listener, local_address })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves `services` until the stop, then lets open calls finish. `descriptors` are the encoded file descriptor sets of their
    /// protocols, for reflection.
    pub async fn serve(self, services: Routes, descriptors: &[&'static [u8]], stop: Stop) {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let mut routes = services.add_service(health);
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        for descriptor in descriptors {
            reflection = reflection.register_encoded_file_descriptor_set(descriptor);
        }
        match reflection.build_v1() {
            Ok(service) => routes = routes.add_service(service),
            Err(error) => {
                error!(%error, "BUG: protocol descriptors do not decode, serving without reflection");
            }
        }
        info!(address = %self.local_address, "listening for gRPC");
        let served = Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .max_concurrent_streams(250)
            .add_routes(routes)
            .serve_with_incoming_shutdown(TcpListenerStream::new(self.listener), stop.requested())
            .await;
        if let Err(error) = served {
            error!(%error, "gRPC server ended");
        }
    }
}
