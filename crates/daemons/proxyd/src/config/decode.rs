//! A tree into serde types, with errors that name the place and the path of keys.

use std::{fmt, path::Path};

use ::config::ConfigError;
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Unexpected, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

use super::node::{Entry, Node, Place, Value};

/// Reads a tree as `T`; mistakes are told as of the file.
pub(crate) fn decode<'de, T: Deserialize<'de>>(path: &Path, node: &'de Node) -> Result<T, ConfigError> {
    T::deserialize(node).map_err(|error| error.of_file(path, &[]))
}

/// As [`decode`], for a part of a file below `prefix`.
pub(crate) fn decode_part<'de, T: Deserialize<'de>>(
    path: &Path,
    prefix: &[&str],
    node: &'de Node,
) -> Result<T, ConfigError> {
    T::deserialize(node).map_err(|error| {
        let place = error.place.or(node.place);
        DecodeError { place, ..error }.of_file(path, prefix)
    })
}

/// A tree that is not of the shape.
#[derive(Debug)]
pub(crate) struct DecodeError {
    message: String,
    place: Option<Place>,
    /// Keys from the inside out.
    path: Vec<String>,
}

impl DecodeError {
    fn within(mut self, key: &str, place: Option<Place>) -> Self {
        self.path.push(key.to_owned());
        self.place = self.place.or(place);
        self
    }

    fn of_file(self, file: &Path, prefix: &[&str]) -> ConfigError {
        let mut keys: Vec<&str> = prefix.to_vec();
        keys.extend(self.path.iter().rev().map(String::as_str));
        let path = keys.join(".").replace(".[", "[");
        let message = if path.is_empty() { self.message } else { format!("{path}: {}", self.message) };
        match self.place {
            Some((line, column)) => ConfigError::at(file, line, column, message),
            None => ConfigError::of(file, message),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), place: None, path: Vec::new() }
    }
}

impl Node {
    fn wrong<'de, V: Visitor<'de>>(&self, visitor: &V) -> DecodeError {
        let unexpected = match &self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Integer(value) => Unexpected::Signed(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        };
        let mut error: DecodeError = de::Error::invalid_type(unexpected, visitor);
        error.place = self.place;
        error
    }

    fn placed(&self, error: DecodeError) -> DecodeError {
        DecodeError { place: error.place.or(self.place), ..error }
    }

    fn visit_entries<'de, V: Visitor<'de>>(
        &'de self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries: &[Entry] = match &self.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            // `--ping`, `--api=true`: the section is switched on with its defaults.
            Value::Bool(true) => &[],
            Value::Text(text) if text.is_empty() || text.eq_ignore_ascii_case("true") => &[],
            _ => return Err(self.wrong(&visitor)),
        };
        visitor
            .visit_map(Entries { entries: entries.iter(), fields, current: None })
            .map_err(|error| self.placed(error))
    }
}

macro_rules! deserialize_number {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let outcome = match &self.value {
                Value::Null => visitor.visit_u64(0),
                Value::Text(text) => match text.trim().parse::<i64>() {
                    Ok(number) => visitor.visit_i64(number),
                    Err(_) => match text.trim().parse::<f64>() {
                        Ok(number) => visitor.visit_f64(number),
                        Err(_) => return Err(self.wrong(&visitor)),
                    },
                },
                Value::Integer(number) => visitor.visit_i64(*number),
                Value::Float(number) => visitor.visit_f64(*number),
                _ => return Err(self.wrong(&visitor)),
            };
            outcome.map_err(|error| self.placed(error))
        })*
    };
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let outcome = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter(), at: 0 }),
            Value::Map(_) => return self.visit_entries(&[], visitor),
        };
        outcome.map_err(|error| self.placed(error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let value = match &self.value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Text(text) if text.eq_ignore_ascii_case("true") || text == "1" => true,
            Value::Text(text) if text.eq_ignore_ascii_case("false") || text == "0" => false,
            _ => return Err(self.wrong(&visitor)),
        };
        visitor.visit_bool(value)
    }

    deserialize_number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let outcome = match &self.value {
            Value::Null => visitor.visit_str(""),
            Value::Bool(value) => visitor.visit_string(value.to_string()),
            Value::Integer(value) => visitor.visit_string(value.to_string()),
            Value::Float(value) => visitor.visit_string(value.to_string()),
            Value::Text(text) => visitor.visit_str(text),
            _ => return Err(self.wrong(&visitor)),
        };
        outcome.map_err(|error| self.placed(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let outcome = match &self.value {
            Value::List(items) => visitor.visit_seq(Items { items: items.iter(), at: 0 }),
            Value::Null => visitor.visit_seq(Items { items: [].iter(), at: 0 }),
            // `servers: {url: x}` is one server.
            Value::Map(_) => visitor.visit_seq(Items { items: std::slice::from_ref(self).iter(), at: 0 }),
            // Flags and labels write lists with commas.
            Value::Text(text) => visitor.visit_seq(Pieces(text.split(','))),
            _ => return Err(self.wrong(&visitor)),
        };
        outcome.map_err(|error| self.placed(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.visit_entries(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.visit_entries(fields, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    fields: &'static [&'static str],
    current: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.current = Some(entry);
        let known = self.fields.iter().find(|field| field.eq_ignore_ascii_case(&entry.key));
        let key = known.copied().unwrap_or(&entry.key);
        let key: StrDeserializer<'_, DecodeError> = de::IntoDeserializer::into_deserializer(key);
        seed.deserialize(key)
            .map(Some)
            .map_err(|error| DecodeError { place: error.place.or(entry.place), ..error })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let Some(entry) = self.current.take() else {
            return Err(de::Error::custom("BUG: a value without its key"));
        };
        seed.deserialize(&entry.node).map_err(|error| error.within(&entry.key, entry.place))
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Node>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(item).map(Some).map_err(|error| error.within(&format!("[{at}]"), item.place))
    }
}

struct Pieces<'de>(std::str::Split<'de, char>);

impl<'de> SeqAccess<'de> for Pieces<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(piece) = self.0.next() else { return Ok(None) };
        seed.deserialize(Piece(piece.trim())).map(Some)
    }
}

/// One item of a list written with commas.
struct Piece<'de>(&'de str);

impl<'de> de::Deserializer<'de> for Piece<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.parse() {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => visitor.visit_borrowed_str(self.0),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map
        struct enum identifier ignored_any
    }
}
