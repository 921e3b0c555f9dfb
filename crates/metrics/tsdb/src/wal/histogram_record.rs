//! Records of native histograms, read as far as needed: this version does not keep such samples, but must know how old a record is.

use model::Millis;

use super::record::{HistogramRecord, body, skip_start_time};
use crate::encoding::{Decoder, Malformed};

/// The schema of histograms whose bucket bounds are listed.
const CUSTOM_BUCKETS: i64 = -53;

/// Number of samples in a histogram record and the newest timestamp among them; none for an empty record.
pub(crate) fn newest_histogram_time(
    record: &[u8],
    kind: HistogramRecord,
) -> Result<Option<(usize, Millis)>, Malformed> {
    let mut decoder = body(record)?;
    if decoder.is_empty() {
        return Ok(None);
    }
    let mut newest: Option<(usize, Millis)> = None;
    let mut note = |timestamp: Millis| {
        let (count, time) = newest.unwrap_or((0, timestamp));
        newest = Some((count + 1, time.max(timestamp)));
    };
    let first_time;
    if kind.start_times {
        decoder.varint()?; // ref
        first_time = decoder.varint()?;
        decoder.varint()?; // start time
        note(first_time);
        skip_histogram(&mut decoder, kind.float)?;
    } else {
        decoder.be64()?; // ref
        first_time = decoder.be64()? as i64;
    }
    while !decoder.is_empty() {
        decoder.varint()?; // ref
        note(first_time.wrapping_add(decoder.varint()?));
        if kind.start_times {
            skip_start_time(&mut decoder)?;
        }
        skip_histogram(&mut decoder, kind.float)?;
    }
    Ok(newest)
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
    if schema == CUSTOM_BUCKETS {
        let bounds = decoder.count(8)?;
        decoder.take(bounds * 8)?;
    }
    Ok(())
}
