//! Maps. Those of sprig that change a map in place give a changed copy here where their answer is all that counts.

use std::sync::Arc;

use crate::exec::{Call, FunctionError};
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{ANYS, Answer};
use crate::value::{Map, Value};

pub(super) fn add_to(functions: &mut Functions) {
    functions.add("dict", ANYS, |call| {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        for pair in call.arguments().chunks(2) {
            let key = pair.first().map_or_else(String::new, Value::to_string);
            call.check_size(key.len())?;
            entries.push((key.into(), pair.get(1).cloned().unwrap_or_else(|| Value::from(""))));
        }
        Ok(Value::map(entries))
    });
    functions.add("get", Signature::new(&[Kind::Any, Kind::Str]), |call| {
        let map = map_of(call.get(0))?;
        Ok(map.get(call.str(1)).cloned().unwrap_or_else(|| Value::from("")))
    });
    functions.add("hasKey", Signature::new(&[Kind::Any, Kind::Str]), |call| {
        let map = map_of(call.get(0))?;
        Ok(map.get(call.str(1)).is_some().into())
    });
    functions.add("keys", ANYS, |call| {
        let mut keys = Vec::new();
        for value in call.arguments() {
            let map = map_of(value)?;
            call.charge(map.len())?;
            keys.extend(map.iter().map(|(key, _)| Value::Str(key.clone())));
        }
        Ok(keys.into())
    });
    functions.add("values", Signature::new(&[Kind::Any]), |call| {
        let map = map_of(call.get(0))?;
        call.charge(map.len())?;
        Ok(Value::list(map.iter().map(|(_, value)| value.clone())))
    });
    let of_keys = Signature::variadic_of(&[Kind::Any], Kind::Str);
    functions.add("pick", of_keys, |call| chosen(call, true));
    functions.add("omit", of_keys, |call| chosen(call, false));
    functions.add("pluck", Signature::variadic_of(&[Kind::Str], Kind::Any), |call| {
        let mut found = Vec::new();
        for value in call.arguments().get(1..).unwrap_or_default() {
            found.extend(map_of(value)?.get(call.str(0)).cloned());
        }
        Ok(found.into())
    });
}

fn map_of(value: &Value) -> Result<&Map, FunctionError> {
    match value {
        Value::Map(map) => Ok(map),
        other => {
            let got = other.type_name();
            Err(FunctionError::Arguments(format!(
                "wrong type for value; expected map[string]interface {{}}; got {got}"
            )))
        }
    }
}

/// The entries whose keys are among the arguments, or are not.
fn chosen(call: &mut Call<'_>, keep: bool) -> Answer {
    let map = map_of(call.get(0))?;
    let names = call.arguments().get(1..).unwrap_or_default();
    call.charge(map.len().saturating_mul(names.len()))?;
    let is_named = |key: &str| names.iter().any(|name| name.as_str() == Some(key));
    let entries = map.iter().filter(|(key, _)| is_named(key) == keep);
    Ok(Value::map(entries.map(|(key, value)| (key.clone(), value.clone()))))
}
