//! The chunk of a series that still grows: of floats, or of native histograms of one kind.

use model::Millis;
use storage::HistogramSample;

use super::closed::ClosedChunk;
use crate::{
    FloatEncoding,
    chunk::{
        Appended, Encoding, Flavor, Floats, HistogramCut, HistogramEncoder, Integers, MAX_CHUNK_BYTES,
        SAMPLES_PER_CHUNK, Xor2Encoder, XorEncoder, predicted_end, range_end,
    },
    head_chunks::ChunkData,
};

/// An open chunk with at least one sample. Its newest sample is the series' newest; whoever owns it knows the time of that.
pub(super) struct OpenChunk {
    min_time: Millis,
    samples: Samples,
}

/// What the chunks of a head are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkForm {
    /// The range of time that chunks must not cross the edges of, milliseconds.
    pub(crate) width: Millis,
    pub(crate) floats: FloatEncoding,
}

/// Floats lie in the series itself, since nearly all series have nothing else.
pub(super) enum Samples {
    Floats {
        encoder: FloatEncoder,
        /// A sample at or after this moment belongs to the next chunk.
        end: Millis,
    },
    Histograms(Box<HistogramChunk<Integers>>),
    FloatHistograms(Box<HistogramChunk<Floats>>),
}

/// The newer form is larger, and few have it.
pub(super) enum FloatEncoder {
    Xor(XorEncoder),
    Xor2(Box<Xor2Encoder>),
}

/// A chunk of histograms.
pub(super) struct HistogramChunk<F: Flavor> {
    encoder: HistogramEncoder<F>,
    cut: HistogramCut,
    /// As it came: a sample that comes twice is compared with it.
    newest: Box<F::Histogram>,
}

/// A kind of histograms, and its place among [`Samples`].
pub(super) trait HistogramKind: Flavor {
    fn chunk_in(samples: &mut Samples) -> Option<&mut HistogramChunk<Self>>;

    fn samples(chunk: HistogramChunk<Self>) -> Samples;
}

// === impl OpenChunk ===

impl OpenChunk {
    /// A chunk with one float.
    pub(super) fn begin(timestamp: Millis, value: f64, form: ChunkForm) -> Self {
        let mut encoder = FloatEncoder::new(form.floats);
        encoder.append(timestamp, value);
        let samples = Samples::Floats { encoder, end: range_end(timestamp, form.width) };
        Self { min_time: timestamp, samples }
    }

    /// Appends a float that follows the sample at `last_time`; false where it belongs to the next chunk.
    pub(super) fn append(
        &mut self,
        last_time: Millis,
        timestamp: Millis,
        value: f64,
        encoding: FloatEncoding,
    ) -> bool {
        let Samples::Floats { encoder, end } = &mut self.samples else {
            return false;
        };
        let count = encoder.len();
        if count == SAMPLES_PER_CHUNK / 4 {
            *end = predicted_end(self.min_time, last_time, *end);
        }
        if encoding != encoder.encoding() {
            return false;
        }
        if timestamp >= *end || count >= 2 * SAMPLES_PER_CHUNK || encoder.bytes().len() > MAX_CHUNK_BYTES {
            return false;
        }
        encoder.append(timestamp, value);
        true
    }

    /// Appends a histogram that follows the sample at `last_time`; returns the next chunk, with the histogram in it, where it begins one.
    /// `open` is the series' chunk, if it has one.
    pub(super) fn append_histogram<F: HistogramKind>(
        open: Option<&mut Self>,
        last_time: Millis,
        timestamp: Millis,
        histogram: Box<F::Histogram>,
        width: Millis,
    ) -> Option<Self> {
        let chunk = match open.and_then(|open| F::chunk_in(&mut open.samples)) {
            Some(chunk) => chunk.append(last_time, timestamp, histogram, width)?,
            None => HistogramChunk::begin(None, timestamp, histogram, width),
        };
        Some(Self { min_time: timestamp, samples: F::samples(chunk) })
    }

    pub(super) fn min_time(&self) -> Millis {
        self.min_time
    }

    /// Number of samples.
    pub(super) fn len(&self) -> u16 {
        match &self.samples {
            Samples::Floats { encoder, .. } => encoder.len(),
            Samples::Histograms(chunk) => chunk.encoder.len(),
            Samples::FloatHistograms(chunk) => chunk.encoder.len(),
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        match &self.samples {
            Samples::Floats { encoder: FloatEncoder::Xor(_), .. } => Encoding::Xor,
            Samples::Floats { encoder: FloatEncoder::Xor2(_), .. } => Encoding::Xor2,
            Samples::Histograms(_) => Encoding::Histogram,
            Samples::FloatHistograms(_) => Encoding::FloatHistogram,
        }
    }

    /// The chunk as it is now.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.samples {
            Samples::Floats { encoder, .. } => encoder.bytes(),
            Samples::Histograms(chunk) => chunk.encoder.bytes(),
            Samples::FloatHistograms(chunk) => chunk.encoder.bytes(),
        }
    }

    /// Whether its newest sample is this histogram.
    pub(super) fn ends_with(&self, histogram: HistogramSample<'_>) -> bool {
        match (&self.samples, histogram) {
            (Samples::Histograms(chunk), HistogramSample::Integer(histogram)) => {
                chunk.newest.is_same(histogram)
            }
            (Samples::FloatHistograms(chunk), HistogramSample::Float(histogram)) => {
                chunk.newest.is_same(histogram)
            }
            _ => false,
        }
    }

    /// A copy of it as it is now, `last_time` being that of its newest sample.
    pub(super) fn to_closed(&self, last_time: Millis) -> ClosedChunk {
        ClosedChunk {
            min_time: self.min_time,
            max_time: last_time,
            encoding: self.encoding(),
            data: ChunkData::Memory(self.bytes().into()),
        }
    }
}

// === impl FloatEncoder ===

impl FloatEncoder {
    fn new(encoding: FloatEncoding) -> Self {
        match encoding {
            FloatEncoding::Xor => Self::Xor(XorEncoder::new()),
            FloatEncoding::Xor2 => Self::Xor2(Box::new(Xor2Encoder::new())),
        }
    }

    fn encoding(&self) -> FloatEncoding {
        match self {
            Self::Xor(_) => FloatEncoding::Xor,
            Self::Xor2(_) => FloatEncoding::Xor2,
        }
    }

    #[inline]
    fn append(&mut self, timestamp: Millis, value: f64) {
        match self {
            Self::Xor(encoder) => encoder.append(timestamp, value),
            Self::Xor2(encoder) => encoder.append(timestamp, value),
        }
    }

    #[inline]
    fn len(&self) -> u16 {
        match self {
            Self::Xor(encoder) => encoder.len(),
            Self::Xor2(encoder) => encoder.len(),
        }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Xor(encoder) => encoder.bytes(),
            Self::Xor2(encoder) => encoder.bytes(),
        }
    }
}

// === impl HistogramChunk ===

impl<F: Flavor> HistogramChunk<F> {
    fn begin(
        previous: Option<&HistogramEncoder<F>>,
        timestamp: Millis,
        histogram: Box<F::Histogram>,
        width: Millis,
    ) -> Self {
        Self {
            encoder: HistogramEncoder::begin(previous, timestamp, &histogram),
            cut: HistogramCut::new(timestamp, width),
            newest: histogram,
        }
    }

    /// Appends a histogram; returns the next chunk where it begins one.
    fn append(
        &mut self,
        last_time: Millis,
        timestamp: Millis,
        histogram: Box<F::Histogram>,
        width: Millis,
    ) -> Option<Self> {
        let Self { encoder, cut, newest } = self;
        if cut.is_over(timestamp, last_time, encoder.len(), encoder.bytes().len()) {
            return Some(Self::begin(Some(encoder), timestamp, histogram, width));
        }
        match encoder.append(timestamp, &histogram) {
            Appended::Same | Appended::Recoded => {
                *newest = histogram;
                None
            }
            Appended::NewChunk(encoder) => {
                Some(Self { encoder, cut: cut.misfit(timestamp, width), newest: histogram })
            }
        }
    }
}

// === impl HistogramKind ===

impl HistogramKind for Integers {
    fn chunk_in(samples: &mut Samples) -> Option<&mut HistogramChunk<Self>> {
        match samples {
            Samples::Histograms(chunk) => Some(chunk),
            Samples::Floats { .. } | Samples::FloatHistograms(_) => None,
        }
    }

    fn samples(chunk: HistogramChunk<Self>) -> Samples {
        Samples::Histograms(Box::new(chunk))
    }
}

impl HistogramKind for Floats {
    fn chunk_in(samples: &mut Samples) -> Option<&mut HistogramChunk<Self>> {
        match samples {
            Samples::FloatHistograms(chunk) => Some(chunk),
            Samples::Floats { .. } | Samples::Histograms(_) => None,
        }
    }

    fn samples(chunk: HistogramChunk<Self>) -> Samples {
        Samples::FloatHistograms(Box::new(chunk))
    }
}
