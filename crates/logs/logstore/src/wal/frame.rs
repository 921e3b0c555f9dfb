//! Frames: checked, compressed envelopes around payloads. The layout is drawn in the parent module.

use bytes::Bytes;

use super::WalCompression;

/// Begins every segment.
const MAGIC: [u8; 8] = *b"LGWAL\0\0\x01";
/// Begins every frame.
pub(super) const MARKER: [u8; 4] = *b"LGFR";
/// Bytes of a segment's header.
pub(super) const SEGMENT_HEADER: usize = 20;
/// Bytes of a frame's header.
pub(super) const FRAME_HEADER: usize = 24;
/// The longest payload, stored or decompressed. Bounds what a reader allocates on the word of a header.
pub(super) const MAX_PAYLOAD: usize = 64 << 20;

/// What stands at a place of a segment.
#[derive(Debug)]
pub(super) enum Parsed {
    /// A whole frame: its payload, decompressed, and where the next frame begins.
    Frame { payload: Bytes, next: usize },
    /// A frame whose header is good and whose payload is not.
    BadPayload { reason: &'static str, next: usize },
    /// No frame.
    BadHeader,
}

/// The header of a segment.
pub(super) fn segment_header(number: u64) -> [u8; SEGMENT_HEADER] {
    let mut header = [0; SEGMENT_HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&number.to_le_bytes());
    let crc = crc32c::crc32c(&header[..16]);
    header[16..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Whether `bytes` begin with the header of segment `number`.
pub(super) fn is_segment_header(bytes: &[u8], number: u64) -> bool {
    bytes.starts_with(&segment_header(number))
}

/// Appends a frame around `payload`; `false` where the payload is too long.
#[must_use]
pub(super) fn append_frame(out: &mut Vec<u8>, payload: &[u8], compression: WalCompression) -> bool {
    if payload.len() > MAX_PAYLOAD {
        return false;
    }
    let start = out.len();
    out.resize(start + FRAME_HEADER, 0);
    let code = compress_into(out, payload, compression);
    let stored = out.len() - start - FRAME_HEADER;
    let payload_crc = crc32c::crc32c(&out[start + FRAME_HEADER..]);
    let header = &mut out[start..start + FRAME_HEADER];
    header[..4].copy_from_slice(&MARKER);
    header[4] = code;
    header[8..12].copy_from_slice(&(stored as u32).to_le_bytes());
    header[12..16].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[16..20].copy_from_slice(&payload_crc.to_le_bytes());
    let header_crc = crc32c::crc32c(&header[..20]);
    header[20..].copy_from_slice(&header_crc.to_le_bytes());
    true
}

/// Appends the payload, compressed where that makes it shorter; returns the code of what was done.
fn compress_into(out: &mut Vec<u8>, payload: &[u8], compression: WalCompression) -> u8 {
    let start = out.len();
    let (code, room) = match compression {
        WalCompression::None => (0, 0),
        WalCompression::Snappy => (1, snap::raw::max_compress_len(payload.len())),
        WalCompression::Zstd => (2, zstd::zstd_safe::compress_bound(payload.len())),
    };
    out.resize(start + room, 0);
    let compressed = match compression {
        WalCompression::None => None,
        WalCompression::Snappy => snap::raw::Encoder::new().compress(payload, &mut out[start..]).ok(),
        WalCompression::Zstd => zstd::bulk::compress_to_buffer(payload, &mut out[start..], 1).ok(),
    };
    match compressed {
        Some(size) if size < payload.len() => {
            out.truncate(start + size);
            code
        }
        _ => {
            out.truncate(start);
            out.extend_from_slice(payload);
            0
        }
    }
}

/// Reads what stands at `at`.
pub(super) fn parse_frame(segment: &Bytes, at: usize) -> Parsed {
    let Some(header) = segment.get(at..at + FRAME_HEADER) else {
        return Parsed::BadHeader;
    };
    if header[..4] != MARKER || crc32c::crc32c(&header[..20]) != read_u32(header, 20) {
        return Parsed::BadHeader;
    }
    let (stored, raw) = (read_u32(header, 8) as usize, read_u32(header, 12) as usize);
    if stored > MAX_PAYLOAD || raw > MAX_PAYLOAD {
        return Parsed::BadHeader;
    }
    let start = at + FRAME_HEADER;
    let next = start + stored;
    if next > segment.len() {
        return Parsed::BadHeader;
    }
    let bytes = segment.slice(start..next);
    if crc32c::crc32c(&bytes) != read_u32(header, 16) {
        let reason = "checksum does not match";
        return Parsed::BadPayload { reason, next };
    }
    match decompress(bytes, header[4], raw) {
        Some(payload) => Parsed::Frame { payload, next },
        None => {
            let reason = "cannot be decompressed";
            Parsed::BadPayload { reason, next }
        }
    }
}

fn decompress(bytes: Bytes, code: u8, raw: usize) -> Option<Bytes> {
    let payload = match code {
        0 => bytes,
        1 => {
            if snap::raw::decompress_len(&bytes).ok()? != raw {
                return None;
            }
            snap::raw::Decoder::new().decompress_vec(&bytes).ok()?.into()
        }
        2 => zstd::bulk::decompress(&bytes, raw).ok()?.into(),
        _ => return None,
    };
    (payload.len() == raw).then_some(payload)
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}
