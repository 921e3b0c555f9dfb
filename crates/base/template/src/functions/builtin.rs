//! The functions that Go's templates always have.

use std::cmp::Ordering;

use super::compare;
use super::set::{Function, Functions, Kind, Signature};
use super::text::{ANY, ANY2, ANYS, Answer, cut, html_escape, js_escape, query_escape};
use crate::exec::{Call, FunctionError};
use crate::format::{print, printf};
use crate::value::Value;

const ANY_AND_MORE: Signature = Signature::variadic_of(&[Kind::Any], Kind::Any);

pub(super) fn add_to(functions: &mut Functions) {
    functions.insert("and", Function::stopping_at(false));
    functions.insert("or", Function::stopping_at(true));
    functions.add("not", ANY, |call| Ok(Value::Bool(!call.get(0).is_true())));
    functions.add("call", ANY_AND_MORE, call_value);
    functions.add("eq", ANY_AND_MORE, equals_any);
    functions.add("ne", ANY2, |call| Ok(Value::Bool(!compare::equal(call.get(0), call.get(1))?)));
    functions.add("lt", ANY2, |call| ordered(call, |order| order == Some(Ordering::Less)));
    functions.add("le", ANY2, |call| {
        ordered(call, |order| matches!(order, Some(Ordering::Less | Ordering::Equal)))
    });
    // As in Go, these are the opposites: with a NaN they are true.
    functions.add("gt", ANY2, |call| {
        ordered(call, |order| !matches!(order, Some(Ordering::Less | Ordering::Equal)))
    });
    functions.add("ge", ANY2, |call| ordered(call, |order| order != Some(Ordering::Less)));
    functions.add("index", ANY_AND_MORE, index);
    functions.add("slice", ANY_AND_MORE, slice);
    functions.add("len", ANY, |call| length(call.get(0)));
    functions.add("print", ANYS, |call| {
        let values = call.arguments();
        call.write(|out| print::print(values, out))
    });
    functions.add("println", ANYS, |call| {
        let values = call.arguments();
        call.write(|out| print::println(values, out))
    });
    functions.add("printf", Signature::variadic_of(&[Kind::Str], Kind::Any), |call| {
        let (format, values) = (call.str(0), call.arguments().get(1..).unwrap_or_default());
        call.write(|out| printf::printf(format, values, out))
    });
    functions.add("html", ANYS, |call| escaped(call, html_escape));
    functions.add("js", ANYS, |call| escaped(call, js_escape));
    functions.add("urlquery", ANYS, |call| escaped(call, query_escape));
}

fn ordered(call: &mut Call<'_>, holds: fn(Option<Ordering>) -> bool) -> Answer {
    Ok(Value::Bool(holds(compare::order(call.get(0), call.get(1))?)))
}

fn equals_any(call: &mut Call<'_>) -> Answer {
    let Some((first, rest)) = call.arguments().split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err("missing argument for comparison".into());
    };
    for other in rest {
        if compare::equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// All arguments as one text, then escaped. Nothing is `<no value>` here, as in the output.
fn escaped(call: &mut Call<'_>, escape: fn(&str) -> String) -> Answer {
    let values: Vec<Value> = call.arguments().iter().map(printable).collect();
    let text = call.write(|out| print::print(&values, out))?;
    let text = escape(text.as_str().unwrap_or(""));
    call.check_size(text.len())?;
    Ok(Value::from(text))
}

fn printable(value: &Value) -> Value {
    match value {
        Value::Nil => Value::from("<no value>"),
        _ => value.clone(),
    }
}

fn call_value(call: &mut Call<'_>) -> Answer {
    let Value::Function(function) = call.get(0).clone() else {
        return Err(match call.get(0) {
            Value::Nil => "call of nil".into(),
            other => FunctionError::Failed(format!("non-function of type {}", other.type_name())),
        });
    };
    let values = call.arguments().get(1..).unwrap_or_default();
    let signature = function.signature();
    let (given, least) = (values.len(), signature.fixed().len());
    if given < least || (given > least && signature.variadic().is_none()) {
        let at_least = if signature.variadic().is_some() { "at least " } else { "" };
        return Err(FunctionError::Failed(format!(
            "wrong number of args: got {given} want {at_least}{least}"
        )));
    }
    for (at, value) in values.iter().enumerate() {
        let kind = signature.kind(at);
        if !kind.takes(value) {
            let (found, wanted) = (value.type_name(), kind.type_name());
            return Err(FunctionError::Failed(format!(
                "arg {at}: value has type {found}; should be {wanted}"
            )));
        }
    }
    call.charge(1)?;
    call.with_arguments(values, |call| function.invoke(call))
}

fn index(call: &mut Call<'_>) -> Answer {
    let Some((item, keys)) = call.arguments().split_first() else {
        return Ok(Value::Nil);
    };
    if let Value::Nil = item {
        return Err("index of untyped nil".into());
    }
    let mut value = item.clone();
    for key in keys {
        value = element(&value, key)?;
    }
    Ok(value)
}

fn element(value: &Value, key: &Value) -> Answer {
    match value {
        Value::Nil => Err("index of nil pointer".into()),
        Value::List(values) => {
            Ok(values.get(position(key, values.len(), false)?).cloned().unwrap_or_default())
        }
        Value::Str(text) | Value::Safe(_, text) => {
            let at = position(key, text.len(), false)?;
            Ok(Value::Int(text.as_bytes().get(at).copied().map_or(0, i64::from)))
        }
        Value::Map(map) => match key.as_str() {
            Some(key) => Ok(map.get(key).cloned().unwrap_or_else(|| map.zero())),
            None if matches!(key, Value::Nil) => Err("value is nil; should be of type string".into()),
            None => {
                Err(FunctionError::Failed(format!("value has type {}; should be string", key.type_name())))
            }
        },
        Value::Object(object) => (object.index(key))
            .ok_or_else(|| FunctionError::Failed(format!("can't index item of type {}", object.type_name()))),
        _ => Err(FunctionError::Failed(format!("can't index item of type {}", value.type_name()))),
    }
}

/// A position in something of that length; `with_end` if the length itself is one.
fn position(key: &Value, len: usize, with_end: bool) -> Result<usize, FunctionError> {
    let number = match key.basic() {
        Value::Int(number) => number,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => {
            return Err(FunctionError::Failed(format!(
                "cannot index slice/array with type {}",
                key.type_name()
            )));
        }
    };
    let limit = len + usize::from(with_end);
    match usize::try_from(number) {
        Ok(position) if position < limit => Ok(position),
        _ => Err(FunctionError::Failed(format!("index out of range: {number}"))),
    }
}

fn slice(call: &mut Call<'_>) -> Answer {
    let item = call.get(0);
    let bounds = call.arguments().get(1..).unwrap_or_default();
    if let Value::Nil = item {
        return Err("slice of untyped nil".into());
    }
    if bounds.len() > 3 {
        return Err(FunctionError::Failed(format!("too many slice indexes: {}", bounds.len())));
    }
    let len = match item {
        Value::List(values) => values.len(),
        Value::Str(_) | Value::Safe(..) if bounds.len() == 3 => {
            return Err("cannot 3-index slice a string".into());
        }
        Value::Str(text) | Value::Safe(_, text) => text.len(),
        _ => return Err(FunctionError::Failed(format!("can't slice item of type {}", item.type_name()))),
    };
    let mut range = [0, len, len];
    for (slot, bound) in range.iter_mut().zip(bounds) {
        *slot = position(bound, len, true)?;
    }
    let [start, end, capacity] = range;
    if start > end {
        return Err(FunctionError::Failed(format!("invalid slice index: {start} > {end}")));
    }
    if end > capacity {
        return Err(FunctionError::Failed(format!("invalid slice index: {end} > {capacity}")));
    }
    match item {
        Value::List(values) => {
            call.charge(end - start)?;
            Ok(Value::list(values.get(start..end).unwrap_or_default().iter().cloned()))
        }
        _ => Ok(Value::from(cut(item.as_str().unwrap_or(""), start, end))),
    }
}

fn length(value: &Value) -> Answer {
    let len = match value {
        Value::Nil => return Err("len of nil pointer".into()),
        Value::Str(text) | Value::Safe(_, text) => Some(text.len()),
        Value::List(values) => Some(values.len()),
        Value::Map(map) => Some(map.len()),
        Value::Object(object) => object.len(),
        _ => None,
    };
    match len {
        Some(len) => Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX))),
        None => Err(FunctionError::Failed(format!("len of type {}", value.type_name()))),
    }
}
