//! Reads a chunk of histograms.

use std::{mem::size_of, ops::ControlFlow};

use model::{CounterResetHint, FloatHistogram, Millis, Span, is_stale};

use super::{
    HEADER, Lanes,
    flavor::{Flavor, Floats, Value},
    hint_of,
    lane::Lane,
    layout::Layout,
};
use crate::chunk::{ChunkError, Encoding, bits::BitReader, start_time::StartTimes};

/// Most memory that the histograms of one chunk may take. A chunk of Prometheus, of 1 KiB or some ten histograms, takes a hundredth of it.
const MAX_DECODED: usize = 256 << 20;

/// A histogram as it lies in a chunk.
pub(crate) struct DecodedHistogram<'a, F: Flavor> {
    hint: CounterResetHint,
    layout: &'a Layout,
    pub(super) lanes: &'a Lanes<F::Lane>,
}

/// What a histogram is made of.
pub(crate) struct Parts<V> {
    pub(crate) hint: CounterResetHint,
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: V,
    pub(crate) count: V,
    pub(crate) sum: f64,
    /// Positive, then negative.
    pub(crate) sides: [(Vec<Span>, Vec<V>); 2],
    pub(crate) custom_values: Vec<f64>,
}

/// Hands the first `limit` histograms of a chunk to `visit`, until it breaks. Times are strictly ascending or the chunk is corrupt.
pub(crate) fn decode_histograms<F: Flavor>(
    encoding: Encoding,
    chunk: &[u8],
    limit: usize,
    mut visit: impl FnMut(Millis, DecodedHistogram<'_, F>) -> ControlFlow<()>,
) -> Result<(), ChunkError> {
    let mut decoded = 0usize;
    walk::<F>(encoding, chunk, limit, |timestamp, histogram| {
        decoded = decoded.saturating_add(histogram.bytes());
        if decoded > MAX_DECODED {
            return ControlFlow::Break(());
        }
        visit(timestamp, histogram)
    })?;
    if decoded > MAX_DECODED {
        return Err(ChunkError::Corrupt("its histograms would take more than 256 MiB"));
    }
    Ok(())
}

/// [`decode_histograms`] without a bound on what is made of it.
pub(super) fn walk<F: Flavor>(
    encoding: Encoding,
    chunk: &[u8],
    limit: usize,
    mut visit: impl FnMut(Millis, DecodedHistogram<'_, F>) -> ControlFlow<()>,
) -> Result<(), ChunkError> {
    let count = usize::from(encoding.sample_count(chunk)?).min(limit);
    let (flags, start_times) = match (encoding, chunk) {
        (Encoding::HistogramSt | Encoding::FloatHistogramSt, [flags, _, header, ..]) => {
            (hint_of(*flags), StartTimes::from_header(*header))
        }
        (_, [_, _, flags, ..]) => (hint_of(*flags), StartTimes::NONE),
        _ => return Err(ChunkError::Corrupt("ends too early")),
    };
    if count == 0 {
        return Ok(());
    }
    let mut reader = BitReader::new(chunk.get(HEADER..).unwrap_or_default());
    let layout = Layout::read(&mut reader, F::LEAST_BITS)?;
    let mut lanes = Lanes::<F::Lane>::new(layout.bucket_counts());
    for index in 0..count {
        let before = lanes.time.value();
        if index == 0 {
            lanes.read_first(&mut reader)?;
        } else {
            lanes.read_next(&mut reader)?;
            if lanes.time.value() <= before {
                return Err(ChunkError::Corrupt("times do not ascend"));
            }
        }
        start_times.skip(&mut reader, index)?;
        let hint = match flags {
            CounterResetHint::Gauge => CounterResetHint::Gauge,
            // The chunk's flags speak of the chunk that was before it when it was written. Who reads it may have another one before it,
            // by a deletion or a merge: Prometheus says that nothing is known, and so do we.
            _ if index == 0 => CounterResetHint::Unknown,
            _ => CounterResetHint::NotReset,
        };
        let decoded = DecodedHistogram { hint, layout: &layout, lanes: &lanes };
        if visit(lanes.time.value(), decoded).is_break() {
            break;
        }
    }
    Ok(())
}

// === impl Lanes ===

impl<L: Lane> Lanes<L> {
    fn read_first(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.time.read_first(reader)?;
        self.count.read_first_unsigned(reader)?;
        self.zero_count.read_first_unsigned(reader)?;
        self.sum.read_first(reader)?;
        self.buckets.iter_mut().flatten().try_for_each(|bucket| bucket.read_first(reader))
    }

    fn read_next(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.time.read_next(reader)?;
        self.count.read_next(reader)?;
        self.zero_count.read_next(reader)?;
        self.sum.read_next(reader)?;
        if is_stale(self.sum.value()) {
            return Ok(());
        }
        self.buckets.iter_mut().flatten().try_for_each(|bucket| bucket.read_next(reader))
    }
}

// === impl DecodedHistogram ===

impl<F: Flavor> DecodedHistogram<'_, F> {
    /// The histogram as it was appended, but for empty buckets, and in a resolution that can be computed with; a stale one has nothing
    /// but its sum.
    pub(crate) fn to_histogram(&self) -> F::Histogram {
        F::build(self.parts(|lanes| lanes.iter().map(Lane::value).collect(), |count| count))
    }

    /// The same with float counts.
    pub(crate) fn to_float(&self) -> FloatHistogram {
        let buckets = |lanes: &[F::Lane]| {
            let mut observations = Value::<F>::default();
            let floats = lanes.iter().map(|lane| {
                observations = F::absolute(observations, lane.value());
                F::bucket_to_float(observations)
            });
            floats.collect()
        };
        Floats::build(self.parts(buckets, F::count_to_float))
    }

    fn parts<V: Default>(
        &self,
        buckets: impl Fn(&[F::Lane]) -> Vec<V>,
        count: impl Fn(Value<F>) -> V,
    ) -> Parts<V> {
        let Self { hint, layout, lanes } = self;
        let sum = lanes.sum.value();
        if is_stale(sum) {
            return Parts {
                hint: CounterResetHint::Unknown,
                schema: 0,
                zero_threshold: 0.0,
                zero_count: V::default(),
                count: V::default(),
                sum,
                sides: Default::default(),
                custom_values: Vec::new(),
            };
        }
        Parts {
            hint: *hint,
            schema: layout.schema,
            zero_threshold: layout.zero_threshold,
            zero_count: count(lanes.zero_count.value()),
            count: count(lanes.count.value()),
            sum,
            sides: [0, 1].map(|side| (layout.spans[side].clone(), buckets(&lanes.buckets[side]))),
            custom_values: layout.custom_values.clone(),
        }
    }

    /// What it takes in memory, roughly.
    fn bytes(&self) -> usize {
        let Self { layout, lanes, .. } = self;
        let mut bytes = size_of::<FloatHistogram>();
        if !is_stale(lanes.sum.value()) {
            bytes += layout.custom_values.len() * size_of::<f64>();
            for side in 0..2 {
                bytes += layout.spans[side].len() * size_of::<Span>();
                bytes += lanes.buckets[side].len() * size_of::<f64>();
            }
        }
        bytes
    }
}
