//! `eq ne lt le gt ge`, with Go's rules of which types compare.

use std::cmp::Ordering;

use crate::value::Value;

const BAD_TYPE: &str = "invalid type for comparison";
const MIXED: &str = "incompatible types for comparison";

/// Are the values equal? Values of different types are not comparable, but with nothing.
pub(super) fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    let (left, right) = (left.basic(), right.basic());
    Ok(match (&left, &right) {
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Nil, Value::Nil) => true,
        (Value::Nil, _) | (_, Value::Nil) => false,
        (Value::Time(left), Value::Time(right)) => left == right,
        (Value::List(_), Value::List(_))
        | (Value::Map(_), Value::Map(_))
        | (Value::Function(_), Value::Function(_)) => {
            let (left_type, right_type) = (left.type_name(), right.type_name());
            return Err(format!("non-comparable types {left}: {left_type}, {right_type}: {right}"));
        }
        (Value::Object(left), Value::Object(right)) => std::sync::Arc::ptr_eq(left, right),
        _ => match (left.as_str(), right.as_str()) {
            (Some(left), Some(right)) => left == right,
            _ => return Err(MIXED.to_owned()),
        },
    })
}

/// The order of two numbers or strings; `None` with a NaN.
pub(super) fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    let (left, right) = (left.basic(), right.basic());
    let is_basic = |value: &Value| {
        value.as_str().is_some() || matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_))
    };
    if !is_basic(&left) || !is_basic(&right) {
        return Err(BAD_TYPE.to_owned());
    }
    match (&left, &right) {
        (Value::Int(left), Value::Int(right)) => Ok(Some(left.cmp(right))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Bool(_), Value::Bool(_)) => Err(BAD_TYPE.to_owned()),
        _ => match (left.as_str(), right.as_str()) {
            (Some(left), Some(right)) => Ok(Some(left.cmp(right))),
            _ => Err(MIXED.to_owned()),
        },
    }
}
