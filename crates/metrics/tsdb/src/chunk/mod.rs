//! Chunks: some 120 samples of one series, compressed, bit for bit as Prometheus writes them (`tsdb/docs/format/chunks.md`).
//!
//! Floats are compressed as the Gorilla paper describes:
//!
//! ```text
//! ┌──────────────────┬──────────────┬───────────┬────────────────────┬────────────┬───────────────────┬────────────┬─────
//! │ samples <2b, BE> │ t0 <varint>  │ v0 <8b>   │ t1 - t0 <uvarint>  │ v1 xor v0  │ delta of delta t2 │ v2 xor v1  │ …
//! └──────────────────┴──────────────┴───────────┴────────────────────┴────────────┴───────────────────┴────────────┴─────
//! ```
//!
//! Everything behind the count is one stream of bits, most significant first. `xor2` draws the newer form for floats, `histogram` the one
//! for native histograms. [`decode`] reads all of them.

mod bits;
mod cut;
mod decode;
mod histogram;
mod start_time;
mod varbit;
mod window;
mod xor;
mod xor2;

#[cfg(test)]
pub(crate) mod peer_tests;
#[cfg(test)]
mod tests;

pub(crate) use cut::{
    HISTOGRAM_CHUNK_BYTES, HistogramCut, MAX_CHUNK_BYTES, MIN_HISTOGRAMS_PER_CHUNK, SAMPLES_PER_CHUNK,
    predicted_end, range_end,
};
#[cfg(test)]
pub(crate) use decode::decode_columns;
pub(crate) use decode::{Newest, decode, decode_each, decode_newest};
pub(crate) use histogram::{Appended, Flavor, Floats, HistogramEncoder, Integers, decode_histograms};
pub(crate) use xor::XorEncoder;
pub(crate) use xor2::{Xor2Encoder, decode_xor2};

use storage::ChunkEncoding;

/// How a chunk's data is encoded: the byte before it on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Floats.
    Xor,
    /// Native histograms with integer counts.
    Histogram,
    /// Native histograms with float counts.
    FloatHistogram,
    /// Floats, the time and the value of a sample told together.
    Xor2,
    /// [`Encoding::Histogram`] with start times.
    HistogramSt,
    /// [`Encoding::FloatHistogram`] with start times.
    FloatHistogramSt,
}

impl Encoding {
    const ALL: [Self; 6] = [
        Self::Xor,
        Self::Histogram,
        Self::FloatHistogram,
        Self::Xor2,
        Self::HistogramSt,
        Self::FloatHistogramSt,
    ];

    /// The encoding that `byte` stands for.
    pub(crate) fn from_byte(byte: u8) -> Result<Self, ChunkError> {
        Self::ALL.into_iter().find(|known| known.as_byte() == byte).ok_or(ChunkError::Unsupported(byte))
    }

    pub(crate) fn as_byte(self) -> u8 {
        match self {
            Self::Xor => 1,
            Self::Histogram => 2,
            Self::FloatHistogram => 3,
            Self::Xor2 => 4,
            Self::HistogramSt => 5,
            Self::FloatHistogramSt => 6,
        }
    }

    /// The same encoding for those who read chunks, if all of them know it.
    pub(crate) fn on_the_wire(self) -> Option<ChunkEncoding> {
        match self {
            Self::Xor => Some(ChunkEncoding::Xor),
            Self::Histogram => Some(ChunkEncoding::Histogram),
            Self::FloatHistogram => Some(ChunkEncoding::FloatHistogram),
            Self::Xor2 | Self::HistogramSt | Self::FloatHistogramSt => None,
        }
    }

    /// Whether its samples are native histograms.
    pub(crate) fn holds_histograms(self) -> bool {
        !matches!(self, Self::Xor | Self::Xor2)
    }

    /// Number of samples in a chunk of this encoding.
    pub(crate) fn sample_count(self, chunk: &[u8]) -> Result<u16, ChunkError> {
        let header = chunk.first_chunk::<2>().ok_or(ChunkError::Corrupt("ends too early"))?;
        let count = u16::from_be_bytes(*header);
        match self {
            // The upper two bits tell about counter resets.
            Self::HistogramSt | Self::FloatHistogramSt => Ok(count & 0x3fff),
            Self::Xor | Self::Xor2 | Self::Histogram | Self::FloatHistogram => Ok(count),
        }
    }
}

/// Why a chunk could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The bits make no sense.
    #[error("chunk is corrupt: {0}")]
    Corrupt(&'static str),
    /// A kind of chunk that this version does not know.
    #[error("not supported: chunk encoding {0}")]
    Unsupported(u8),
    /// A resolution that this version does not know.
    #[error("not supported: histograms with schema {0}")]
    UnknownSchema(i64),
}
