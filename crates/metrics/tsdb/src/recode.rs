//! Chunks taken apart and put together again, where samples are left out of them or chunks share time. Integer histograms stay what they
//! are, other than in queries.

use std::{mem, ops::ControlFlow};

use model::{Columns, FloatHistogram, Histogram, HistogramPoint, Millis};
use storage::HistogramSample;

use crate::{
    block::BlockChunk,
    chunk::{
        Appended, ChunkError, Encoding, Flavor, Floats, HISTOGRAM_CHUNK_BYTES, HistogramEncoder, Integers,
        MIN_HISTOGRAMS_PER_CHUNK, SAMPLES_PER_CHUNK, XorEncoder, decode_each, decode_histograms, decode_xor2,
    },
    metrics::SampleType,
};

/// A sample of any kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sample {
    Float(f64),
    Histogram(Box<Histogram>),
    FloatHistogram(Box<FloatHistogram>),
}

impl From<HistogramSample<'_>> for Sample {
    fn from(histogram: HistogramSample<'_>) -> Self {
        match histogram {
            HistogramSample::Integer(histogram) => Self::Histogram(Box::new(histogram.clone())),
            HistogramSample::Float(histogram) => Self::FloatHistogram(Box::new(histogram.clone())),
        }
    }
}

impl Sample {
    pub(crate) fn sample_type(&self) -> SampleType {
        match self {
            Self::Float(_) => SampleType::Float,
            Self::Histogram(_) | Self::FloatHistogram(_) => SampleType::Histogram,
        }
    }

    /// Adds it to columns, in which it is the newest of its kind.
    pub(crate) fn push_to(&self, timestamp: Millis, columns: &mut Columns) {
        let histogram = match self {
            Self::Float(value) => return columns.push(timestamp, *value),
            Self::Histogram(histogram) => histogram.to_float(),
            Self::FloatHistogram(histogram) => (**histogram).clone(),
        };
        columns.histograms.push(HistogramPoint { timestamp, histogram });
    }
}

/// Adds the samples of a chunk that `keep` wants; it is asked with each one's time, in turn.
pub(crate) fn read_samples(
    encoding: Encoding,
    chunk: &[u8],
    samples: &mut Vec<(Millis, Sample)>,
    mut keep: impl FnMut(Millis) -> bool,
) -> Result<(), ChunkError> {
    let mut add = |timestamp, sample: &dyn Fn() -> Sample| {
        if keep(timestamp) {
            samples.push((timestamp, sample()));
        }
        ControlFlow::Continue(())
    };
    match encoding {
        Encoding::Xor => {
            decode_each(chunk, usize::MAX, |timestamp, value| add(timestamp, &|| Sample::Float(value)))
        }
        Encoding::Xor2 => {
            decode_xor2(chunk, usize::MAX, |timestamp, value| add(timestamp, &|| Sample::Float(value)))
        }
        Encoding::Histogram | Encoding::HistogramSt => {
            decode_histograms::<Integers>(encoding, chunk, usize::MAX, |timestamp, decoded| {
                add(timestamp, &|| Sample::Histogram(Box::new(decoded.to_histogram())))
            })
        }
        Encoding::FloatHistogram | Encoding::FloatHistogramSt => {
            decode_histograms::<Floats>(encoding, chunk, usize::MAX, |timestamp, decoded| {
                add(timestamp, &|| Sample::FloatHistogram(Box::new(decoded.to_histogram())))
            })
        }
    }
}

/// Sorts samples; of those with one timestamp the first stays.
pub(crate) fn merge_samples(samples: &mut Vec<(Millis, Sample)>) {
    samples.sort_by_key(|(timestamp, _)| *timestamp);
    samples.dedup_by_key(|(timestamp, _)| *timestamp);
}

/// Encodes samples as chunks of the usual size, in the encodings that every reader of chunks knows ([`Encoding::on_the_wire`]).
pub(crate) fn encode_samples(samples: &[(Millis, Sample)]) -> Vec<BlockChunk<'static>> {
    let mut chunks = Vec::new();
    let mut open: Option<OpenChunk> = None;
    for (timestamp, sample) in samples {
        if let Some(chunk) = &mut open {
            if let Some(finished) = chunk.append(*timestamp, sample) {
                chunks.push(finished);
            }
        } else {
            open = Some(OpenChunk::begin(*timestamp, sample));
        }
    }
    chunks.extend(open.map(OpenChunk::finish));
    chunks
}

/// A chunk in the making.
struct OpenChunk {
    min_time: Millis,
    max_time: Millis,
    encoder: AnyEncoder,
}

enum AnyEncoder {
    Xor(XorEncoder),
    Histogram(HistogramEncoder<Integers>),
    FloatHistogram(HistogramEncoder<Floats>),
}

// === impl OpenChunk ===

impl OpenChunk {
    fn begin(timestamp: Millis, sample: &Sample) -> Self {
        Self { min_time: timestamp, max_time: timestamp, encoder: AnyEncoder::begin(timestamp, sample) }
    }

    /// Appends a sample; returns the chunk as it was before where the sample begins a new one.
    fn append(&mut self, timestamp: Millis, sample: &Sample) -> Option<BlockChunk<'static>> {
        if let Some(next) = self.encoder.append(timestamp, sample) {
            let next = Self { min_time: timestamp, max_time: timestamp, encoder: next };
            return Some(mem::replace(self, next).finish());
        }
        self.max_time = timestamp;
        None
    }

    fn finish(self) -> BlockChunk<'static> {
        let (encoding, data) = match &self.encoder {
            AnyEncoder::Xor(encoder) => (Encoding::Xor, encoder.bytes()),
            AnyEncoder::Histogram(encoder) => (Encoding::Histogram, encoder.bytes()),
            AnyEncoder::FloatHistogram(encoder) => (Encoding::FloatHistogram, encoder.bytes()),
        };
        BlockChunk::encoded(self.min_time, self.max_time, encoding, data.to_vec())
    }
}

// === impl AnyEncoder ===

impl AnyEncoder {
    fn begin(timestamp: Millis, sample: &Sample) -> Self {
        match sample {
            Sample::Float(value) => {
                let mut encoder = XorEncoder::new();
                encoder.append(timestamp, *value);
                Self::Xor(encoder)
            }
            // What was known of a reset in front of the first sample may not hold here: samples before it may be gone.
            Sample::Histogram(histogram) => {
                Self::Histogram(HistogramEncoder::begin(None, timestamp, histogram))
            }
            Sample::FloatHistogram(histogram) => {
                Self::FloatHistogram(HistogramEncoder::begin(None, timestamp, histogram))
            }
        }
    }

    /// Appends a sample; returns the next chunk where the sample begins one.
    fn append(&mut self, timestamp: Millis, sample: &Sample) -> Option<Self> {
        match (self, sample) {
            (Self::Xor(encoder), Sample::Float(value)) if encoder.len() < SAMPLES_PER_CHUNK => {
                encoder.append(timestamp, *value);
                None
            }
            (Self::Histogram(encoder), Sample::Histogram(histogram)) if has_room(encoder) => {
                next(encoder.append(timestamp, histogram)).map(Self::Histogram)
            }
            (Self::FloatHistogram(encoder), Sample::FloatHistogram(histogram)) if has_room(encoder) => {
                next(encoder.append(timestamp, histogram)).map(Self::FloatHistogram)
            }
            _ => Some(Self::begin(timestamp, sample)),
        }
    }
}

/// As in Prometheus' compaction: by bytes, since samples may be large, but never few samples only for that.
fn has_room<F: Flavor>(encoder: &HistogramEncoder<F>) -> bool {
    encoder.bytes().len() <= HISTOGRAM_CHUNK_BYTES || encoder.len() <= MIN_HISTOGRAMS_PER_CHUNK
}

fn next<E>(appended: Appended<E>) -> Option<E> {
    match appended {
        Appended::Same | Appended::Recoded => None,
        Appended::NewChunk(encoder) => Some(encoder),
    }
}

#[cfg(test)]
mod tests;
