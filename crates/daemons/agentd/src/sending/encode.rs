//! Push requests as bytes (`logproto.PushRequest`), written straight from the batch.
//!
//! Not by the generated code: its lines are strings, while log files hold whatever bytes programs write, and it would copy all of them
//! once more.

use super::{Outgoing, batch::Batch};

/// Field tags: the number of the field shifted by three, with the type 2 (length and bytes) or 0 (varint).
const STREAMS: u8 = 1 << 3 | 2;
const STREAM_LABELS: u8 = 1 << 3 | 2;
const STREAM_ENTRIES: u8 = 2 << 3 | 2;
const ENTRY_TIMESTAMP: u8 = 1 << 3 | 2;
const ENTRY_LINE: u8 = 2 << 3 | 2;
const ENTRY_METADATA: u8 = 3 << 3 | 2;
const PAIR_NAME: u8 = 1 << 3 | 2;
const PAIR_VALUE: u8 = 2 << 3 | 2;
const TIMESTAMP_SECONDS: u8 = 1 << 3;
const TIMESTAMP_NANOS: u8 = 2 << 3;

/// Encodes a batch.
pub(super) fn encode(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.bytes() + 64 * batch.entries() + 256);
    let (mut stream, mut entry, mut small) = (Vec::new(), Vec::new(), Vec::new());
    for (labels, entries) in batch.streams() {
        stream.clear();
        put_bytes(&mut stream, STREAM_LABELS, labels.to_string().as_bytes());
        for outgoing in entries {
            entry.clear();
            put_entry(&mut entry, &mut small, outgoing);
            put_bytes(&mut stream, STREAM_ENTRIES, &entry);
        }
        put_bytes(&mut out, STREAMS, &stream);
    }
    out
}

fn put_entry(out: &mut Vec<u8>, small: &mut Vec<u8>, outgoing: &Outgoing) {
    let nanoseconds = outgoing.timestamp.as_nanosecond();
    let seconds = nanoseconds.div_euclid(1_000_000_000) as i64;
    let nanos = nanoseconds.rem_euclid(1_000_000_000) as u64;
    small.clear();
    // A zero is left out, as everywhere in protobuf.
    for (tag, value) in [(TIMESTAMP_SECONDS, seconds as u64), (TIMESTAMP_NANOS, nanos)] {
        if value != 0 {
            small.push(tag);
            put_varint(small, value);
        }
    }
    put_bytes(out, ENTRY_TIMESTAMP, small);
    put_bytes(out, ENTRY_LINE, &outgoing.line);
    for (name, value) in &outgoing.metadata {
        small.clear();
        put_bytes(small, PAIR_NAME, name.as_bytes());
        put_bytes(small, PAIR_VALUE, value.as_bytes());
        put_bytes(out, ENTRY_METADATA, small);
    }
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;
    use pipeline::LabelSet;

    use super::*;

    #[test]
    fn is_what_the_decoder_reads() {
        let mut batch = Batch::new(std::time::Instant::now());
        let labels = LabelSet::new([("job", "a\"b"), ("empty", "")]);
        for (line, nanos) in [(&b"caf\xe9"[..], 1_700_000_000_000_000_005_i128), (b"", -1), (b"x", 0)] {
            batch.add(Outgoing {
                labels: labels.clone(),
                timestamp: Timestamp::from_nanosecond(nanos).expect("in range"),
                line: Bytes::copy_from_slice(line),
                metadata: vec![("trace".into(), "1".into())],
                acks: Vec::new(),
            });
        }
        let streams = wire::loki_push::decode(&encode(&batch).into()).expect("decodes");
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0].labels, r#"{empty="", job="a\"b"}"#);
        let entries: Vec<_> =
            streams[0].entries.iter().map(|entry| (entry.line.as_ref(), entry.timestamp)).collect();
        assert_eq!(entries, [(&b"caf\xe9"[..], 1_700_000_000_000_000_005), (b"", -1), (b"x", 0)]);
        assert_eq!(streams[0].entries[0].metadata, [("trace".to_owned(), "1".to_owned())]);
    }
}
