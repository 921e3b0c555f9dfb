//! Lists.

use crate::exec::{Call, FunctionError};
use crate::functions::compare;
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{ANY, ANY2, ANYS, Answer, STR2};
use crate::value::Value;

const ANY_AND_MORE: Signature = Signature::variadic_of(&[Kind::Any], Kind::Any);

pub(super) fn add_to(functions: &mut Functions) {
    for name in ["list", "tuple"] {
        functions.add(name, ANYS, |call| Ok(Value::list(call.arguments().iter().cloned())));
    }
    functions.add("splitList", STR2, |call| {
        let parts: Vec<Value> = split(call.str(0), call.str(1)).map(Value::from).collect();
        call.charge(parts.len())?;
        Ok(parts.into())
    });
    functions.add("split", STR2, |call| {
        let parts: Vec<&str> = split(call.str(0), call.str(1)).collect();
        call.charge(parts.len())?;
        let named = parts.iter().enumerate().map(|(at, part)| (format!("_{at}").into(), (*part).into()));
        Ok(Value::strings(named))
    });
    functions.add("join", Signature::new(&[Kind::Str, Kind::Any]), |call| {
        let parts = strings_of(call.get(1));
        call.charge(parts.len())?;
        let separator = call.str(0);
        call.write(|out| {
            use std::fmt::Write;
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.write_str(separator)?;
                }
                write!(out, "{part}")?;
            }
            Ok(())
        })
    });
    functions.add("toStrings", ANY, |call| {
        let parts = strings_of(call.get(0));
        call.charge(parts.len())?;
        Ok(Value::list(parts.iter().map(|part| part.to_string().into())))
    });
    functions.add("sortAlpha", ANY, |call| {
        let parts = strings_of(call.get(0));
        call.charge(parts.len())?;
        let mut texts: Vec<String> = parts.iter().map(Value::to_string).collect();
        texts.sort_unstable();
        Ok(Value::list(texts.into_iter().map(Value::from)))
    });
    add_pieces(functions);
    add_changes(functions);
}

/// The pieces between separators; without a separator, the characters.
fn split<'t>(separator: &str, text: &'t str) -> Box<dyn Iterator<Item = &'t str> + 't> {
    if separator.is_empty() {
        return Box::new(text.char_indices().map(move |(at, char)| &text[at..at + char.len_utf8()]));
    }
    let separator = separator.to_owned();
    let mut rest = Some(text);
    Box::new(std::iter::from_fn(move || {
        let current = rest?;
        let (piece, after) = match current.split_once(separator.as_str()) {
            Some((piece, after)) => (piece, Some(after)),
            None => (current, None),
        };
        rest = after;
        Some(piece)
    }))
}

/// The elements of a list but nothing; anything else is a list of itself.
fn strings_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Nil => Vec::new(),
        Value::List(values) => values.iter().filter(|value| !matches!(value, Value::Nil)).cloned().collect(),
        other => vec![other.clone()],
    }
}

fn list_of<'c>(call: &Call<'c>, index: usize, name: &str) -> Result<&'c [Value], FunctionError> {
    match call.get(index) {
        Value::List(values) => Ok(values),
        other => Err(FunctionError::Failed(format!("cannot find {name} on type {}", kind_of(other)))),
    }
}

/// Go's `reflect.Kind` of a value, as sprig names it.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Str(_) | Value::Safe(..) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Duration(_) => "int64",
        Value::Time(_) => "struct",
        Value::Object(_) => "ptr",
        Value::Function(_) => "func",
    }
}

fn add_pieces(functions: &mut Functions) {
    type Pick = fn(&[Value]) -> Value;
    let picks: [(&str, &str, Pick); 4] = [
        ("first", "mustFirst", |values| values.first().cloned().unwrap_or_default()),
        ("last", "mustLast", |values| values.last().cloned().unwrap_or_default()),
        ("rest", "mustRest", |values| Value::list(values.iter().skip(1).cloned())),
        ("initial", "mustInitial", |values| {
            Value::list(values.iter().take(values.len().saturating_sub(1)).cloned())
        }),
    ];
    for (name, must, pick) in picks {
        for name in [name, must] {
            functions.add(name, ANY, move |call| {
                let values = list_of(call, 0, name)?;
                call.charge(values.len())?;
                Ok(pick(values))
            });
        }
    }
    functions.add("has", ANY2, |call| {
        if let Value::Nil = call.get(1) {
            return Ok(Value::Bool(false));
        }
        let values = list_of(call, 1, "has")?;
        call.charge(values.len())?;
        Ok(Value::Bool(values.iter().any(|value| same(value, call.get(0)))))
    });
}

/// Equal in type and value.
fn same(left: &Value, right: &Value) -> bool {
    left.type_name() == right.type_name() && compare::equal(left, right).unwrap_or(false)
}

fn add_changes(functions: &mut Functions) {
    for name in ["append", "push", "mustAppend", "mustPush"] {
        functions.add(name, ANY2, move |call| {
            let values = list_of(call, 0, name)?;
            call.charge(values.len())?;
            Ok(Value::list(values.iter().chain([call.get(1)]).cloned()))
        });
    }
    for name in ["prepend", "mustPrepend"] {
        functions.add(name, ANY2, move |call| {
            let values = list_of(call, 0, name)?;
            call.charge(values.len())?;
            Ok(Value::list([call.get(1)].into_iter().chain(values).cloned()))
        });
    }
    for name in ["reverse", "mustReverse"] {
        functions.add(name, ANY, move |call| {
            let values = list_of(call, 0, name)?;
            call.charge(values.len())?;
            Ok(Value::list(values.iter().rev().cloned()))
        });
    }
    for name in ["uniq", "mustUniq"] {
        functions.add(name, ANY, move |call| without_repeats(call, name));
    }
    for name in ["compact", "mustCompact"] {
        functions.add(name, ANY, move |call| {
            let values = list_of(call, 0, name)?;
            call.charge(values.len())?;
            Ok(Value::list(values.iter().filter(|value| value.is_true()).cloned()))
        });
    }
    functions.add("without", ANY_AND_MORE, |call| {
        let values = list_of(call, 0, "without")?;
        let omitted = call.arguments().get(1..).unwrap_or_default();
        call.charge(values.len().saturating_mul(omitted.len()))?;
        Ok(Value::list(
            values.iter().filter(|value| !omitted.iter().any(|other| same(value, other))).cloned(),
        ))
    });
    functions.add("concat", ANYS, |call| {
        let mut joined = Vec::new();
        for at in 0..call.arguments().len() {
            let values = list_of(call, at, "concat")?;
            call.charge(values.len())?;
            joined.extend(values.iter().cloned());
        }
        Ok(joined.into())
    });
}

fn without_repeats(call: &mut Call<'_>, name: &str) -> Answer {
    let values = list_of(call, 0, name)?;
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        call.charge(kept.len())?;
        if !kept.iter().any(|other| same(other, value)) {
            kept.push(value.clone());
        }
    }
    Ok(kept.into())
}
