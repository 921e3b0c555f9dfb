//! Values of the host's.

use std::any::Any;
use std::fmt;

use super::Value;
use crate::exec::FunctionError;

/// A value that the host defines: a struct, or a map with methods.
///
/// A template's `.Name` asks for a method first, then for a field.
#[allow(clippy::len_without_is_empty, reason = "a struct has no length, and so is neither empty nor not")]
pub trait Object: Any + Send + Sync {
    /// The type's name in Go, for messages: `*template.Alert`.
    fn type_name(&self) -> &str;

    /// A field of a struct, or a key of a map. `None` if there is none of that name.
    fn field(&self, name: &str) -> Option<Value>;

    /// Calls a method. `None` if there is none of that name; then it may be a field.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        let _ = (name, arguments);
        None
    }

    /// If the object is a map: the zero value of its elements, which a missing key may give. A struct has `None`, and
    /// an unknown field of it is an error.
    fn map_zero(&self) -> Option<Value> {
        None
    }

    /// Go's truth: structs are always true, maps and slices if they are not empty.
    fn is_true(&self) -> bool {
        self.len().is_none_or(|len| len > 0)
    }

    /// The number of elements of a map or slice.
    fn len(&self) -> Option<usize> {
        None
    }

    /// The elements of a map (sorted by key) or slice (with their positions), for `range`.
    fn items(&self) -> Option<Vec<(Value, Value)>> {
        None
    }

    /// An element, for `index`. `None` if the object cannot be indexed, or not with that.
    fn index(&self, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some(name) => self.field(name).or_else(|| self.map_zero()),
            None => None,
        }
    }

    /// The plain value inside, for types that are numbers or strings with methods. It counts in comparisons and for
    /// the number verbs of `printf`.
    fn basic(&self) -> Option<Value> {
        None
    }

    /// The object as a map or list of plain values, for JSON. Maps and slices need not say it again.
    fn plain(&self) -> Option<Value> {
        None
    }

    /// Writes the object as Go's `%v` would.
    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}
