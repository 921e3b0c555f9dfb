//! What templates compute with.

mod list;
mod map;
mod object;

use std::fmt;
use std::sync::Arc;

use crate::format::print;
use crate::functions::Function;
use crate::gotime::{Duration, Time};

pub use list::List;
pub use map::Map;
pub use object::Object;

/// A value of Go, as far as templates can tell values apart. Cheap to clone.
///
/// Go's integer types are one here, and so are its two float types.
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing: Go's untyped nil, and what a missing key of a map of anything gives.
    #[default]
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// `int` and its kin
    Int(i64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Arc<str>),
    /// A string that its maker declares safe for a context: only escapers treat it otherwise than a string.
    Safe(Safe, Arc<str>),
    /// A slice.
    List(Arc<List>),
    /// A map with string keys.
    Map(Arc<Map>),
    /// `time.Time`
    Time(Arc<Time>),
    /// `time.Duration`
    Duration(Duration),
    /// Something of the host's, with fields and methods.
    Object(Arc<dyn Object>),
    /// A function, to be called with `call`.
    Function(Function),
}

/// What a [`Value::Safe`] may be put into without escaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Safe {
    /// A piece of an HTML document.
    Html,
    /// An address, of any scheme.
    Url,
}

impl Value {
    /// A string.
    pub fn str(text: impl Into<Arc<str>>) -> Value {
        Value::Str(text.into())
    }

    /// A slice.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
        Value::List(Arc::new(values.into_iter().collect()))
    }

    /// A map of anything: a missing key gives [`Value::Nil`].
    pub fn map(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Value {
        Value::Map(Arc::new(Map::of_anything(entries)))
    }

    /// A map of strings (`map[string]string`): a missing key gives the empty string where the host asks for that.
    pub fn strings(entries: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Value {
        Value::Map(Arc::new(Map::of_strings(entries)))
    }

    /// An object of the host's.
    pub fn object(object: impl Object) -> Value {
        Value::Object(Arc::new(object))
    }

    /// A time.
    pub fn time(time: Time) -> Value {
        Value::Time(Arc::new(time))
    }

    /// Go's truth: not the zero value of its type, not empty. Objects decide themselves.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) | Value::Safe(_, text) => !text.is_empty(),
            Value::List(values) => !values.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Time(_) | Value::Function(_) => true,
            Value::Duration(duration) => duration.0 != 0,
            Value::Object(object) => object.is_true(),
        }
    }

    /// The text of a string, safe or not.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) | Value::Safe(_, text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one of type `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => (object.as_ref() as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }

    /// The name of the type in Go, as error messages and `%T` show it.
    pub fn type_name(&self) -> &str {
        match self {
            Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::Safe(Safe::Html, _) => "template.HTML",
            Value::Safe(Safe::Url, _) => "template.URL",
            Value::List(_) => "[]interface {}",
            Value::Map(map) if map.holds_strings() => "map[string]string",
            Value::Map(_) => "map[string]interface {}",
            Value::Time(_) => "time.Time",
            Value::Duration(_) => "time.Duration",
            Value::Object(object) => object.type_name(),
            Value::Function(_) => "func",
        }
    }

    /// How deeply lists and maps nest in the value.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Value::List(list) => list.depth(),
            Value::Map(map) => map.depth(),
            _ => 0,
        }
    }

    /// The plain value inside of an object that has one, such as the number of a month; else the value itself.
    pub(crate) fn basic(&self) -> Value {
        match self {
            Value::Object(object) => object.basic().unwrap_or_else(|| self.clone()),
            Value::Duration(duration) => Value::Int(duration.0),
            _ => self.clone(),
        }
    }
}

/// As Go's `%v`; nothing is `<nil>`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::write_value(self, f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.type_name())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::Str(text)
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Value {
        Value::time(time)
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Value {
        Value::Duration(duration)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Value {
        Value::list(values)
    }
}
