//! Writes a chunk of histograms, sample by sample.

use std::ops::ControlFlow;

use model::{CounterResetHint, Millis, SpanUnion, is_stale, shortest_spans};

use super::{
    HEADER, Lanes,
    decode::{DecodedHistogram, walk},
    fit::{Fit, Misfit, fit},
    flags_of,
    flavor::{Flavor, SideView, Value, View},
    hint_of,
    lane::Lane,
    layout::Layout,
};
use crate::chunk::bits::BitWriter;

/// Bytes a chunk starts with room for.
const INITIAL_BYTES: usize = 128;

/// An open chunk with at least one histogram. The caller sees to it that timestamps ascend, that histograms are valid
/// (`model::Histogram::validate`), and that there are at most 65,535.
#[derive(Debug, Clone)]
pub(crate) struct HistogramEncoder<F: Flavor> {
    out: BitWriter,
    layout: Layout,
    last: Lanes<F::Lane>,
    count: u16,
}

/// What became of an appended sample.
#[derive(Debug)]
pub(crate) enum Appended<E> {
    /// It is in the chunk.
    Same,
    /// It is in the chunk, all of which was encoded anew because the sample has buckets that those before had not.
    Recoded,
    /// It does not fit to the chunk, which stays as it was: a counter was reset, the schema, the zero threshold or the bounds of custom
    /// buckets changed, a gauge follows a counter or the other way round, or the chunk ends with a stale sample. It is the first one of
    /// this chunk.
    NewChunk(E),
}

// === impl HistogramEncoder ===

impl<F: Flavor> HistogramEncoder<F> {
    /// Begins a chunk. `previous` is the chunk of the same series before it, where that was open until now and has the same encoding:
    /// what is known about a reset between the two is kept in the new one.
    pub(crate) fn begin(previous: Option<&Self>, timestamp: Millis, histogram: &F::Histogram) -> Self {
        let sample = F::view(histogram);
        let flags = match (sample.hint, previous) {
            (CounterResetHint::Gauge | CounterResetHint::Reset, _) => sample.hint,
            (_, Some(previous)) => F::flags_of_full(previous.misfit(&sample)),
            (_, None) => CounterResetHint::Unknown,
        };
        Self::with_first(flags, timestamp, &sample)
    }

    /// Appends a sample, or begins a chunk with it. Where the chunk or the sample lacks buckets that the other has, it gets them, empty.
    pub(crate) fn append(&mut self, timestamp: Millis, histogram: &F::Histogram) -> Appended<Self> {
        let sample = F::view(histogram);
        match fit::<F>(self.flags(), &self.layout, &self.last, &sample) {
            Fit::Not(misfit) => {
                let flags = match sample.hint {
                    CounterResetHint::Gauge => CounterResetHint::Gauge,
                    _ => F::flags_of_misfit(misfit),
                };
                Appended::NewChunk(Self::with_first(flags, timestamp, &sample))
            }
            Fit::Fits([None, None]) => {
                self.put(timestamp, &sample);
                Appended::Same
            }
            Fit::Fits(unions) => self.append_widened(timestamp, sample, &unions),
        }
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> u16 {
        self.count
    }

    /// The chunk as it is now.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.out.bytes()
    }

    fn flags(&self) -> CounterResetHint {
        self.out.bytes().get(2).map_or(CounterResetHint::Unknown, |flags| hint_of(*flags))
    }

    fn misfit(&self, sample: &View<'_, Value<F>>) -> Option<Misfit> {
        match fit::<F>(self.flags(), &self.layout, &self.last, sample) {
            Fit::Fits(_) => None,
            Fit::Not(misfit) => Some(misfit),
        }
    }

    fn with_first(flags: CounterResetHint, timestamp: Millis, sample: &View<'_, Value<F>>) -> Self {
        if is_stale(sample.sum) {
            return Self::with_first_of_any(flags, timestamp, &View::stale(sample.sum));
        }
        Self::with_first_of_any(flags, timestamp, sample)
    }

    fn with_first_of_any(flags: CounterResetHint, timestamp: Millis, sample: &View<'_, Value<F>>) -> Self {
        let mut encoder = Self::empty(flags, Layout::of(sample));
        let Self { out, last, .. } = &mut encoder;
        last.time.put_first(out, timestamp);
        last.count.put_first_unsigned(out, sample.count);
        last.zero_count.put_first_unsigned(out, sample.zero_count);
        last.sum.put_first(out, sample.sum);
        for (lanes, side) in last.buckets.iter_mut().zip(&sample.sides) {
            for (lane, bucket) in lanes.iter_mut().zip(side.buckets) {
                lane.put_first(out, *bucket);
            }
        }
        encoder.count_one();
        encoder
    }

    /// A chunk of which nothing but the layout is written.
    fn empty(flags: CounterResetHint, layout: Layout) -> Self {
        let mut bytes = Vec::with_capacity(INITIAL_BYTES);
        bytes.extend_from_slice(&[0; HEADER - 1]);
        bytes.push(flags_of(flags));
        let mut out = BitWriter::behind(bytes);
        layout.write(&mut out);
        Self { out, last: Lanes::new(layout.bucket_counts()), layout, count: 0 }
    }

    /// Writes a sample that has the chunk's layout, or is stale, behind another one.
    fn put(&mut self, timestamp: Millis, sample: &View<'_, Value<F>>) {
        let Self { out, last, .. } = self;
        last.time.put_next(out, timestamp);
        if is_stale(sample.sum) {
            last.count.put_stale(out);
            last.zero_count.put_stale(out);
            last.sum.put_next(out, sample.sum);
        } else {
            last.count.put_next(out, sample.count);
            last.zero_count.put_next(out, sample.zero_count);
            last.sum.put_next(out, sample.sum);
            for (lanes, side) in last.buckets.iter_mut().zip(&sample.sides) {
                for (lane, bucket) in lanes.iter_mut().zip(side.buckets) {
                    lane.put_next(out, *bucket);
                }
            }
        }
        self.count_one();
    }

    fn count_one(&mut self) {
        self.count = self.count.checked_add(1).expect("BUG: chunks are cut long before 65,535 samples");
        self.out.bytes_mut()[..2].copy_from_slice(&self.count.to_be_bytes());
    }

    /// Appends a sample whose buckets differ from the chunk's: what either has not becomes an empty bucket of it.
    fn append_widened(
        &mut self,
        timestamp: Millis,
        sample: View<'_, Value<F>>,
        unions: &[Option<SpanUnion>; 2],
    ) -> Appended<Self> {
        let chunk_is_short = unions.iter().flatten().any(SpanUnion::left_is_short);
        let sample_is_short = unions.iter().flatten().any(SpanUnion::right_is_short);
        let gauge = sample.hint == CounterResetHint::Gauge;
        let short = unions.each_ref().map(|union| union.as_ref().filter(|union| union.right_is_short()));
        let widened = [0, 1].map(|side| {
            let buckets = sample.sides[side].buckets.iter().copied();
            short[side].map(|union| spread::<F>(buckets, &union.right, union.len))
        });
        // The same buckets can be said by different spans: which ones is Prometheus' choice, for chunks to be equal byte by byte.
        let spans = [0, 1].map(|side| match short[side] {
            Some(union) => union.spans.clone(),
            None if gauge && sample_is_short => shortest_spans(sample.sides[side].spans),
            None => sample.sides[side].spans.to_vec(),
        });
        let sides = [0, 1].map(|side| SideView {
            spans: &spans[side],
            buckets: widened[side].as_deref().unwrap_or(sample.sides[side].buckets),
        });
        let sample = View { sides, ..sample };
        if !chunk_is_short {
            self.put(timestamp, &sample);
            return Appended::Same;
        }
        *self = self.widened(Layout { spans: spans.clone(), ..self.layout.clone() }, unions);
        self.put(timestamp, &sample);
        Appended::Recoded
    }

    /// The chunk with a layout that has more buckets.
    fn widened(&self, layout: Layout, unions: &[Option<SpanUnion>; 2]) -> Self {
        let mut wide: Option<Self> = None;
        let walked = walk::<F>(F::ENCODING, self.bytes(), usize::MAX, |timestamp, decoded| {
            let DecodedHistogram { lanes, .. } = decoded;
            let buckets = [0, 1].map(|side| {
                let values = lanes.buckets[side].iter().map(Lane::value);
                match unions[side].as_ref().filter(|union| union.left_is_short()) {
                    Some(union) => spread::<F>(values, &union.left, union.len),
                    None => values.collect(),
                }
            });
            let sample = View {
                hint: CounterResetHint::Unknown,
                schema: layout.schema,
                zero_threshold: layout.zero_threshold,
                zero_count: lanes.zero_count.value(),
                count: lanes.count.value(),
                sum: lanes.sum.value(),
                sides: [0, 1].map(|side| SideView { spans: &layout.spans[side], buckets: &buckets[side] }),
                custom_values: &layout.custom_values,
            };
            match &mut wide {
                Some(wide) => wide.put(timestamp, &sample),
                None => wide = Some(Self::with_first(self.flags(), timestamp, &sample)),
            }
            ControlFlow::Continue(())
        });
        walked.expect("BUG: a chunk that was just written reads back");
        wide.expect("BUG: no chunk is empty")
    }
}

/// What `len` buckets hold if those at `positions` hold `stored` and the others nothing.
fn spread<F: Flavor>(
    stored: impl Iterator<Item = Value<F>>,
    positions: &[usize],
    len: usize,
) -> Vec<Value<F>> {
    let mut counts = vec![Value::<F>::default(); len];
    let mut observations = Value::<F>::default();
    for (at, stored) in positions.iter().zip(stored) {
        observations = F::absolute(observations, stored);
        counts[*at] = observations;
    }
    F::relative(counts)
}
