//! Regular expressions, in Go's syntax.

use crate::exec::{Call, FunctionError};
use crate::functions::loki;
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{Answer, Patterns, STR, STR2};
use crate::value::Value;

const STR2_INT: Signature = Signature::new(&[Kind::Str, Kind::Str, Kind::Int]);

pub(super) fn add_to(functions: &mut Functions) {
    loki::add_replacements(functions);
    let patterns = Patterns::default();
    for name in ["regexMatch", "mustRegexMatch"] {
        let patterns = patterns.clone();
        functions.add(name, STR2, move |call| match patterns.get(call.str(0)) {
            Ok(regex) => Ok(regex.is_match(call.str(1)).into()),
            // Only the strict one tells.
            Err(_) if name == "regexMatch" => Ok(false.into()),
            Err(error) => Err(FunctionError::failed(error)),
        });
    }
    for name in ["regexFind", "mustRegexFind"] {
        let patterns = patterns.clone();
        functions.add(name, STR2, move |call| {
            let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
            let text = call.str(1);
            Ok(regex.find(text).and_then(|found| text.get(found)).unwrap_or("").into())
        });
    }
    for name in ["regexFindAll", "mustRegexFindAll"] {
        let patterns = patterns.clone();
        functions.add(name, STR2_INT, move |call| find_all(call, &patterns));
    }
    for name in ["regexSplit", "mustRegexSplit"] {
        let patterns = patterns.clone();
        functions.add(name, STR2_INT, move |call| split(call, &patterns));
    }
    functions.add("regexQuoteMeta", STR, |call| {
        let mut quoted = String::new();
        for char in call.str(0).chars() {
            if r"\.+*?()|[]{}^$".contains(char) {
                quoted.push('\\');
            }
            quoted.push(char);
        }
        call.check_size(quoted.len())?;
        Ok(quoted.into())
    });
}

/// How many to take at most: a negative count is no limit.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn find_all(call: &mut Call<'_>, patterns: &Patterns) -> Answer {
    let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
    let text = call.str(1);
    let found: Vec<Value> = (regex.find_iter(text).take(limit(call.int(2))))
        .filter_map(|found| text.get(found).map(Value::from))
        .collect();
    call.charge(found.len())?;
    Ok(found.into())
}

/// As Go's `Regexp.Split`.
fn split(call: &mut Call<'_>, patterns: &Patterns) -> Answer {
    let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
    let (text, count) = (call.str(1), limit(call.int(2)));
    if count == 0 {
        return Ok(Value::Nil);
    }
    if text.is_empty() && !call.str(0).is_empty() {
        return Ok(Value::list([Value::from("")]));
    }
    let (mut pieces, mut start, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(text) {
        if pieces.len() + 1 == count {
            break;
        }
        end = found.start;
        if found.end != 0 {
            pieces.push(Value::from(text.get(start..end).unwrap_or("")));
        }
        start = found.end;
    }
    if end != text.len() {
        pieces.push(Value::from(text.get(start..).unwrap_or("")));
    }
    call.charge(pieces.len())?;
    Ok(pieces.into())
}
