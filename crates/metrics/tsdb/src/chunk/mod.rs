//! Chunks: some 120 samples of one series, compressed as the Gorilla paper describes, bit for bit as Prometheus writes them.
//!
//! ```text
//! ┌──────────────────┬──────────────┬───────────┬────────────────────┬────────────┬───────────────────┬────────────┬─────
//! │ samples <2b, BE> │ t0 <varint>  │ v0 <8b>   │ t1 - t0 <uvarint>  │ v1 xor v0  │ delta of delta t2 │ v2 xor v1  │ …
//! └──────────────────┴──────────────┴───────────┴────────────────────┴────────────┴───────────────────┴────────────┴─────
//! ```
//!
//! Everything behind the count is one stream of bits, most significant first.

mod bits;
mod cut;
mod decode;
mod xor;

#[cfg(test)]
mod tests;

pub(crate) use cut::{MAX_CHUNK_BYTES, SAMPLES_PER_CHUNK, predicted_end, range_end};
pub(crate) use decode::{decode_columns, decode_each, sample_count};
pub(crate) use xor::XorEncoder;

/// How a chunk's data is encoded: the byte before it on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Floats.
    Xor,
    /// Something this version does not decode.
    Other(u8),
}

impl Encoding {
    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Xor,
            other => Self::Other(other),
        }
    }

    pub(crate) fn as_byte(self) -> u8 {
        match self {
            Self::Xor => 1,
            Self::Other(byte) => byte,
        }
    }
}

/// Why a chunk could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The bits make no sense.
    #[error("chunk is corrupt: {0}")]
    Corrupt(&'static str),
    /// A kind of chunk that later versions will read.
    #[error("not supported yet: {}", describe(*.0))]
    Unsupported(u8),
}

fn describe(encoding: u8) -> String {
    match encoding {
        2 | 3 | 5 | 6 => "native histograms".to_owned(),
        4 => "XOR2 chunks".to_owned(),
        other => format!("chunk encoding {other}"),
    }
}
