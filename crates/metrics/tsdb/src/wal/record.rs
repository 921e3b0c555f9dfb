//! What records say: the bytes behind the compression. The first one is the type.

use model::{Labels, LabelsBuilder, Millis};
use storage::{Metadata, MetricType};

use crate::encoding::{Decoder, Malformed, put_str, put_uvarint, put_varint};

pub(crate) use super::histogram_record::{
    Recorded, RefHistogram, decode_histograms, encode_histograms, histogram_times,
};

/// The type byte of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordType {
    Series,
    Samples,
    Tombstones,
    Exemplars,
    MmapMarkers,
    Metadata,
    /// Samples with start times.
    SamplesV2,
    /// Native histograms of every kind.
    Histograms(HistogramRecord),
    /// From a version that knows more than this one.
    Unknown(u8),
}

/// The kinds of histogram records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HistogramRecord {
    /// Float counts, not integers.
    pub(crate) float: bool,
    /// Samples carry start times.
    pub(crate) start_times: bool,
}

/// A float sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RefSample {
    pub(crate) series_ref: u64,
    pub(crate) timestamp: Millis,
    pub(crate) value: f64,
}

/// In the log of out-of-order samples: what it has of a series before this is in chunks, the last of which is at `chunk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefMarker {
    pub(crate) series_ref: u64,
    /// Number of the file in the upper half, offset in the lower; 0 for none.
    pub(crate) chunk: u64,
}

/// Deleted samples of a series, both times inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefTombstone {
    pub(crate) series_ref: u64,
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
}

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefExemplar {
    pub(crate) series_ref: u64,
    pub(crate) timestamp: Millis,
    pub(crate) value: f64,
    pub(crate) labels: Labels,
}

/// A series' metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefMetadata {
    pub(crate) series_ref: u64,
    pub(crate) metadata: Metadata,
}

// === impl RecordType ===

impl RecordType {
    /// The type of a record; an empty one has none.
    pub(crate) fn of(record: &[u8]) -> Option<Self> {
        let histograms = |float, start_times| Self::Histograms(HistogramRecord { float, start_times });
        Some(match record.first()? {
            1 => Self::Series,
            2 => Self::Samples,
            3 => Self::Tombstones,
            4 => Self::Exemplars,
            5 => Self::MmapMarkers,
            6 => Self::Metadata,
            // 9 and 10 hold custom buckets, which the schema tells as well.
            7 | 9 => histograms(false, false),
            8 | 10 => histograms(true, false),
            11 => Self::SamplesV2,
            12 => histograms(false, true),
            13 => histograms(true, true),
            other => Self::Unknown(*other),
        })
    }
}

/// A series record.
pub(crate) fn encode_series(series: &[(u64, Labels)]) -> Vec<u8> {
    let mut out = vec![1];
    for (series_ref, labels) in series {
        out.extend_from_slice(&series_ref.to_be_bytes());
        put_labels(&mut out, labels);
    }
    out
}

/// Hands each series of a record to `visit`.
pub(crate) fn decode_series(record: &[u8], mut visit: impl FnMut(u64, Labels)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    let mut builder = LabelsBuilder::new();
    while !decoder.is_empty() {
        let series_ref = decoder.be64()?;
        let labels = take_labels(&mut decoder, &mut builder)?;
        visit(series_ref, labels);
    }
    Ok(())
}

/// Hands the number of each series of a record to `visit`, and passes over the labels.
pub(crate) fn decode_series_refs(record: &[u8], mut visit: impl FnMut(u64)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    while !decoder.is_empty() {
        let series_ref = decoder.be64()?;
        for _ in 0..decoder.count(2)? {
            decoder.bytes()?;
            decoder.bytes()?;
        }
        visit(series_ref);
    }
    Ok(())
}

/// A samples record; empty for no samples.
pub(crate) fn encode_samples(samples: impl IntoIterator<Item = RefSample>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut base: Option<RefSample> = None;
    for sample in samples {
        let first = base.get_or_insert_with(|| {
            out.push(2);
            out.extend_from_slice(&sample.series_ref.to_be_bytes());
            out.extend_from_slice(&sample.timestamp.to_be_bytes());
            sample
        });
        put_varint(&mut out, sample.series_ref.wrapping_sub(first.series_ref) as i64);
        put_varint(&mut out, sample.timestamp.wrapping_sub(first.timestamp));
        out.extend_from_slice(&sample.value.to_bits().to_be_bytes());
    }
    out
}

/// Hands each sample of a record to `visit`; start times are passed over.
pub(crate) fn decode_samples(record: &[u8], mut visit: impl FnMut(RefSample)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    if decoder.is_empty() {
        return Ok(());
    }
    if RecordType::of(record) == Some(RecordType::SamplesV2) {
        return decode_samples_v2(decoder, visit);
    }
    let (first_ref, first_time) = (decoder.be64()?, decoder.be64()? as i64);
    while !decoder.is_empty() {
        visit(RefSample {
            series_ref: first_ref.wrapping_add(decoder.varint()? as u64),
            timestamp: first_time.wrapping_add(decoder.varint()?),
            value: decoder.float()?,
        });
    }
    Ok(())
}

/// Refs are deltas to the sample before, times deltas to the first.
fn decode_samples_v2(mut decoder: Decoder<'_>, mut visit: impl FnMut(RefSample)) -> Result<(), Malformed> {
    let mut series_ref = decoder.varint()? as u64;
    let first_time = decoder.varint()?;
    decoder.varint()?; // start time
    visit(RefSample { series_ref, timestamp: first_time, value: decoder.float()? });
    while !decoder.is_empty() {
        series_ref = series_ref.wrapping_add(decoder.varint()? as u64);
        let timestamp = first_time.wrapping_add(decoder.varint()?);
        skip_start_time(&mut decoder)?;
        visit(RefSample { series_ref, timestamp, value: decoder.float()? });
    }
    Ok(())
}

/// A marker: 0 no start time, 1 that of the sample before, else a delta follows.
pub(super) fn skip_start_time(decoder: &mut Decoder<'_>) -> Result<(), Malformed> {
    if decoder.byte()? > 1 {
        decoder.varint()?;
    }
    Ok(())
}

/// A record of markers; empty for no markers.
pub(crate) fn encode_markers(markers: &[RefMarker]) -> Vec<u8> {
    let mut out = Vec::new();
    for marker in markers {
        if out.is_empty() {
            out.push(5);
        }
        out.extend_from_slice(&marker.series_ref.to_be_bytes());
        out.extend_from_slice(&marker.chunk.to_be_bytes());
    }
    out
}

/// Hands each marker of a record to `visit`.
pub(crate) fn decode_markers(record: &[u8], mut visit: impl FnMut(RefMarker)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    while !decoder.is_empty() {
        visit(RefMarker { series_ref: decoder.be64()?, chunk: decoder.be64()? });
    }
    Ok(())
}

/// A tombstones record.
pub(crate) fn encode_tombstones(tombstones: &[RefTombstone]) -> Vec<u8> {
    let mut out = vec![3];
    for tombstone in tombstones {
        out.extend_from_slice(&tombstone.series_ref.to_be_bytes());
        put_varint(&mut out, tombstone.min_time);
        put_varint(&mut out, tombstone.max_time);
    }
    out
}

/// Hands each tombstone of a record to `visit`.
pub(crate) fn decode_tombstones(record: &[u8], mut visit: impl FnMut(RefTombstone)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    while !decoder.is_empty() {
        visit(RefTombstone {
            series_ref: decoder.be64()?,
            min_time: decoder.varint()?,
            max_time: decoder.varint()?,
        });
    }
    Ok(())
}

/// An exemplars record; empty for no exemplars.
pub(crate) fn encode_exemplars(exemplars: &[RefExemplar]) -> Vec<u8> {
    let Some(first) = exemplars.first() else {
        return Vec::new();
    };
    let mut out = vec![4];
    out.extend_from_slice(&first.series_ref.to_be_bytes());
    out.extend_from_slice(&first.timestamp.to_be_bytes());
    for exemplar in exemplars {
        put_varint(&mut out, exemplar.series_ref.wrapping_sub(first.series_ref) as i64);
        put_varint(&mut out, exemplar.timestamp.wrapping_sub(first.timestamp));
        out.extend_from_slice(&exemplar.value.to_bits().to_be_bytes());
        put_labels(&mut out, &exemplar.labels);
    }
    out
}

/// Hands each exemplar of a record to `visit`.
pub(crate) fn decode_exemplars(record: &[u8], mut visit: impl FnMut(RefExemplar)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    if decoder.is_empty() {
        return Ok(());
    }
    let mut builder = LabelsBuilder::new();
    let (first_ref, first_time) = (decoder.be64()?, decoder.be64()? as i64);
    while !decoder.is_empty() {
        visit(RefExemplar {
            series_ref: first_ref.wrapping_add(decoder.varint()? as u64),
            timestamp: first_time.wrapping_add(decoder.varint()?),
            value: decoder.float()?,
            labels: take_labels(&mut decoder, &mut builder)?,
        });
    }
    Ok(())
}

const METRIC_TYPES: [MetricType; 8] = [
    MetricType::Unknown,
    MetricType::Counter,
    MetricType::Gauge,
    MetricType::Histogram,
    MetricType::GaugeHistogram,
    MetricType::Summary,
    MetricType::Info,
    MetricType::StateSet,
];

/// A metadata record.
pub(crate) fn encode_metadata(all: &[RefMetadata]) -> Vec<u8> {
    let mut out = vec![6];
    for RefMetadata { series_ref, metadata } in all {
        put_uvarint(&mut out, *series_ref);
        let number = METRIC_TYPES.iter().position(|known| *known == metadata.metric_type);
        out.push(number.unwrap_or_default() as u8);
        put_uvarint(&mut out, 2);
        for text in ["UNIT", &metadata.unit, "HELP", &metadata.help] {
            put_str(&mut out, text);
        }
    }
    out
}

/// Hands each series' metadata to `visit`; fields of later versions are passed over.
pub(crate) fn decode_metadata(record: &[u8], mut visit: impl FnMut(RefMetadata)) -> Result<(), Malformed> {
    let mut decoder = body(record)?;
    while !decoder.is_empty() {
        let series_ref = decoder.uvarint()?;
        let metric_type = METRIC_TYPES.get(usize::from(decoder.byte()?)).copied().unwrap_or_default();
        let mut metadata = Metadata { metric_type, ..Metadata::default() };
        for _ in 0..decoder.count(2)? {
            let (name, value) = (decoder.str()?, decoder.str()?);
            match name {
                "UNIT" => value.clone_into(&mut metadata.unit),
                "HELP" => value.clone_into(&mut metadata.help),
                _ => {}
            }
        }
        visit(RefMetadata { series_ref, metadata });
    }
    Ok(())
}

/// What follows the type.
pub(super) fn body(record: &[u8]) -> Result<Decoder<'_>, Malformed> {
    let mut decoder = Decoder::new(record);
    decoder.byte()?;
    Ok(decoder)
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_uvarint(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        put_str(out, name);
        put_str(out, value);
    }
}

fn take_labels(decoder: &mut Decoder<'_>, builder: &mut LabelsBuilder) -> Result<Labels, Malformed> {
    let count = decoder.count(2)?;
    if let Some((labels, size)) = Labels::from_short_pairs(decoder.rest(), count) {
        decoder.take(size)?;
        return Ok(labels);
    }
    builder.clear();
    for _ in 0..count {
        let (name, value) = (decoder.str()?, decoder.str()?);
        builder.set(name, value);
    }
    Ok(builder.build())
}
