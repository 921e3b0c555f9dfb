//! Defaults, choices, and questions about types.

use super::lists::kind_of;
use crate::exec::FunctionError;
use crate::functions::alertmanager::to_json;
use crate::functions::json::{self, Style};
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{ANY, ANYS, STR};
use crate::value::Value;

/// Sprig's notion of empty: the zero value. Structs never are.
fn is_empty(value: &Value) -> bool {
    !value.is_true()
}

pub(super) fn add_to(functions: &mut Functions) {
    functions.add("default", Signature::variadic_of(&[Kind::Any], Kind::Any), |call| {
        let given = call.get(1);
        Ok(if is_empty(given) { call.get(0).clone() } else { given.clone() })
    });
    functions.add("empty", ANY, |call| Ok(is_empty(call.get(0)).into()));
    functions.add("coalesce", ANYS, |call| {
        Ok(call.arguments().iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
    });
    functions.add("all", ANYS, |call| Ok((!call.arguments().iter().any(is_empty)).into()));
    functions.add("any", ANYS, |call| Ok((!call.arguments().iter().all(is_empty)).into()));
    functions.add("ternary", Signature::new(&[Kind::Any, Kind::Any, Kind::Bool]), |call| {
        Ok(call.get(usize::from(!call.bool(2))).clone())
    });
    functions.add("fail", STR, |call| Err(FunctionError::Failed(call.str(0).to_owned())));
    functions.add("typeOf", ANY, |call| Ok(call.get(0).type_name().into()));
    functions.add("kindOf", ANY, |call| Ok(kind_of(call.get(0)).into()));
    let named = Signature::new(&[Kind::Str, Kind::Any]);
    functions.add("typeIs", named, |call| Ok((call.get(1).type_name() == call.str(0)).into()));
    functions.add("kindIs", named, |call| Ok((kind_of(call.get(1)) == call.str(0)).into()));
    add_json(functions);
}

fn add_json(functions: &mut Functions) {
    functions.add("fromJson", STR, |call| Ok(json::read(call.str(0)).unwrap_or_default()));
    functions.add("mustFromJson", STR, |call| json::read(call.str(0)).map_err(FunctionError::failed));
    let styles = [
        ("toJson", "mustToJson", Style::default()),
        ("toPrettyJson", "mustToPrettyJson", Style { pretty: true, raw: false }),
        ("toRawJson", "mustToRawJson", Style { pretty: false, raw: true }),
    ];
    for (name, must, style) in styles {
        functions.add(name, ANY, move |call| match to_json(call, style) {
            Err(FunctionError::Failed(_)) => Ok(Value::from("")),
            result => result,
        });
        functions.add(must, ANY, move |call| to_json(call, style));
    }
}
