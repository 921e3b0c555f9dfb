//! The payload of a frame: a batch of streams.
//!
//! Unsigned integers are LEB128, signed ones zigzag LEB128; a text is its length and its bytes.
//!
//! ```text
//! payload  = stream*
//! stream   = labels entries:uint entry*
//! labels   = pairs:uint (name:text value:text)*
//! entry    = delta:sint line:text labels
//! ```
//!
//! `delta` is the entry's time in nanoseconds less that of the entry before it in the stream, 0 before the first, modulo 2⁶⁴.

use bytes::Bytes;
use model::{Labels, LabelsBuilder, Nanos};
use streams::{Entry, Stream};

use crate::varint::{Reader, put_signed, put_unsigned};

/// A batch does not read: it passed its checksum, so it was written by something that is not this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record is malformed")]
pub(crate) struct Malformed;

/// Bytes of one encoded stream at most, without its labels: a longer one continues in the next record.
const SPLIT_AT: usize = 8 << 20;

/// Encodes streams into one or more payloads, none much longer than a few MiB unless a single line is.
pub(crate) fn encode(streams: &[Stream]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut payload = Vec::with_capacity(estimate(streams));
    for stream in streams {
        let mut rest = stream.entries.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(entries_that_fit(rest));
            put_stream(&mut payload, &stream.labels, now);
            rest = later;
            if payload.len() >= SPLIT_AT {
                payloads.push(std::mem::take(&mut payload));
            }
        }
    }
    if !payload.is_empty() {
        payloads.push(payload);
    }
    payloads
}

/// Decodes a payload; lines are slices of it.
pub(crate) fn decode(payload: &Bytes) -> Result<Vec<Stream>, Malformed> {
    let mut reader = Reader::new(payload);
    read_streams(&mut reader, payload).ok_or(Malformed)
}

fn estimate(streams: &[Stream]) -> usize {
    let entries = streams.iter().flat_map(|stream| &stream.entries);
    let bytes: usize = entries.map(|entry| entry.line.len() + 16).sum();
    (bytes + 256 * streams.len()).min(2 * SPLIT_AT)
}

/// How many of the entries go into the next record; at least one.
fn entries_that_fit(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let mut taken = 0;
    for entry in entries {
        bytes += entry.line.len() + entry.metadata.heap_bytes();
        if taken > 0 && bytes > SPLIT_AT {
            break;
        }
        taken += 1;
    }
    taken
}

fn put_stream(out: &mut Vec<u8>, labels: &Labels, entries: &[Entry]) {
    put_labels(out, labels);
    put_unsigned(out, entries.len() as u64);
    let mut last: Nanos = 0;
    for entry in entries {
        put_signed(out, entry.timestamp.wrapping_sub(last));
        put_text(out, &entry.line);
        put_labels(out, &entry.metadata);
        last = entry.timestamp;
    }
}

pub(crate) fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    if labels.is_empty() {
        out.push(0);
        return;
    }
    put_unsigned(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        put_text(out, name.as_bytes());
        put_text(out, value.as_bytes());
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_unsigned(out, text.len() as u64);
    out.extend_from_slice(text);
}

fn read_streams(reader: &mut Reader<'_>, payload: &Bytes) -> Option<Vec<Stream>> {
    let mut builder = LabelsBuilder::new();
    let mut streams = Vec::new();
    while !reader.is_empty() {
        let labels = read_labels(reader, &mut builder)?;
        let entry_count = reader.unsigned()?;
        // The shortest entry takes 3 bytes: no more room than the payload can fill.
        let mut entries = Vec::with_capacity(reader.at_most(entry_count, 3));
        let mut timestamp: Nanos = 0;
        for _ in 0..entry_count {
            timestamp = timestamp.wrapping_add(reader.signed()?);
            let line = reader.text()?;
            let line = payload.slice_ref(line);
            let metadata = read_labels(reader, &mut builder)?;
            entries.push(Entry { timestamp, line, metadata });
        }
        streams.push(Stream { labels, entries });
    }
    Some(streams)
}

pub(crate) fn read_labels(reader: &mut Reader<'_>, builder: &mut LabelsBuilder) -> Option<Labels> {
    let pairs = reader.unsigned()?;
    if pairs == 0 {
        return Some(Labels::empty());
    }
    builder.clear();
    for _ in 0..pairs {
        let name = std::str::from_utf8(reader.text()?).ok()?;
        let value = std::str::from_utf8(reader.text()?).ok()?;
        builder.set(name, value);
    }
    Some(builder.build())
}
