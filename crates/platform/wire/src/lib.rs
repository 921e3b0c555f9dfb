//! Wire formats: generated protobuf types, and decoders of our own where a request is too hot to be copied into them.
//!
//! The generated code is made from `proto/` by `cargo run -p xtask -- codegen` and committed.

#![forbid(unsafe_code)]

pub mod loki_push;
mod protobuf;
pub mod remote_write;
mod snappy;

/// Prometheus' remote protocols.
#[allow(missing_docs, clippy::all)]
pub mod prometheus {
    include!("generated/prometheus.rs");
}

/// Loki's push protocol, with the gRPC service `logproto.Pusher`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod loki {
    include!("generated/loki.rs");

    /// The encoded descriptors of this protocol, for gRPC reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!("generated/loki.bin");
}

pub use protobuf::DecodeError;
pub use snappy::{SnappyError, snappy_compress, snappy_decompress};
