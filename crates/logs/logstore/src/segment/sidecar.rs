//! The sidecar index of a segment.
//!
//! Integers in the header are little-endian; those in the body are as in the write-ahead log's records (LEB128, zigzag where signed), and
//! so are labels. `crc` is CRC-32C.
//!
//! ```text
//! header, 24 bytes
//!   0   8  magic   "LGIDX\0\0\1": the last byte is the version
//!   8   8  size    of the body
//!  16   4  crc     of the body
//!  20   4  crc     of bytes 0..20
//!
//! body    = parquet_size:uint origin:text groups:uint group* streams:uint stream*
//! group   = rows:uint first:sint length:uint text_bytes:uint filter_size:uint filter_crc:4 bytes
//! stream  = labels rows:uint first:sint length:uint text_bytes:uint
//!
//! filters, one behind the other in the order of the groups; a group with filter_size 0 has none
//! ```
//!
//! `first` is the least time in nanoseconds and `length` how much greater the greatest is; `origin` is the JSON text that also lies in the
//! Parquet file. A sidecar whose `parquet_size` is not the size of the Parquet file beside it belongs to another file.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use model::LabelsBuilder;

use super::{
    FilterPlace, Group, Layout, Origin, StreamRows,
    tokens::{MAX_FILTER_BYTES, TokenFilter},
};
use crate::{
    varint::{Reader, put_signed, put_unsigned},
    wal::record::{put_labels, read_labels},
};

const MAGIC: [u8; 8] = *b"LGIDX\0\0\x01";
const HEADER: usize = 24;

/// The sidecar of a segment as bytes; `filters` are in the order of the groups. Fills in where the filters lie.
pub(super) fn encode(layout: &mut Layout, filters: &[Option<TokenFilter>], parquet_size: u64) -> Vec<u8> {
    let blobs: Vec<Vec<u8>> =
        filters.iter().map(|filter| filter.as_ref().map_or_else(Vec::new, TokenFilter::to_bytes)).collect();
    let mut body = Vec::new();
    put_unsigned(&mut body, parquet_size);
    let origin = origin_json(&layout.origin);
    put_unsigned(&mut body, origin.len() as u64);
    body.extend_from_slice(origin.as_bytes());
    put_unsigned(&mut body, layout.groups.len() as u64);
    for (group, blob) in layout.groups.iter().zip(&blobs) {
        put_unsigned(&mut body, group.rows.end - group.rows.start);
        put_signed(&mut body, group.first);
        put_unsigned(&mut body, group.last.wrapping_sub(group.first) as u64);
        put_unsigned(&mut body, group.text_bytes);
        put_unsigned(&mut body, blob.len() as u64);
        body.extend_from_slice(&crc32c::crc32c(blob).to_le_bytes());
    }
    put_unsigned(&mut body, layout.streams.len() as u64);
    for stream in &layout.streams {
        put_labels(&mut body, &stream.labels);
        put_unsigned(&mut body, stream.rows.end - stream.rows.start);
        put_signed(&mut body, stream.first);
        put_unsigned(&mut body, stream.last.wrapping_sub(stream.first) as u64);
        put_unsigned(&mut body, stream.text_bytes);
    }
    place_filters(layout, &blobs, (HEADER + body.len()) as u64);
    let mut bytes = with_header(&body);
    blobs.iter().for_each(|blob| bytes.extend_from_slice(blob));
    bytes
}

/// Reads the sidecar of a Parquet file of the given size, without its filters. `None` where that is of no use.
pub(super) fn read(path: &Path, parquet_size: u64) -> Option<Layout> {
    let file = File::open(path).ok()?;
    let mut bytes = vec![0; HEADER];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let size = body_size(&bytes)?;
    if size > file.metadata().ok()?.len() {
        return None;
    }
    bytes.resize(HEADER + usize::try_from(size).ok()?, 0);
    file.read_exact_at(&mut bytes[HEADER..], HEADER as u64).ok()?;
    decode(&bytes, parquet_size)
}

/// Reads a sidecar. `None` where it is damaged, of another version, or of another Parquet file.
pub(super) fn decode(bytes: &[u8], parquet_size: u64) -> Option<Layout> {
    let header = bytes.get(..HEADER)?;
    let end = HEADER.checked_add(usize::try_from(body_size(header)?).ok()?)?;
    let body = bytes.get(HEADER..end)?;
    if crc32c::crc32c(body) != u32_at(header, 16) {
        return None;
    }
    let layout = decode_body(body, parquet_size, end as u64)?;
    layout.is_consistent().then_some(layout)
}

/// Reads one filter from an open sidecar.
pub(super) fn read_filter(file: &File, place: FilterPlace) -> io::Result<TokenFilter> {
    let mut bytes = vec![0; place.bytes as usize];
    file.read_exact_at(&mut bytes, place.offset)?;
    let filter = (crc32c::crc32c(&bytes) == place.crc).then(|| TokenFilter::from_bytes(&bytes)).flatten();
    filter.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "checksum does not match"))
}

pub(super) fn origin_json(origin: &Origin) -> String {
    serde_json::to_string(origin).expect("BUG: an origin always serialises")
}

/// The size of the body, if the header is one.
fn body_size(header: &[u8]) -> Option<u64> {
    if header[..8] != MAGIC || crc32c::crc32c(&header[..20]) != u32_at(header, 20) {
        return None;
    }
    let mut size = [0; 8];
    size.copy_from_slice(&header[8..16]);
    Some(u64::from_le_bytes(size))
}

fn decode_body(body: &[u8], parquet_size: u64, filters_at: u64) -> Option<Layout> {
    let mut reader = Reader::new(body);
    if reader.unsigned()? != parquet_size {
        return None;
    }
    let mut layout = Layout { origin: serde_json::from_slice(reader.text()?).ok()?, ..Layout::default() };
    let mut offset = filters_at;
    let mut next = 0u64;
    for _ in 0..reader.unsigned()? {
        let rows = next..next.checked_add(reader.unsigned()?)?;
        next = rows.end;
        let first = reader.signed()?;
        let last = first.checked_add_unsigned(reader.unsigned()?)?;
        let text_bytes = reader.unsigned()?;
        let bytes = u32::try_from(reader.unsigned()?).ok().filter(|bytes| *bytes <= MAX_FILTER_BYTES)?;
        let crc = u32_at(reader.bytes(4)?, 0);
        layout.groups.push(Group {
            rows,
            first,
            last,
            text_bytes,
            filter: (bytes > 0).then_some(FilterPlace { offset, bytes, crc }),
        });
        offset += u64::from(bytes);
    }
    let mut builder = LabelsBuilder::new();
    let mut next = 0u64;
    for _ in 0..reader.unsigned()? {
        let labels = read_labels(&mut reader, &mut builder)?;
        let rows = next..next.checked_add(reader.unsigned()?)?;
        next = rows.end;
        let first = reader.signed()?;
        layout.streams.push(StreamRows {
            labels,
            rows,
            first,
            last: first.checked_add_unsigned(reader.unsigned()?)?,
            text_bytes: reader.unsigned()?,
        });
    }
    reader.is_empty().then_some(layout)
}

fn place_filters(layout: &mut Layout, blobs: &[Vec<u8>], mut offset: u64) {
    for (group, blob) in layout.groups.iter_mut().zip(blobs) {
        group.filter = (!blob.is_empty()).then(|| FilterPlace {
            offset,
            bytes: blob.len() as u32,
            crc: crc32c::crc32c(blob),
        });
        offset += blob.len() as u64;
    }
}

/// The body behind its header.
pub(super) fn with_header(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}
