//! `json`: members of a JSON object become extracted values.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, check_source, decode, jmespath::Path};
use crate::{Record, StageError, extracted::Value, go_json, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    expressions: Option<BTreeMap<String, Option<String>>>,
    source: Option<String>,
    drop_malformed: bool,
}

pub(crate) struct JsonStage {
    expressions: Vec<(Arc<str>, Path)>,
    source: Option<Arc<str>>,
    drop_malformed: bool,
}

impl JsonStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { expressions, source, drop_malformed } = decode(config)?;
        let expressions = expressions.unwrap_or_default();
        if expressions.is_empty() {
            return Err(StageError::invalid("JMES expression is required"));
        }
        let expressions = expressions.into_iter().map(|(name, expression)| {
            let expression = expression.filter(|expression| !expression.is_empty());
            let path = Path::parse(expression.as_deref().unwrap_or(&name))?;
            Ok((name.into(), path))
        });
        Ok(Self {
            expressions: expressions.collect::<Result<_, StageError>>()?,
            source: check_source(source)?,
            drop_malformed,
        })
    }

    /// The stage as `docker` has it.
    pub(crate) fn docker() -> Result<Self, StageError> {
        let expressions = [("output", "log"), ("stream", "stream"), ("timestamp", "time")]
            .into_iter()
            .map(|(name, path)| Ok((name.into(), Path::parse(path)?)))
            .collect::<Result<_, StageError>>()?;
        Ok(Self { expressions, source: None, drop_malformed: false })
    }

    /// The values by the places of their expressions; `None` if the text is no JSON object.
    fn read(&self, text: &str) -> Option<Vec<Value>> {
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let mut members = self.read_members(text);
        if members.is_none() && text.contains("\\u") {
            members = self.read_members(&without_lone_surrogates(text));
        }
        let members = members?;
        let values = self.expressions.iter().zip(&members).map(|((_, path), member)| {
            member.as_ref().and_then(|member| path.search(member)).map_or(Value::Null, extracted_value)
        });
        Some(values.collect())
    }

    fn read_members(&self, text: &str) -> Option<Vec<Option<Json>>> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = Wanted(&self.expressions).deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(members)
    }
}

/// As the original hands values on: objects and lists as JSON text.
fn extracted_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(_) | Json::Object(_) => {
            let mut text = String::new();
            go_json::write_value(&mut text, value);
            Value::Text(text.into())
        }
    }
}

/// Reads an object's wanted members and passes over the others without keeping them.
struct Wanted<'a>(&'a [(Arc<str>, Path)]);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Vec<Option<Json>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Vec<Option<Json>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = vec![None; self.0.len()];
        while let Some(found) = map.next_key_seed(Key(self.0))? {
            let Some(first) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: Json = map.next_value()?;
            let name = &self.0[first].1.first;
            for (at, (_, path)) in self.0.iter().enumerate().skip(first + 1) {
                if path.first == *name {
                    members[at] = Some(value.clone());
                }
            }
            members[first] = Some(value);
        }
        Ok(members)
    }
}

/// A key as the place of the first expression that begins with it; no key is copied.
struct Key<'a>(&'a [(Arc<str>, Path)]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|(_, path)| path.first == key))
    }
}

/// Half of a surrogate pair in an escape is U+FFFD to Go and a mistake to our parser.
fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(found) = rest.find('\\') else {
            out.push_str(rest);
            break;
        };
        out.push_str(&rest[..found]);
        at += found;
        let (taken, replaced) = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => (12, None),
            Some(0xd800..=0xdfff) => (6, Some("\\ufffd")),
            Some(_) => (6, None),
            None => {
                (1 + text.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8), None)
            }
        };
        out.push_str(replaced.unwrap_or_else(|| text.get(at..at + taken).unwrap_or_default()));
        at += taken;
    }
    out
}

impl Stage for JsonStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let values = match &self.source {
            None => self.read(&record.line),
            Some(source) => match record.extracted.get(source).and_then(|value| value.text()) {
                Some(text) => self.read(&text),
                // Nothing to read is not malformed.
                None => return Verdict::Keep,
            },
        };
        match values {
            Some(values) => {
                for ((name, _), value) in self.expressions.iter().zip(values) {
                    record.extracted.set(name, value);
                }
                Verdict::Keep
            }
            None if self.drop_malformed => Verdict::Drop,
            None => Verdict::Keep,
        }
    }
}
