//! Reading compressed chunks, for those who send them on as they are: remote read, Thanos' StoreAPI.

use bytes::Bytes;
use model::{Labels, Matcher, Millis};

use crate::{QueryError, SelectHints};

/// Something whose chunks can be queried.
pub trait ChunkQueryable: Send + Sync {
    /// Opens a view on the samples in `[min_time, max_time]`, both inclusive, in milliseconds. It is as consistent as
    /// [`crate::Queryable::querier`] says, and decoding its chunks gives the very samples that the other has.
    fn chunk_querier(&self, min_time: Millis, max_time: Millis) -> Result<Box<dyn ChunkQuerier>, QueryError>;
}

/// A view on a time range.
pub trait ChunkQuerier: Send + Sync {
    /// The series that satisfy all matchers, sorted by their labels. Without matchers: all series.
    ///
    /// A chunk that crosses an end of the view's range is cut there, unless `hints.disable_trimming` says that its other samples do no
    /// harm.
    fn select_chunks(
        &self,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> Result<Box<dyn ChunkSeriesSet>, QueryError>;
}

/// Series in order of their labels; each label set occurs once.
pub trait ChunkSeriesSet: Send {
    /// The next series. An error ends the set.
    fn next(&mut self) -> Option<Result<ChunkSeries, QueryError>>;
}

/// One series of a result.
pub struct ChunkSeries {
    /// Its labels, with the metric name.
    pub labels: Labels,
    /// Its chunks. Independent of the set and of other series. There may be none, where what the series has lies beside the range.
    pub chunks: Box<dyn ChunkReader>,
}

/// Reads the chunks of one series.
pub trait ChunkReader: Send {
    /// The next chunk: it begins behind the end of the one before. An error ends the series.
    ///
    /// A chunk that has nothing to hide and shares no time with another is what is stored, without a copy. The others are encoded anew,
    /// into chunks of the usual size. Memory does not grow with their number.
    fn next(&mut self) -> Option<Result<Chunk, QueryError>>;
}

/// Compressed samples of one kind, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Time of the first sample.
    pub min_time: Millis,
    /// Time of the last sample.
    pub max_time: Millis,
    /// How `data` is to be read.
    pub encoding: ChunkEncoding,
    /// The chunk as Prometheus writes it, without length, encoding and checksum. It stays readable whatever becomes of its file.
    pub data: Bytes,
}

/// How a chunk is encoded. Every receiver knows these; what newer versions of Prometheus have beside them is encoded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChunkEncoding {
    /// Floats.
    Xor,
    /// Native histograms with integer counts.
    Histogram,
    /// Native histograms with float counts.
    FloatHistogram,
}

// === impl ChunkEncoding ===

impl ChunkEncoding {
    /// The number for it on the wire (`prometheus.Chunk.Encoding`), which is also the one on disk.
    pub fn number(self) -> u8 {
        match self {
            Self::Xor => 1,
            Self::Histogram => 2,
            Self::FloatHistogram => 3,
        }
    }
}

impl std::fmt::Debug for ChunkSeries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSeries").field("labels", &self.labels).finish_non_exhaustive()
    }
}
