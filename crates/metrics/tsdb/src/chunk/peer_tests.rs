//! Chunks that Prometheus 3.14 wrote, and the samples it was given: ours have the same bytes, and we read the same samples.
//!
//! `testdata/*.txt` has a line a sample or chunk, floats by their bits in hexadecimal, spans as `offset:length`, `-` for an empty list:
//!
//! ```text
//! series                     another series begins
//! x|y <time> <value>         a float, appended to an XOR or an XOR2 chunk
//! i|f <time> <hint> <schema> <zero threshold> <zero count> <count> <sum> <spans> <buckets> <spans> <buckets> <bounds>
//!                            a histogram with integer or float counts: positive, then negative buckets
//! cut                        the chunk is full: the next sample begins another one
//! chunk <encoding> <bytes>   what came out, once for each chunk of the series
//! ```

use model::{
    Columns, CounterResetHint, FloatHistogram, Histogram, HistogramPoint, Millis, Span, bucket_indexes,
    is_stale,
};

use super::*;

const PLAIN: &str = include_str!("testdata/plain.txt");
const WITH_START_TIMES: &str = include_str!("testdata/start_times.txt");

/// One line before the chunks of a series.
enum Line {
    Xor(Millis, f64),
    Xor2(Millis, f64),
    Integer(Millis, Histogram),
    Float(Millis, FloatHistogram),
    Cut,
}

type Chunks = Vec<(Encoding, Vec<u8>)>;

#[test]
fn chunks_have_prometheus_bytes() {
    for (number, (lines, want)) in series(PLAIN).into_iter().enumerate() {
        let got = encode(&lines);
        for (at, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(got, want, "series {number} chunk {at}");
        }
        assert_eq!(got.len(), want.len(), "series {number}");
    }
}

#[test]
fn prometheus_chunks_read_back() {
    for (number, (lines, chunks)) in series(PLAIN).into_iter().enumerate() {
        check_read(number, &lines, &chunks);
    }
}

#[test]
fn start_times_are_read_past() {
    for (number, (lines, chunks)) in series(WITH_START_TIMES).into_iter().enumerate() {
        assert!(
            chunks
                .iter()
                .all(|(encoding, _)| !matches!(encoding, Encoding::Histogram | Encoding::FloatHistogram))
        );
        check_read(number, &lines, &chunks);
    }
}

fn check_read(number: usize, lines: &[Line], chunks: &Chunks) {
    let mut columns = Columns::default();
    let mut decoded = 0;
    for (encoding, data) in chunks {
        decode(*encoding, data, usize::MAX, (Millis::MIN, Millis::MAX), &mut columns).unwrap();
        decoded += usize::from(encoding.sample_count(data).unwrap());
    }
    assert_eq!(columns.len(), decoded, "series {number}");
    let mut floats = columns.timestamps.iter().zip(&columns.values);
    let mut histograms = columns.histograms.iter();
    for line in lines {
        match line {
            Line::Xor(timestamp, value) | Line::Xor2(timestamp, value) => {
                let (got_time, got) = floats.next().unwrap();
                assert_eq!((*got_time, got.to_bits()), (*timestamp, value.to_bits()), "series {number}");
            }
            Line::Integer(timestamp, histogram) => {
                check_histogram(number, *timestamp, &histogram.to_float(), histograms.next().unwrap());
            }
            Line::Float(timestamp, histogram) => {
                check_histogram(number, *timestamp, histogram, histograms.next().unwrap());
            }
            Line::Cut => {}
        }
    }
}

fn check_histogram(number: usize, timestamp: Millis, want: &FloatHistogram, point: &HistogramPoint) {
    let got = &point.histogram;
    assert_eq!(point.timestamp, timestamp, "series {number}");
    assert_eq!(got.sum.to_bits(), want.sum.to_bits(), "series {number}");
    if is_stale(want.sum) {
        assert_eq!(got.count, 0.0);
        assert!(got.positive_buckets.is_empty());
        return;
    }
    let gauge = |histogram: &FloatHistogram| histogram.counter_reset_hint == CounterResetHint::Gauge;
    assert_eq!(gauge(got), gauge(want), "series {number}");
    assert_eq!(
        (got.schema, got.zero_threshold, got.zero_count, got.count),
        (want.schema, want.zero_threshold, want.zero_count, want.count),
        "series {number}"
    );
    assert_eq!(got.custom_values, want.custom_values, "series {number}");
    let used = |spans: &[Span], buckets: &[f64]| {
        let all = bucket_indexes(spans).zip(buckets.iter().copied());
        all.filter(|(_, count)| *count != 0.0).collect::<Vec<_>>()
    };
    assert_eq!(
        used(&got.positive_spans, &got.positive_buckets),
        used(&want.positive_spans, &want.positive_buckets),
        "series {number}"
    );
    assert_eq!(
        used(&got.negative_spans, &got.negative_buckets),
        used(&want.negative_spans, &want.negative_buckets),
        "series {number}"
    );
}

// === what our encoders make of the lines ===

enum Open {
    Xor(XorEncoder),
    Xor2(Xor2Encoder),
    Integer(HistogramEncoder<Integers>),
    Float(HistogramEncoder<Floats>),
}

impl Open {
    fn finish(&self) -> (Encoding, Vec<u8>) {
        match self {
            Self::Xor(encoder) => (Encoding::Xor, encoder.bytes().to_vec()),
            Self::Xor2(encoder) => (Encoding::Xor2, encoder.bytes().to_vec()),
            Self::Integer(encoder) => (Encoding::Histogram, encoder.bytes().to_vec()),
            Self::Float(encoder) => (Encoding::FloatHistogram, encoder.bytes().to_vec()),
        }
    }
}

fn encode(lines: &[Line]) -> Chunks {
    let mut chunks = Vec::new();
    let (mut open, mut previous): (Option<Open>, Option<Open>) = (None, None);
    for line in lines {
        let replaced = match line {
            Line::Cut => {
                previous = open.take();
                chunks.extend(previous.as_ref().map(Open::finish));
                None
            }
            Line::Xor(timestamp, value) => {
                let Open::Xor(encoder) = open.get_or_insert_with(|| Open::Xor(XorEncoder::new())) else {
                    panic!()
                };
                encoder.append(*timestamp, *value);
                None
            }
            Line::Xor2(timestamp, value) => {
                let Open::Xor2(encoder) = open.get_or_insert_with(|| Open::Xor2(Xor2Encoder::new())) else {
                    panic!()
                };
                encoder.append(*timestamp, *value);
                None
            }
            Line::Integer(timestamp, histogram) => match &mut open {
                Some(Open::Integer(encoder)) => {
                    replacement(encoder.append(*timestamp, histogram)).map(Open::Integer)
                }
                _ => {
                    let before = match &previous {
                        Some(Open::Integer(encoder)) => Some(encoder),
                        _ => None,
                    };
                    open = Some(Open::Integer(HistogramEncoder::begin(before, *timestamp, histogram)));
                    None
                }
            },
            Line::Float(timestamp, histogram) => match &mut open {
                Some(Open::Float(encoder)) => {
                    replacement(encoder.append(*timestamp, histogram)).map(Open::Float)
                }
                _ => {
                    let before = match &previous {
                        Some(Open::Float(encoder)) => Some(encoder),
                        _ => None,
                    };
                    open = Some(Open::Float(HistogramEncoder::begin(before, *timestamp, histogram)));
                    None
                }
            },
        };
        if replaced.is_some() {
            chunks.extend(open.as_ref().map(Open::finish));
            open = replaced;
        }
    }
    chunks.extend(open.as_ref().map(Open::finish));
    chunks
}

fn replacement<E>(appended: Appended<E>) -> Option<E> {
    match appended {
        Appended::Same | Appended::Recoded => None,
        Appended::NewChunk(encoder) => Some(encoder),
    }
}

// === the file ===

fn series(text: &str) -> Vec<(Vec<Line>, Chunks)> {
    let mut all: Vec<(Vec<Line>, Chunks)> = Vec::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        if let ["series"] = *fields {
            all.push(Default::default());
            continue;
        }
        let (lines, chunks) = all.last_mut().unwrap();
        match *fields {
            ["cut"] => lines.push(Line::Cut),
            ["x", timestamp, value] => lines.push(Line::Xor(timestamp.parse().unwrap(), float(value))),
            ["y", timestamp, value] => lines.push(Line::Xor2(timestamp.parse().unwrap(), float(value))),
            ["i", timestamp, ref rest @ ..] => {
                lines.push(Line::Integer(timestamp.parse().unwrap(), integer_histogram(rest)))
            }
            ["f", timestamp, ref rest @ ..] => {
                lines.push(Line::Float(timestamp.parse().unwrap(), float_histogram(rest)))
            }
            ["chunk", encoding, bytes] => {
                let encoding = Encoding::from_byte(encoding.parse().unwrap()).unwrap();
                let bytes =
                    (0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap());
                chunks.push((encoding, bytes.collect()));
            }
            _ => panic!("{line}"),
        }
    }
    all
}

pub(crate) fn integer_histogram(fields: &[&str]) -> Histogram {
    let [hint, schema, threshold, zero_count, count, sum, p_spans, p_buckets, n_spans, n_buckets, bounds] =
        *fields
    else {
        panic!("{fields:?}");
    };
    Histogram {
        counter_reset_hint: self::hint(hint),
        schema: schema.parse().unwrap(),
        zero_threshold: float(threshold),
        zero_count: zero_count.parse().unwrap(),
        count: count.parse().unwrap(),
        sum: float(sum),
        positive_spans: list(p_spans, span),
        positive_buckets: list(p_buckets, |text| text.parse().unwrap()),
        negative_spans: list(n_spans, span),
        negative_buckets: list(n_buckets, |text| text.parse().unwrap()),
        custom_values: list(bounds, float),
    }
}

pub(crate) fn float_histogram(fields: &[&str]) -> FloatHistogram {
    let [hint, schema, threshold, zero_count, count, sum, p_spans, p_buckets, n_spans, n_buckets, bounds] =
        *fields
    else {
        panic!("{fields:?}");
    };
    FloatHistogram {
        counter_reset_hint: self::hint(hint),
        schema: schema.parse().unwrap(),
        zero_threshold: float(threshold),
        zero_count: float(zero_count),
        count: float(count),
        sum: float(sum),
        positive_spans: list(p_spans, span),
        positive_buckets: list(p_buckets, float),
        negative_spans: list(n_spans, span),
        negative_buckets: list(n_buckets, float),
        custom_values: list(bounds, float),
    }
}

fn hint(text: &str) -> CounterResetHint {
    match text {
        "0" => CounterResetHint::Unknown,
        "1" => CounterResetHint::Reset,
        "2" => CounterResetHint::NotReset,
        _ => CounterResetHint::Gauge,
    }
}

fn float(text: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(text, 16).unwrap())
}

fn span(text: &str) -> Span {
    let (offset, length) = text.split_once(':').unwrap();
    Span { offset: offset.parse().unwrap(), length: length.parse().unwrap() }
}

fn list<T>(text: &str, parse: impl Fn(&str) -> T) -> Vec<T> {
    if text == "-" { Vec::new() } else { text.split(',').map(parse).collect() }
}
