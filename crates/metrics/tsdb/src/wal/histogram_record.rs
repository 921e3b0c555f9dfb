//! Records of native histograms.
//!
//! ```text
//! 7 8 9 10  ┌───────────┬──────────────────┬───────────────────┬────────────────────┬────────────────────────┬───────────┬─────
//!           │ type <1b> │ first ref <8b>   │ first time <8b>   │ ref - first <varint>│ time - first <varint> │ histogram │ …
//!           └───────────┴──────────────────┴───────────────────┴────────────────────┴────────────────────────┴───────────┴─────
//! 12 13     ┌───────────┬──────────────┬───────────────┬─────────────────────┬───────────┬────────────────────────────────────┐
//!           │ type <1b> │ ref <varint> │ time <varint> │ start time <varint> │ histogram │ ref - previous, time - first, start│
//!           │           │              │               │                     │           │ time, histogram, …                 │
//!           └───────────┴──────────────┴───────────────┴─────────────────────┴───────────┴────────────────────────────────────┘
//! histogram ┌───────────┬─────────────────┬─────────────────────┬────────────┬───────┬──────────┬─────────────────────────────┐
//!           │ hint <1b> │ schema <varint> │ zero threshold <8b> │ zero count │ count │ sum <8b> │ positive and negative spans:│
//!           ├───────────┴─────────────────┴──────┬──────────────┴────────────┴───────┴──────────┤ offset <varint>,            │
//!           │ positive and negative buckets      │ bounds <8b>, only of custom buckets          │ length <uvarint>            │
//!           └────────────────────────────────────┴──────────────────────────────────────────────┴─────────────────────────────┘
//! ```
//!
//! Counts are uvarints and buckets varints where counts are integers (7, 9, 12), and floats of 8 bytes otherwise; each list begins with
//! its length. Histograms with custom buckets are in records of their own (9, 10), but for those with start times.

use model::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Histogram, MAX_SCHEMA, Millis, Span,
    bucket_count, is_stored_schema,
};

use super::record::{HistogramRecord, body, skip_start_time};
use crate::encoding::{Decoder, Malformed, put_uvarint, put_varint};

/// A histogram sample, of [`Histogram`] or [`FloatHistogram`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefHistogram<H> {
    pub(crate) series_ref: u64,
    pub(crate) timestamp: Millis,
    pub(crate) histogram: H,
}

/// A kind of histograms that is written to records.
pub(crate) trait Written {
    /// The types of records of exponential and of custom buckets.
    const TYPES: [u8; 2];

    fn schema(&self) -> i32;

    fn put(&self, out: &mut Vec<u8>);
}

/// A kind of histograms that is read from records.
pub(crate) trait Recorded: Written + Sized {
    /// Whether there are as many buckets as the spans say.
    fn is_whole(&self) -> bool;

    /// Merges buckets until the histogram can be computed with.
    fn limit_resolution(&mut self);

    fn take(decoder: &mut Decoder<'_>) -> Result<Self, Malformed>;
}

/// The records of histograms: one of those with exponential buckets, one of those with custom buckets; empty where there are none.
pub(crate) fn encode_histograms<H: Written>(samples: &[RefHistogram<H>]) -> [Vec<u8>; 2] {
    let is_custom = |sample: &&RefHistogram<H>| sample.histogram.schema() == CUSTOM_BUCKETS_SCHEMA;
    let [exponential, custom] = H::TYPES;
    // As in Prometheus, the first sample of all is the base, even if it lies in the other record.
    let base = samples.first();
    [
        encode(exponential, base, samples.iter().filter(|sample| !is_custom(sample))),
        encode(custom, samples.iter().find(is_custom), samples.iter().filter(is_custom)),
    ]
}

fn encode<'a, H: Written + 'a>(
    record_type: u8,
    base: Option<&RefHistogram<H>>,
    samples: impl Iterator<Item = &'a RefHistogram<H>>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(base) = base else {
        return out;
    };
    for sample in samples {
        if out.is_empty() {
            out.push(record_type);
            out.extend_from_slice(&base.series_ref.to_be_bytes());
            out.extend_from_slice(&base.timestamp.to_be_bytes());
        }
        put_varint(&mut out, sample.series_ref.wrapping_sub(base.series_ref) as i64);
        put_varint(&mut out, sample.timestamp.wrapping_sub(base.timestamp));
        sample.histogram.put(&mut out);
    }
    out
}

/// Hands each sample of a record of kind `H` to `visit`; start times are passed over. Returns how many samples were left out because they
/// have a schema of later versions, or other buckets than their spans say.
pub(crate) fn decode_histograms<H: Recorded>(
    record: &[u8],
    kind: HistogramRecord,
    mut visit: impl FnMut(RefHistogram<H>),
) -> Result<usize, Malformed> {
    let mut left_out = 0;
    walk(record, kind.start_times, |series_ref, timestamp, decoder| {
        let mut histogram = H::take(decoder)?;
        if is_stored_schema(histogram.schema()) && histogram.is_whole() {
            histogram.limit_resolution();
            visit(RefHistogram { series_ref, timestamp, histogram });
        } else {
            left_out += 1;
        }
        Ok(())
    })?;
    Ok(left_out)
}

/// Shows the timestamp of each sample of a histogram record to `visit`, without its histogram.
pub(crate) fn histogram_times(
    record: &[u8],
    kind: HistogramRecord,
    mut visit: impl FnMut(Millis),
) -> Result<(), Malformed> {
    walk(record, kind.start_times, |_, timestamp, decoder| {
        visit(timestamp);
        skip_histogram(decoder, kind.float)
    })
}

/// Shows reference and time of each sample, with the histogram to be taken from the decoder.
fn walk(
    record: &[u8],
    start_times: bool,
    mut visit: impl FnMut(u64, Millis, &mut Decoder<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    if decoder.is_empty() {
        return Ok(());
    }
    if !start_times {
        let (first_ref, first_time) = (decoder.be64()?, decoder.be64()? as i64);
        while !decoder.is_empty() {
            let series_ref = first_ref.wrapping_add(decoder.varint()? as u64);
            let timestamp = first_time.wrapping_add(decoder.varint()?);
            visit(series_ref, timestamp, &mut decoder)?;
        }
        return Ok(());
    }
    let mut series_ref = decoder.varint()? as u64;
    let first_time = decoder.varint()?;
    decoder.varint()?; // start time
    visit(series_ref, first_time, &mut decoder)?;
    while !decoder.is_empty() {
        series_ref = series_ref.wrapping_add(decoder.varint()? as u64);
        let timestamp = first_time.wrapping_add(decoder.varint()?);
        skip_start_time(&mut decoder)?;
        visit(series_ref, timestamp, &mut decoder)?;
    }
    Ok(())
}

fn skip_histogram(decoder: &mut Decoder<'_>, float: bool) -> Result<(), Malformed> {
    decoder.byte()?; // counter reset hint
    let schema = decoder.varint()?;
    decoder.be64()?; // zero threshold
    for _ in ["zero count", "count"] {
        if float {
            decoder.be64()?;
        } else {
            decoder.uvarint()?;
        }
    }
    decoder.be64()?; // sum
    for _ in ["positive spans", "negative spans"] {
        for _ in 0..decoder.count(2)? {
            decoder.varint()?;
            decoder.uvarint()?;
        }
    }
    for _ in ["positive buckets", "negative buckets"] {
        for _ in 0..decoder.count(1)? {
            if float {
                decoder.be64()?;
            } else {
                decoder.varint()?;
            }
        }
    }
    if schema == i64::from(CUSTOM_BUCKETS_SCHEMA) {
        let bounds = decoder.count(8)?;
        decoder.take(bounds * 8)?;
    }
    Ok(())
}

// === impl Written ===

impl<H: Written> Written for &H {
    const TYPES: [u8; 2] = H::TYPES;

    fn schema(&self) -> i32 {
        (**self).schema()
    }

    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl Written for Histogram {
    const TYPES: [u8; 2] = [7, 9];

    fn schema(&self) -> i32 {
        self.schema
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_head(out, self.counter_reset_hint, self.schema, self.zero_threshold);
        put_uvarint(out, self.zero_count);
        put_uvarint(out, self.count);
        put_float(out, self.sum);
        put_list(out, &self.positive_spans, put_span);
        put_list(out, &self.negative_spans, put_span);
        put_list(out, &self.positive_buckets, |out, bucket| put_varint(out, *bucket));
        put_list(out, &self.negative_buckets, |out, bucket| put_varint(out, *bucket));
        put_bounds(out, self.schema, &self.custom_values);
    }
}

impl Recorded for Histogram {
    fn is_whole(&self) -> bool {
        bucket_count(&self.positive_spans) == self.positive_buckets.len()
            && bucket_count(&self.negative_spans) == self.negative_buckets.len()
    }

    fn limit_resolution(&mut self) {
        self.reduce_resolution(MAX_SCHEMA);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let (counter_reset_hint, schema, zero_threshold) = take_head(decoder)?;
        Ok(Self {
            counter_reset_hint,
            schema,
            zero_threshold,
            zero_count: decoder.uvarint()?,
            count: decoder.uvarint()?,
            sum: decoder.float()?,
            positive_spans: take_list(decoder, 2, take_span)?,
            negative_spans: take_list(decoder, 2, take_span)?,
            positive_buckets: take_list(decoder, 1, Decoder::varint)?,
            negative_buckets: take_list(decoder, 1, Decoder::varint)?,
            custom_values: take_bounds(decoder, schema)?,
        })
    }
}

impl Written for FloatHistogram {
    const TYPES: [u8; 2] = [8, 10];

    fn schema(&self) -> i32 {
        self.schema
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_head(out, self.counter_reset_hint, self.schema, self.zero_threshold);
        put_float(out, self.zero_count);
        put_float(out, self.count);
        put_float(out, self.sum);
        put_list(out, &self.positive_spans, put_span);
        put_list(out, &self.negative_spans, put_span);
        put_list(out, &self.positive_buckets, |out, bucket| put_float(out, *bucket));
        put_list(out, &self.negative_buckets, |out, bucket| put_float(out, *bucket));
        put_bounds(out, self.schema, &self.custom_values);
    }
}

impl Recorded for FloatHistogram {
    fn is_whole(&self) -> bool {
        bucket_count(&self.positive_spans) == self.positive_buckets.len()
            && bucket_count(&self.negative_spans) == self.negative_buckets.len()
    }

    fn limit_resolution(&mut self) {
        self.reduce_resolution(MAX_SCHEMA);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let (counter_reset_hint, schema, zero_threshold) = take_head(decoder)?;
        Ok(Self {
            counter_reset_hint,
            schema,
            zero_threshold,
            zero_count: decoder.float()?,
            count: decoder.float()?,
            sum: decoder.float()?,
            positive_spans: take_list(decoder, 2, take_span)?,
            negative_spans: take_list(decoder, 2, take_span)?,
            positive_buckets: take_list(decoder, 8, Decoder::float)?,
            negative_buckets: take_list(decoder, 8, Decoder::float)?,
            custom_values: take_bounds(decoder, schema)?,
        })
    }
}

/// Hints in the order of their numbers.
const HINTS: [CounterResetHint; 4] =
    [CounterResetHint::Unknown, CounterResetHint::Reset, CounterResetHint::NotReset, CounterResetHint::Gauge];

fn put_head(out: &mut Vec<u8>, hint: CounterResetHint, schema: i32, zero_threshold: f64) {
    let number = HINTS.iter().position(|known| *known == hint);
    out.push(number.unwrap_or_default() as u8);
    put_varint(out, i64::from(schema));
    put_float(out, zero_threshold);
}

fn take_head(decoder: &mut Decoder<'_>) -> Result<(CounterResetHint, i32, f64), Malformed> {
    let hint = HINTS.get(usize::from(decoder.byte()?)).copied().unwrap_or_default();
    // What is no number of 32 bits is no schema that is known, either.
    let schema = i32::try_from(decoder.varint()?).unwrap_or(i32::MAX);
    Ok((hint, schema, decoder.float()?))
}

fn put_float(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_be_bytes());
}

fn put_span(out: &mut Vec<u8>, span: &Span) {
    put_varint(out, i64::from(span.offset));
    put_uvarint(out, u64::from(span.length));
}

fn take_span(decoder: &mut Decoder<'_>) -> Result<Span, Malformed> {
    let offset = i32::try_from(decoder.varint()?);
    let length = u32::try_from(decoder.uvarint()?);
    match (offset, length) {
        (Ok(offset), Ok(length)) => Ok(Span { offset, length }),
        _ => Err(Malformed("span is too large")),
    }
}

fn put_bounds(out: &mut Vec<u8>, schema: i32, bounds: &[f64]) {
    if schema == CUSTOM_BUCKETS_SCHEMA {
        put_list(out, bounds, |out, bound| put_float(out, *bound));
    }
}

fn take_bounds(decoder: &mut Decoder<'_>, schema: i32) -> Result<Vec<f64>, Malformed> {
    if schema == CUSTOM_BUCKETS_SCHEMA { take_list(decoder, 8, Decoder::float) } else { Ok(Vec::new()) }
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_uvarint(out, items.len() as u64);
    for item in items {
        put(out, item);
    }
}

/// Items take at least `least` bytes each, so that no more memory is reserved than the record justifies.
fn take_list<'a, T>(
    decoder: &mut Decoder<'a>,
    least: usize,
    take: impl Fn(&mut Decoder<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = decoder.count(least)?;
    (0..count).map(|_| take(decoder)).collect()
}

#[cfg(test)]
mod tests;
