//! The merge of sources that are made up here.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use model::{CounterResetHint, Histogram, Span};
use proptest::prelude::*;
use storage::QueryError;

use super::{super::*, *};
use crate::chunk::Xor2Encoder;

/// Chunks in memory.
#[derive(Default)]
struct Fake {
    chunks: std::vec::IntoIter<SourceChunk>,
    deleted: Option<Intervals>,
    read: Arc<AtomicUsize>,
}

impl Fake {
    fn new(chunks: Vec<SourceChunk>) -> Self {
        Self { chunks: chunks.into_iter(), ..Self::default() }
    }

    fn without(mut self, min_time: Millis, max_time: Millis) -> Self {
        self.deleted.get_or_insert_default().add(min_time, max_time);
        self
    }
}

impl ChunkSource for Fake {
    fn next(&mut self) -> Option<Result<SourceChunk, QueryError>> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.chunks.next().map(Ok)
    }

    fn deleted(&self) -> Option<&Intervals> {
        self.deleted.as_ref()
    }

    fn error(&self, error: ChunkError) -> QueryError {
        crate::error::read_error("a fake", error)
    }
}

fn chunks_of(samples: &[(Millis, Sample)]) -> Vec<SourceChunk> {
    let chunks = encode_samples(samples).into_iter().map(BlockChunk::into_parts);
    chunks
        .map(|(min_time, max_time, encoding, data)| SourceChunk {
            min_time,
            max_time,
            encoding,
            data: data.into(),
            visible: Visible::All,
        })
        .collect()
}

/// A chunk of floats, each sample's value being `value` and its time in the decimals.
fn floats(times: impl IntoIterator<Item = Millis>, value: f64) -> SourceChunk {
    let samples: Vec<_> =
        times.into_iter().map(|time| (time, Sample::Float(value + time as f64 / 1e6))).collect();
    let mut chunks = chunks_of(&samples);
    assert_eq!(chunks.len(), 1);
    chunks.remove(0)
}

fn merge(sources: Vec<Fake>, range: (Millis, Millis)) -> Vec<Chunk> {
    let sources = sources.into_iter().map(|source| Box::new(source) as Box<dyn ChunkSource>).collect();
    read_chunks(&mut MergedChunks::new(sources, range))
}

fn times(chunk: &Chunk) -> Vec<Millis> {
    decoded([chunk]).timestamps
}

#[test]
fn a_chunk_that_is_alone_is_passed_on_as_it_is() {
    let [first, second, third] = [0, 100, 200].map(|start| floats(start..start + 50, 1.0));
    let pointers: Vec<_> = [&first, &second, &third].map(|chunk| chunk.data.as_ptr()).into();
    let got = merge(vec![Fake::new(vec![first, third]), Fake::new(vec![second])], (0, 249));
    assert_eq!(got.iter().map(|chunk| chunk.data.as_ptr()).collect::<Vec<_>>(), pointers);
}

#[test]
fn the_same_chunk_of_two_places_is_one() {
    let chunk = || floats(0..50, 1.0);
    let kept = chunk();
    let pointer = kept.data.as_ptr();
    let got =
        merge(vec![Fake::new(vec![kept]), Fake::new(vec![chunk()]), Fake::new(vec![chunk()])], ALL_TIME);
    assert_eq!(got.iter().map(|chunk| chunk.data.as_ptr()).collect::<Vec<_>>(), [pointer]);
    // Not when something of it is deleted in one place only: the other still has it.
    let got = merge(vec![Fake::new(vec![chunk()]).without(10, 20), Fake::new(vec![chunk()])], ALL_TIME);
    assert_eq!(got.iter().flat_map(times).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
}

#[test]
fn of_two_samples_at_one_moment_the_earlier_source_keeps_its_own() {
    // The later source begins first.
    let sources = || vec![Fake::new(vec![floats(5..15, 1.0)]), Fake::new(vec![floats(0..10, 2.0)])];
    let got = merge(sources(), ALL_TIME);
    let columns = decoded(&got);
    assert_eq!(columns.timestamps, (0..15).collect::<Vec<_>>());
    let sources: Vec<_> = columns.values.iter().map(|value| value.trunc()).collect();
    assert_eq!(sources, [[2.0; 5], [1.0; 5], [1.0; 5]].concat());
}

#[test]
fn what_is_hidden_deleted_or_beside_the_range_is_left_out() {
    let chunk = || floats(0..100, 1.0);
    let got = |visible, deleted: (Millis, Millis), range| {
        let chunk = SourceChunk { visible, ..chunk() };
        let chunks = merge(vec![Fake::new(vec![chunk]).without(deleted.0, deleted.1)], range);
        chunks.iter().flat_map(times).collect::<Vec<_>>()
    };
    assert_eq!(got(Visible::First(30), (5, 4), ALL_TIME), (0..30).collect::<Vec<_>>());
    let even = (0..100).map(|number| number % 2 == 0).collect();
    assert_eq!(got(Visible::Only(even), (5, 4), ALL_TIME), (0..100).step_by(2).collect::<Vec<_>>());
    assert_eq!(got(Visible::All, (10, 89), ALL_TIME), (0..10).chain(90..100).collect::<Vec<_>>());
    assert_eq!(got(Visible::All, (0, 99), ALL_TIME), Vec::<Millis>::new());
    assert_eq!(got(Visible::All, (5, 4), (20, 30)), (20..=30).collect::<Vec<_>>());
    assert_eq!(got(Visible::All, (5, 4), (100, 130)), Vec::<Millis>::new());
    assert_eq!(merge(vec![Fake::new(Vec::new())], ALL_TIME), []);
}

#[test]
fn encodings_that_not_everyone_knows_are_replaced() {
    let mut encoder = Xor2Encoder::new();
    (0..200).for_each(|time| encoder.append(time, time as f64));
    let chunk = |encoding, data: &[u8], columns: &Columns| SourceChunk {
        min_time: columns.oldest().unwrap(),
        max_time: columns.newest().unwrap(),
        encoding,
        data: Bytes::copy_from_slice(data),
        visible: Visible::All,
    };
    let mut all = vec![(Encoding::Xor2, encoder.bytes().to_vec())];
    for line in include_str!("../../../chunk/testdata/start_times.txt").lines() {
        if let ["chunk", encoding, bytes] = line.split(' ').collect::<Vec<_>>()[..] {
            let encoding = Encoding::from_byte(encoding.parse().unwrap()).unwrap();
            let hex = bytes.as_bytes().chunks(2).map(|digits| std::str::from_utf8(digits).unwrap());
            all.push((encoding, hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()));
        }
    }
    for encoding in [Encoding::Xor2, Encoding::HistogramSt, Encoding::FloatHistogramSt] {
        assert!(all.iter().any(|(known, _)| *known == encoding), "{encoding:?}");
    }
    for (encoding, data) in all {
        let mut want = Columns::default();
        decode(encoding, &data, usize::MAX, ALL_TIME, &mut want).unwrap();
        let got = merge(vec![Fake::new(vec![chunk(encoding, &data, &want)])], ALL_TIME);
        assert_eq!(plain(&decoded(&got)), plain(&want), "{encoding:?}");
    }
}

#[test]
fn a_long_overlap_is_read_bit_by_bit() {
    // Each chunk overlaps the next one of the other source.
    let source = |shift: Millis| {
        let chunks = (0..400).map(|number| floats((0..100).map(|i| shift + number * 1000 + i * 10), 1.0));
        Fake::new(chunks.collect())
    };
    let (first, second) = (source(0), source(505));
    let read = Arc::clone(&first.read);
    let mut merged = MergedChunks::new(vec![Box::new(first), Box::new(second)], ALL_TIME);
    let chunk = ChunkReader::next(&mut merged).unwrap().unwrap();
    assert_eq!(times(&chunk).len(), 120);
    assert!(read.load(Ordering::Relaxed) < 20, "{read:?}");
    let rest = read_chunks(&mut merged);
    assert_eq!(120 + decoded(&rest).len(), 2 * 400 * 100);
    assert!(rest.len() < 700, "{} chunks", rest.len());
}

#[test]
fn integer_histograms_stay_integers_and_resets_are_found_anew() {
    let histogram = |count: u64| Histogram {
        count,
        positive_spans: vec![Span { offset: 0, length: 1 }],
        positive_buckets: vec![count as i64],
        ..Histogram::default()
    };
    let sample = |time: Millis, count, counter_reset_hint| {
        let histogram = Histogram { counter_reset_hint, ..histogram(count) };
        (time, Sample::Histogram(Box::new(histogram)))
    };
    let unknown = CounterResetHint::Unknown;
    // It begins with a reset, but not against what is before it here.
    let second = chunks_of(&[sample(25, 3, CounterResetHint::Reset), sample(35, 4, unknown)]);
    let first = chunks_of(&[sample(10, 1, unknown), sample(20, 2, unknown), sample(30, 4, unknown)]);
    let got = merge(vec![Fake::new(first), Fake::new(second)], ALL_TIME);
    assert_eq!(got.iter().map(|chunk| chunk.encoding).collect::<Vec<_>>(), [ChunkEncoding::Histogram]);
    let hints: Vec<_> =
        decoded(&got).histograms.iter().map(|point| point.histogram.counter_reset_hint).collect();
    let known = CounterResetHint::NotReset;
    assert_eq!(hints, [unknown, known, known, known, known]);
}

#[test]
fn damage_is_an_error_and_the_end() {
    let damaged =
        |min_time, data: Bytes| SourceChunk { min_time, data, ..floats(min_time..min_time + 50, 1.0) };
    let short = floats(0..50, 1.0).data.slice(..40);
    for (chunk, range) in [
        (damaged(0, short.clone()), (0, 30)),
        (damaged(0, Bytes::new()), ALL_TIME),
        (SourceChunk { encoding: Encoding::Xor2, ..damaged(0, short) }, ALL_TIME),
    ] {
        let source = Fake::new(vec![chunk, floats(100..150, 1.0)]);
        let mut merged = MergedChunks::new(vec![Box::new(source)], range);
        let error = ChunkReader::next(&mut merged).unwrap().unwrap_err();
        assert!(crate::error::chain(&error).starts_with("cannot read a fake: "), "{error}");
        assert!(ChunkReader::next(&mut merged).is_none());
    }
    // An empty chunk is no damage, and no chunk.
    let empty = damaged(0, Bytes::from_static(&[0, 0]));
    assert_eq!(merge(vec![Fake::new(vec![empty, floats(100..150, 1.0)])], ALL_TIME).len(), 1);
    // Chunks of one source that overlap, which only a damaged index can tell of.
    let got = merge(vec![Fake::new(vec![floats(0..50, 1.0), floats(40..90, 2.0)])], ALL_TIME);
    assert_eq!(got.iter().flat_map(times).collect::<Vec<_>>(), (0..90).collect::<Vec<_>>());
}

/// A source: when its samples are and of which kind, in chunks; what is deleted; which samples are visible.
#[derive(Debug, Clone)]
struct Plan {
    chunks: Vec<BTreeMap<Millis, bool>>,
    deleted: Vec<(Millis, Millis)>,
    /// Of each chunk.
    visible: Visible,
}

fn plan() -> impl Strategy<Value = Plan> {
    let times = prop::collection::btree_map(0i64..600, prop::bool::weighted(0.2), 0..150);
    let cuts = prop::collection::btree_set(0i64..600, 0..4);
    let deleted = prop::collection::vec((0i64..600, 0i64..40), 0..2);
    let visible = prop_oneof![
        3 => Just(Visible::All),
        1 => (0usize..20).prop_map(Visible::First),
        1 => prop::collection::vec(any::<bool>(), 120).prop_map(|places| Visible::Only(places.into())),
    ];
    (times, cuts, deleted, visible).prop_map(|(mut times, cuts, deleted, visible)| {
        let mut chunks: Vec<_> = cuts.iter().rev().map(|cut| times.split_off(cut)).collect();
        chunks.push(times);
        chunks.reverse();
        Plan { chunks, deleted, visible }
    })
}

impl Plan {
    /// The source, and the samples that are to be seen of it: the number of the source is in each.
    fn build(&self, number: usize) -> (Fake, BTreeMap<Millis, String>) {
        let sample = |time: Millis, is_histogram: bool| match is_histogram {
            false => Sample::Float((time * 10 + number as i64) as f64),
            true => {
                let count = time as u64 * 10 + number as u64;
                Sample::Histogram(Box::new(Histogram { count, zero_count: count, ..Histogram::default() }))
            }
        };
        let mut deleted = Intervals::default();
        self.deleted.iter().for_each(|(min, length)| deleted.add(*min, min + length));
        let (mut chunks, mut seen) = (Vec::new(), BTreeMap::new());
        for times in &self.chunks {
            let samples: Vec<_> =
                times.iter().map(|(time, is_histogram)| (*time, sample(*time, *is_histogram))).collect();
            let mut rest = samples.iter();
            for chunk in chunks_of(&samples) {
                let size = chunk.encoding.sample_count(&chunk.data).unwrap().into();
                let visible = match &self.visible {
                    Visible::Only(places) => Visible::Only(places[..size].into()),
                    visible => visible.clone(),
                };
                for (number, (time, sample)) in rest.by_ref().take(size).enumerate() {
                    if visible.has(number) && !deleted.contains(*time) {
                        let mut columns = Columns::default();
                        sample.push_to(*time, &mut columns);
                        seen.insert(*time, plain(&columns).remove(0));
                    }
                }
                chunks.push(SourceChunk { visible, ..chunk });
            }
        }
        (Fake { deleted: Some(deleted), ..Fake::new(chunks) }, seen)
    }
}

proptest! {
    #[test]
    fn chunks_have_the_samples_of_their_sources(
        plans in prop::collection::vec(plan(), 0..5),
        range in (-10i64..600, 0i64..600),
        trim in any::<bool>(),
    ) {
        let range = if trim { (range.0, range.0 + range.1) } else { ALL_TIME };
        let mut want = BTreeMap::new();
        let mut sources = Vec::new();
        for (number, plan) in plans.iter().enumerate() {
            let (source, seen) = plan.build(number);
            for (time, text) in seen.into_iter().filter(|(time, _)| (range.0..=range.1).contains(time)) {
                want.entry(time).or_insert(text);
            }
            sources.push(source);
        }
        let got = merge(sources, range);
        prop_assert_eq!(plain(&decoded(&got)), want.into_values().collect::<Vec<_>>());
        prop_assert!(got.iter().all(|chunk| times(chunk).len() <= 120), "chunks of floats have the usual size");
    }
}
