//! Arithmetic. What is no number counts as 0.

use super::decimal::{self, Operation};
use crate::exec::{Call, FunctionError};
use crate::functions::convert::{cast_float, cast_int};
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{ANY, ANY2, ANYS, Answer};
use crate::value::Value;

const ANY_AND_MORE: Signature = Signature::variadic_of(&[Kind::Any], Kind::Any);

/// The most numbers `until` and its kin make.
const MAX_SEQUENCE: usize = 100_000;

pub(super) fn add_to(functions: &mut Functions) {
    for name in ["int", "int64", "atoi"] {
        functions.add(name, ANY, |call| Ok(Value::Int(cast_int(call.get(0)))));
    }
    functions.add("float64", ANY, |call| Ok(Value::Float(cast_float(call.get(0)))));
    functions.add("toDecimal", ANY, |call| {
        let text = call.get(0).to_string();
        Ok(Value::Int(i64::from_str_radix(&text, 8).unwrap_or(0)))
    });
    add_integers(functions);
    add_floats(functions);
    functions.add("until", Signature::new(&[Kind::Int]), |call| {
        let count = call.int(0);
        sequence(call, 0, count, if count < 0 { -1 } else { 1 })
    });
    functions.add("untilStep", Signature::new(&[Kind::Int, Kind::Int, Kind::Int]), |call| {
        sequence(call, call.int(0), call.int(1), call.int(2))
    });
}

fn add_integers(functions: &mut Functions) {
    functions.add("add1", ANY, |call| Ok(Value::Int(cast_int(call.get(0)).wrapping_add(1))));
    functions.add("add", ANYS, |call| Ok(fold_ints(0, call.arguments(), i64::wrapping_add)));
    functions
        .add("sub", ANY2, |call| Ok(Value::Int(cast_int(call.get(0)).wrapping_sub(cast_int(call.get(1))))));
    functions.add("mul", ANY_AND_MORE, |call| Ok(fold_ints(1, call.arguments(), i64::wrapping_mul)));
    functions.add("div", ANY2, |call| divide(call, i64::wrapping_div));
    functions.add("mod", ANY2, |call| divide(call, i64::wrapping_rem));
    for name in ["max", "biggest"] {
        functions.add(name, ANY_AND_MORE, |call| Ok(fold_ints(i64::MIN, call.arguments(), i64::max)));
    }
    functions.add("min", ANY_AND_MORE, |call| Ok(fold_ints(i64::MAX, call.arguments(), i64::min)));
}

fn fold_ints(start: i64, values: &[Value], combine: fn(i64, i64) -> i64) -> Value {
    Value::Int(values.iter().map(cast_int).fold(start, combine))
}

fn divide(call: &mut Call<'_>, operation: fn(i64, i64) -> i64) -> Answer {
    match cast_int(call.get(1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::Int(operation(cast_int(call.get(0)), divisor))),
    }
}

fn add_floats(functions: &mut Functions) {
    functions.add("addf", ANYS, |call| decimals(0.0, call.arguments(), Operation::Add));
    functions.add("add1f", ANY, |call| decimals(1.0, call.arguments(), Operation::Add));
    for (name, operation) in
        [("subf", Operation::Subtract), ("mulf", Operation::Multiply), ("divf", Operation::Divide)]
    {
        functions.add(name, ANY_AND_MORE, move |call| {
            let first = cast_float(call.get(0));
            decimals(first, call.arguments().get(1..).unwrap_or_default(), operation)
        });
    }
    functions.add("maxf", ANY_AND_MORE, |call| {
        Ok(fold_floats(call, |left, right| if left.is_nan() || left > right { left } else { right }))
    });
    functions.add("minf", ANY_AND_MORE, |call| {
        Ok(fold_floats(call, |left, right| if left.is_nan() || left < right { left } else { right }))
    });
    functions.add("ceil", ANY, |call| Ok(Value::Float(cast_float(call.get(0)).ceil())));
    functions.add("floor", ANY, |call| Ok(Value::Float(cast_float(call.get(0)).floor())));
    functions.add("round", Signature::variadic_of(&[Kind::Any, Kind::Int], Kind::Float), round);
}

fn decimals(first: f64, rest: &[Value], operation: Operation) -> Answer {
    let value = decimal::fold(first, rest.iter().map(cast_float), operation);
    value.map(Value::Float).map_err(FunctionError::Failed)
}

fn fold_floats(call: &mut Call<'_>, combine: fn(f64, f64) -> f64) -> Value {
    let values = call.arguments().iter().map(cast_float);
    Value::Float(values.reduce(combine).unwrap_or(0.0))
}

/// To a number of digits behind the point; a third argument tells from which fraction on it goes up.
fn round(call: &mut Call<'_>) -> Answer {
    let up_from = if call.arguments().len() > 2 { call.float(2) } else { 0.5 };
    let power = 10.0_f64.powf(call.int(1) as f64);
    let digit = power * cast_float(call.get(0));
    let rounded = if digit.fract() >= up_from { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}

fn sequence(call: &mut Call<'_>, start: i64, stop: i64, step: i64) -> Answer {
    let mut numbers = Vec::new();
    let mut number = start;
    while (step > 0 && number < stop) || (step < 0 && number > stop) {
        if numbers.len() == MAX_SEQUENCE {
            return Err(FunctionError::Limit(format!("more than {MAX_SEQUENCE} numbers")));
        }
        numbers.push(Value::Int(number));
        number = number.saturating_add(step);
    }
    call.charge(numbers.len())?;
    Ok(numbers.into())
}
