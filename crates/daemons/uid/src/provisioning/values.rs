//! Values of provisioning files: any scalar may be written as text with `$VARIABLE` in it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use crate::config::expand_references;

/// A scalar as it stands, before variables are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scalar(Option<String>);

impl Scalar {
    /// The text, variables replaced; empty if it is not there.
    pub(super) fn text(&self, environment: &BTreeMap<String, String>) -> Result<String, String> {
        match &self.0 {
            Some(text) => expand_references(text, environment),
            None => Ok(String::new()),
        }
    }

    /// The number, or `default`.
    pub(super) fn number(&self, environment: &BTreeMap<String, String>, default: i64) -> Result<i64, String> {
        let text = self.text(environment)?;
        if text.is_empty() {
            return Ok(default);
        }
        text.parse().map_err(|_| format!("{text:?} is not a number"))
    }

    /// The flag, or `default`.
    pub(super) fn flag(&self, environment: &BTreeMap<String, String>, default: bool) -> Result<bool, String> {
        match self.text(environment)?.as_str() {
            "" => Ok(default),
            "true" | "True" | "TRUE" | "yes" | "1" => Ok(true),
            "false" | "False" | "FALSE" | "no" | "0" => Ok(false),
            other => Err(format!("{other:?} is not true or false")),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, number or flag")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_owned())))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An object of any shape, variables replaced in its texts.
pub(super) fn object(
    value: Option<&serde_yaml::Value>,
    environment: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, String> {
    match value.map(|value| json(value, environment)).transpose()? {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err("expected keys and values".into()),
    }
}

/// Recursion is bounded by the YAML reader, which refuses deeper documents.
fn json(value: &serde_yaml::Value, environment: &BTreeMap<String, String>) -> Result<Value, String> {
    use serde_yaml::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(*flag),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|error| error.to_string())?,
        Yaml::String(text) => Value::String(expand_references(text, environment)?),
        Yaml::Sequence(items) => {
            Value::Array(items.iter().map(|item| json(item, environment)).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = match key {
                    Yaml::String(text) => text.clone(),
                    Yaml::Number(number) => number.to_string(),
                    Yaml::Bool(flag) => flag.to_string(),
                    _ => return Err("keys must be texts".into()),
                };
                map.insert(key, json(value, environment)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => json(&tagged.value, environment)?,
    })
}
