//! Loki push requests (`logproto.PushRequest`), read in place: lines stay slices of the request's body.

use bytes::Bytes;

use crate::{
    DecodeError,
    protobuf::{Fields, Value},
};

/// A stream as pushed: its labels still as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedStream {
    /// The labels as a selector: `{job="varlogs"}`.
    pub labels: String,
    /// Its entries.
    pub entries: Vec<PushedEntry>,
}

/// An entry as pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedEntry {
    /// Nanoseconds since the Unix epoch.
    pub timestamp: i64,
    /// The line, a slice of the body; not checked to be UTF-8.
    pub line: Bytes,
    /// Structured metadata in the order in which it was sent.
    pub metadata: Vec<(String, String)>,
}

/// Reads a decompressed request.
pub fn decode(body: &Bytes) -> Result<Vec<PushedStream>, DecodeError> {
    let mut streams = Vec::new();
    let mut fields = Fields::new(body);
    while let Some((field, value)) = fields.next()? {
        if field == 1 {
            streams.push(stream(body, value.bytes(field)?)?);
        }
    }
    Ok(streams)
}

fn stream(body: &Bytes, message: &[u8]) -> Result<PushedStream, DecodeError> {
    let mut stream = PushedStream { labels: String::new(), entries: Vec::new() };
    let mut fields = Fields::new(message);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => stream.labels = value.string(field)?.to_owned(),
            2 => stream.entries.push(entry(body, value.bytes(field)?)?),
            _ => {}
        }
    }
    Ok(stream)
}

fn entry(body: &Bytes, message: &[u8]) -> Result<PushedEntry, DecodeError> {
    let mut entry = PushedEntry { timestamp: 0, line: Bytes::new(), metadata: Vec::new() };
    let mut fields = Fields::new(message);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => entry.timestamp = timestamp(value.bytes(field)?)?,
            2 => entry.line = body.slice_ref(value.bytes(field)?),
            3 => entry.metadata.push(pair(value.bytes(field)?)?),
            _ => {}
        }
    }
    Ok(entry)
}

/// `google.protobuf.Timestamp`, saturating at the ends of what nanoseconds can say (the years 1677 and 2262).
fn timestamp(message: &[u8]) -> Result<i64, DecodeError> {
    let mut fields = Fields::new(message);
    let (mut seconds, mut nanos) = (0i64, 0i64);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Varint(number)) => seconds = number as i64,
            (2, Value::Varint(number)) => nanos = i64::from(number as i32),
            _ => {}
        }
    }
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(DecodeError::Nanos { nanos });
    }
    Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

fn pair(message: &[u8]) -> Result<(String, String), DecodeError> {
    let mut fields = Fields::new(message);
    let (mut name, mut text) = (String::new(), String::new());
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => name = value.string(field)?.to_owned(),
            2 => text = value.string(field)?.to_owned(),
            _ => {}
        }
    }
    Ok((name, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::loki as generated;

    fn request() -> generated::PushRequest {
        generated::PushRequest {
            streams: vec![generated::StreamAdapter {
                labels: "{job=\"x\"}".into(),
                entries: vec![generated::EntryAdapter {
                    timestamp: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 }),
                    line: "hello".into(),
                    structured_metadata: vec![generated::LabelPairAdapter {
                        name: "trace".into(),
                        value: "1".into(),
                    }],
                    parsed: vec![],
                }],
                hash: 7,
            }],
            format: String::new(),
        }
    }

    #[test]
    fn reads_what_the_generated_code_writes() {
        let body = Bytes::from(request().encode_to_vec());
        assert_eq!(
            decode(&body),
            Ok(vec![PushedStream {
                labels: "{job=\"x\"}".into(),
                entries: vec![PushedEntry {
                    timestamp: 1_700_000_000_000_000_005,
                    line: Bytes::from_static(b"hello"),
                    metadata: vec![("trace".into(), "1".into())],
                }],
            }])
        );
    }

    #[test]
    fn times_beyond_nanoseconds_saturate() {
        let mut far = request();
        far.streams[0].entries[0].timestamp = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 1 });
        let streams = decode(&Bytes::from(far.encode_to_vec())).expect("decodes");
        assert_eq!(streams[0].entries[0].timestamp, i64::MAX);
    }

    #[test]
    fn nanoseconds_beyond_a_second_are_refused() {
        let mut odd = request();
        odd.streams[0].entries[0].timestamp =
            Some(prost_types::Timestamp { seconds: 1, nanos: 1_000_000_000 });
        assert_eq!(
            decode(&Bytes::from(odd.encode_to_vec())),
            Err(DecodeError::Nanos { nanos: 1_000_000_000 })
        );
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&Bytes::from(body));
        }
    }
}
