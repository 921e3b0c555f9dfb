//! JSON push bodies, read in place: lines without escapes stay slices of the body.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use bytes::Bytes;
use jiff::Timestamp;
use model::{Nanos, write_quoted};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use wire::loki_push::{PushedEntry, PushedStream};

/// `{"streams":[{"stream":{…},"values":[["<ns>","line",{…}?],…]}]}`
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(default, borrow)]
    streams: Option<Vec<Stream<'a>>>,
}

#[derive(Deserialize)]
struct Stream<'a> {
    #[serde(default)]
    stream: LabelSet,
    #[serde(default, borrow)]
    values: Option<Vec<Value<'a>>>,
}

/// Labels; numbers, booleans and null count as their texts.
#[derive(Default)]
struct LabelSet(BTreeMap<String, String>);

/// `["<ns>","line",{"sm":"string"}?]`; more elements are ignored, as Loki ignores them.
struct Value<'a> {
    timestamp: Nanos,
    line: Text<'a>,
    metadata: Vec<(String, String)>,
}

/// A text, borrowed from the body where it has no escapes.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

/// `{"streams":[{"labels":"{…}","entries":[{"ts":"<RFC 3339>","line":"…"}]}]}`
#[derive(Deserialize)]
struct LegacyRequest<'a> {
    #[serde(default, borrow)]
    streams: Vec<LegacyStream<'a>>,
}

#[derive(Deserialize)]
struct LegacyStream<'a> {
    #[serde(default)]
    labels: String,
    #[serde(default, borrow)]
    entries: Vec<LegacyEntry<'a>>,
}

#[derive(Deserialize)]
struct LegacyEntry<'a> {
    #[serde(borrow)]
    ts: Text<'a>,
    #[serde(default, borrow)]
    line: Text<'a>,
}

/// Reads a body of `/loki/api/v1/push`.
pub(super) fn decode(body: &Bytes) -> Result<Vec<PushedStream>, serde_json::Error> {
    let body = &valid(body);
    let request: Request<'_> = serde_json::from_str(object(body)?)?;
    let stream = |Stream { stream, values }: Stream<'_>| PushedStream {
        labels: stream.to_string(),
        entries: values
            .unwrap_or_default()
            .into_iter()
            .map(|Value { timestamp, line, metadata }| PushedEntry {
                timestamp,
                line: line.into_bytes(body),
                metadata,
            })
            .collect(),
    };
    Ok(request.streams.unwrap_or_default().into_iter().map(stream).collect())
}

/// Reads a body of `/api/prom/push`.
pub(super) fn decode_legacy(body: &Bytes) -> Result<Vec<PushedStream>, serde_json::Error> {
    let body = &valid(body);
    let request: LegacyRequest<'_> = serde_json::from_str(object(body)?)?;
    let mut streams = Vec::with_capacity(request.streams.len());
    for LegacyStream { labels, entries } in request.streams {
        let mut read = Vec::with_capacity(entries.len());
        for LegacyEntry { ts, line } in entries {
            let timestamp =
                ts.0.parse::<Timestamp>().ok().and_then(|time| Nanos::try_from(time.as_nanosecond()).ok());
            let timestamp = timestamp.ok_or_else(|| {
                serde_json::Error::custom(format!("timestamp {:?} is not a time in RFC 3339", ts.0))
            })?;
            read.push(PushedEntry { timestamp, line: line.into_bytes(body), metadata: Vec::new() });
        }
        streams.push(PushedStream { labels, entries: read });
    }
    Ok(streams)
}

/// The body as UTF-8; what is not becomes replacement characters.
fn valid(body: &Bytes) -> Bytes {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(_) => body.clone(),
        Cow::Owned(text) => text.into(),
    }
}

/// The text, which must be an object: a list of fields in their order would read as well.
fn object(valid: &Bytes) -> Result<&str, serde_json::Error> {
    let text = std::str::from_utf8(valid).unwrap_or_default();
    match text.trim_start().chars().next() {
        None => Err(serde_json::Error::custom("EOF")),
        Some('{') => Ok(text),
        Some(other) => Err(serde_json::Error::custom(format!("expected an object, but found {other:?}"))),
    }
}

impl Text<'_> {
    fn into_bytes(self, body: &Bytes) -> Bytes {
        match self.0 {
            Cow::Borrowed("") => Bytes::new(),
            Cow::Borrowed(text) => body.slice_ref(text.as_bytes()),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
            f.write_str("=")?;
            write_quoted(f, value)?;
        }
        f.write_str("}")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SetVisitor;
        impl<'de> Visitor<'de> for SetVisitor {
            type Value = LabelSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_unit<E>(self) -> Result<LabelSet, E> {
                Ok(LabelSet::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelSet, A::Error> {
                let mut labels = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = match map.next_value::<serde_json::Value>()? {
                        serde_json::Value::String(text) => text,
                        other @ (serde_json::Value::Object(_) | serde_json::Value::Array(_)) => {
                            return Err(A::Error::custom(format!("label {name:?} is not a string: {other}")));
                        }
                        other => other.to_string(),
                    };
                    labels.insert(name, value);
                }
                Ok(LabelSet(labels))
            }
        }
        deserializer.deserialize_any(SetVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[timestamp, line, structured metadata]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
                let timestamp: Text<'de> =
                    seq.next_element()?.ok_or_else(|| A::Error::custom("an entry has no timestamp"))?;
                let timestamp = timestamp.0.parse().map_err(|_| {
                    let text = format!("timestamp {:?} is not a number of nanoseconds", timestamp.0);
                    A::Error::custom(text)
                })?;
                let line = seq.next_element()?.unwrap_or_default();
                let metadata = seq.next_element::<Metadata>()?.unwrap_or_default().0;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value { timestamp, line, metadata })
            }
        }
        deserializer.deserialize_seq(ValueVisitor)
    }
}

/// Structured metadata: an object of strings.
#[derive(Default)]
struct Metadata(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;
        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    pairs.push(pair);
                }
                Ok(Metadata(pairs))
            }
        }
        deserializer.deserialize_map(MetadataVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_without_escapes_stay_in_the_body() {
        let body = Bytes::from_static(
            br#"{"streams":[{"stream":{"b":"x","a":1},"values":[["5","plain",{"k":"v"},"more"],["-6","q\"\n"],["7"]]}],"x":[]}"#,
        );
        let streams = decode(&body).expect("valid");
        assert_eq!(streams[0].labels, r#"{a="1", b="x"}"#);
        let entries = &streams[0].entries;
        assert_eq!(entries[0].metadata, [("k".to_owned(), "v".to_owned())]);
        assert_eq!((entries[0].timestamp, entries[1].timestamp), (5, -6));
        assert_eq!((entries[1].line.as_ref(), entries[2].line.as_ref()), (&b"q\"\n"[..], &b""[..]));
        let range = body.as_ptr_range();
        assert!(range.contains(&entries[0].line.as_ptr()));
    }

    #[test]
    fn what_does_not_read_is_refused() {
        for bad in [
            "",
            "[]",
            "5",
            r#"{"streams":5}"#,
            r#"{"streams":[{"stream":{},"values":[[5,"x"]]}]}"#,
            r#"{"streams":[{"stream":{},"values":[["x","x"]]}]}"#,
            r#"{"streams":[{"stream":{},"values":[["5",5]]}]}"#,
            r#"{"streams":[{"stream":{},"values":[["5","x",{"n":1}]]}]}"#,
            r#"{"streams":[{"stream":{},"values":[["5","x",{"n":{"m":"v"}}]]}]}"#,
            r#"{"streams":[{"stream":{"a":{}},"values":[]}]}"#,
            r#"{"streams":[{"stream":{},"values":[[]]}]}"#,
        ] {
            assert!(decode(&Bytes::from_static(bad.as_bytes())).is_err(), "{bad}");
        }
        for (empty, count) in [("{}", 0), (r#"{"streams":null}"#, 0), (r#"{"streams":[{}]}"#, 1)] {
            assert_eq!(decode(&Bytes::from_static(empty.as_bytes())).expect(empty).len(), count);
        }
    }

    #[test]
    fn the_old_layout() {
        let body = Bytes::from_static(
            br#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"2026-01-15T10:00:00.5Z","line":"x"}]}]}"#,
        );
        let streams = decode_legacy(&body).expect("valid");
        assert_eq!(streams[0].labels, r#"{a="b"}"#);
        assert_eq!(streams[0].entries[0].timestamp, 1_768_471_200_500_000_000);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in r#"[{}\[\]":,a-z0-9\\ ]{0,80}"#) {
            let _ = decode(&Bytes::from(body.clone()));
            let _ = decode_legacy(&Bytes::from(body));
        }
    }
}
