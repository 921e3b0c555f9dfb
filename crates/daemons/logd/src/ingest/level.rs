//! Finds the level of a line: in labels, structured metadata, a JSON or logfmt field, or a word of the line.
//!
//! Order and words are those of Loki's `detected_level`.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::logfmt;

/// Words that tell a level when they stand alone in a line, and the level.
const WORDS: [(&str, &str); 9] = [
    ("trace", "trace"),
    ("debug", "debug"),
    ("fatal", "fatal"),
    ("critical", "critical"),
    ("error", "error"),
    ("err", "error"),
    ("warning", "warn"),
    ("warn", "warn"),
    ("info", "info"),
];

/// Values of level fields, in any case, and the level.
const VALUES: [(&str, &str); 14] = [
    ("trace", "trace"),
    ("trc", "trace"),
    ("debug", "debug"),
    ("dbg", "debug"),
    ("info", "info"),
    ("inf", "info"),
    ("information", "info"),
    ("warn", "warn"),
    ("wrn", "warn"),
    ("warning", "warn"),
    ("error", "error"),
    ("err", "error"),
    ("critical", "critical"),
    ("fatal", "fatal"),
];

/// Where no word tells.
const UNKNOWN: &str = "unknown";
/// OTLP's number of a severity, in structured metadata.
const SEVERITY_NUMBER: &str = "severity_number";

/// Finds levels in the fields it was told.
#[derive(Debug)]
pub(super) struct LevelDetector {
    fields: Vec<String>,
    /// Deepest JSON object that is looked into.
    max_depth: usize,
}

impl LevelDetector {
    /// `max_depth` 0 looks into objects of any depth that JSON is read to.
    pub fn new(fields: &[String], max_depth: usize) -> Self {
        Self { fields: fields.to_vec(), max_depth: if max_depth == 0 { usize::MAX } else { max_depth } }
    }

    /// The level that one of the labels tells; as it stands there if it is none of the known.
    pub fn of_labels<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
        self.fields.iter().find_map(|field| get(field)).map(normalize)
    }

    /// The level of a line without a label or structured metadata that tells it.
    pub fn of_line(&self, line: &str, severity_number: Option<&str>) -> &'static str {
        if let Some(number) = severity_number.filter(|number| !number.is_empty()) {
            return of_severity(number);
        }
        let trimmed = line.trim();
        let field = if trimmed.starts_with('{') && trimmed.ends_with('}') {
            self.of_json(trimmed)
        } else if line.contains('=') {
            logfmt::first_of(line, &self.fields).and_then(known)
        } else {
            None
        };
        field.unwrap_or_else(|| word_of(line))
    }

    /// The first level field of an object, in the order of the text. What stands after a mistake in the JSON is not looked at.
    fn of_json(&self, line: &str) -> Option<&'static str> {
        let found = Cell::new(None);
        let seed = LevelSeed { detector: self, found: &found, depth: 1 };
        // An error also ends the reading once the field is found.
        let _ = seed.deserialize(&mut serde_json::Deserializer::from_str(line));
        found.get().flatten()
    }
}

/// The name of structured metadata that holds OTLP's number.
pub(super) fn severity_number<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    get(SEVERITY_NUMBER)
}

/// A level's usual name; a text that is no known level stays.
pub(super) fn normalize(level: &str) -> &str {
    known(level).unwrap_or(level)
}

fn known(level: &str) -> Option<&'static str> {
    VALUES.iter().find(|(value, _)| value.eq_ignore_ascii_case(level)).map(|(_, level)| *level)
}

/// OTLP's severity numbers (opentelemetry.io, "Logs Data Model").
fn of_severity(number: &str) -> &'static str {
    match number.parse::<i64>() {
        Err(_) => "info",
        Ok(..=0) => UNKNOWN,
        Ok(1..=4) => "trace",
        Ok(5..=8) => "debug",
        Ok(9..=12) => "info",
        Ok(13..=16) => "warn",
        Ok(17..=20) => "error",
        Ok(21..=24) => "fatal",
        Ok(_) => UNKNOWN,
    }
}

/// The first word of a line that is a level and stands alone.
fn word_of(line: &str) -> &'static str {
    let bytes = line.as_bytes();
    for at in 0..bytes.len() {
        let could_begin = matches!(bytes[at] | 0x20, b't' | b'd' | b'f' | b'c' | b'e' | b'w' | b'i');
        if !could_begin || !(at == 0 || ends_left(bytes[at - 1])) {
            continue;
        }
        let rest = &bytes[at..];
        let found = WORDS.iter().find(|(word, _)| {
            let stands_here =
                rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
            stands_here && rest.get(word.len()).is_none_or(|next| ends_right(*next))
        });
        if let Some((_, level)) = found {
            return level;
        }
    }
    UNKNOWN
}

/// What may stand before a word. A colon may not: in `misc:error` it is no level.
fn ends_left(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'[' | b'(' | b'{' | b'"' | b'\'' | b'=' | b'|')
}

/// What may stand after a word.
fn ends_right(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b'['
            | b']'
            | b'('
            | b')'
            | b'{'
            | b'}'
            | b':'
            | b','
            | b'!'
            | b'"'
            | b'\''
            | b'='
            | b'|'
    )
}

/// Walks an object until a level field with a text is found. `found` holds what the text means, if anything.
struct LevelSeed<'a> {
    detector: &'a LevelDetector,
    found: &'a Cell<Option<Option<&'static str>>>,
    depth: usize,
}

/// A value of an object.
struct ValueSeed<'a> {
    is_field: bool,
    inner: LevelSeed<'a>,
}

/// A key, without a copy where it has no escapes.
struct KeySeed<'a>(&'a LevelDetector);

impl<'de> DeserializeSeed<'de> for LevelSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LevelSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_field) = map.next_key_seed(KeySeed(self.detector))? {
            let inner = LevelSeed { detector: self.detector, found: self.found, depth: self.depth };
            map.next_value_seed(ValueSeed { is_field, inner })?;
            if self.found.get().is_some() {
                return Err(A::Error::custom("found"));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(self.0.fields.iter().any(|field| field == key))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.is_field {
            self.inner.found.set(Some(known(text)));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.inner.depth < self.inner.detector.max_depth {
            return LevelSeed { depth: self.inner.depth + 1, ..self.inner }.visit_map(map);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;

    fn detector() -> LevelDetector {
        LevelDetector::new(&Limits::default().log_level_fields, 2)
    }

    #[test]
    fn levels_of_lines() {
        let check = |line: &str, want: &str| assert_eq!(detector().of_line(line, None), want, "{line}");
        check(r#"{"msg":"x","level":"WARN"}"#, "warn");
        check(r#"{"a":{"severity":"err"},"level":"info"}"#, "error");
        check(r#"{"a":{"level":"dbg"}}"#, "debug");
        check(r#"{"a":{"b":{"level":"dbg"}}}"#, "unknown");
        check(r#"{"a":{"b":{"level":"error"}}, "m":"x error"}"#, "error");
        check(r#"{"level":30,"lvl":"dbg","x":[1,{"level":"fatal"}]}"#, "debug");
        check(r#"{"level":"info", broken}"#, "info");
        check("ts=1 level=error msg=\"all info\"", "error");
        check("ts=1 Level=\"Warning\"", "warn");
        check("severity=debug level=info", "info");
        check("a=b no level info here", "info");
        check("[ERROR] it broke", "error");
        check("debug: hello", "debug");
        check("misc:error happened", "unknown");
        check("an errand, a warning!", "warn");
        check("Error then info", "error");
        check("terrors", "unknown");
        check("", "unknown");
        check("ü CRITICAL ü", "critical");
    }

    #[test]
    fn severity_numbers_come_first() {
        for (number, want) in [
            ("0", "unknown"),
            ("1", "trace"),
            ("9", "info"),
            ("13", "warn"),
            ("24", "fatal"),
            ("99", "unknown"),
            ("x", "info"),
        ] {
            assert_eq!(detector().of_line("level=error", Some(number)), want, "{number}");
        }
    }

    #[test]
    fn labels_tell_what_they_hold() {
        let get = |name: &str| (name == "severity").then_some("NOTICE");
        assert_eq!(detector().of_labels(get), Some("NOTICE"));
        assert_eq!(normalize("Wrn"), "warn");
    }

    proptest! {
        #[test]
        fn any_line_has_a_level(line in r#"[{}\[\]":,=a-zA-Z0-9 \\ü]{0,60}"#) {
            let _ = detector().of_line(&line, None);
            let _ = detector().of_line(&format!("{{{line}}}"), None);
        }
    }
}
