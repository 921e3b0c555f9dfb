//! `.Field.Method argument`: fields of objects, keys of maps, methods.

use super::error::{ExecError, FunctionError};
use super::limits::MissingKey;
use super::run::{At, Run};
use crate::functions::Kind;
use crate::functions::methods;
use crate::parse::ast::Operand;
use crate::value::Value;

impl<'t> Run<'t> {
    /// Goes along the names; the last one gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        operand: &'t Operand,
        fields: &'t [Box<str>],
        arguments: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let Some((end, way)) = fields.split_last() else {
            return Ok(receiver);
        };
        for name in way {
            receiver = self.field(dot, &receiver, operand, name, &[], None)?;
        }
        self.field(dot, &receiver, operand, end, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        operand: &'t Operand,
        name: &str,
        arguments: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let has_arguments = !arguments.is_empty() || last.is_some();
        match receiver {
            Value::Nil => {
                if self.execution.missing_key == MissingKey::Error {
                    return Err(self.error(format!("nil data; no entry for key {name:?}")));
                }
                Ok(Value::Nil)
            }
            Value::Map(map) => {
                if has_arguments {
                    return Err(self.error(format!("{name} is not a method but has arguments")));
                }
                match map.get(name) {
                    Some(value) => Ok(value.clone()),
                    None => self.missing(name, || map.zero()),
                }
            }
            Value::Object(object) => {
                let mut values = Vec::with_capacity(arguments.len() + 1);
                for argument in arguments {
                    values.push(self.argument(dot, argument, Kind::Any)?);
                }
                values.extend(last);
                if let Some(result) = object.call(name, &values) {
                    return self.method_result(name, operand, result);
                }
                self.at = At::Operand(operand);
                let zero = object.map_zero();
                let Some(value) = object.field(name) else {
                    return match zero {
                        Some(_) if has_arguments => {
                            Err(self.error(format!("{name} is not a method but has arguments")))
                        }
                        Some(zero) => self.missing(name, || zero),
                        None => {
                            Err(self
                                .error(format!("can't evaluate field {name} in type {}", object.type_name())))
                        }
                    };
                };
                match (has_arguments, zero) {
                    (false, _) => Ok(value),
                    (true, Some(_)) => Err(self.error(format!("{name} is not a method but has arguments"))),
                    (true, None) => {
                        Err(self.error(format!("{name} has arguments but cannot be invoked as function")))
                    }
                }
            }
            Value::Time(_) | Value::Duration(_) => {
                let mut values = Vec::with_capacity(arguments.len() + 1);
                for (index, argument) in arguments.iter().enumerate() {
                    values.push(self.argument(dot, argument, methods::parameter(receiver, name, index))?);
                }
                values.extend(last);
                match methods::call(receiver, name, &values) {
                    Some(result) => self.method_result(name, operand, result),
                    None => {
                        Err(self
                            .error(format!("can't evaluate field {name} in type {}", receiver.type_name())))
                    }
                }
            }
            _ => Err(self.error(format!("can't evaluate field {name} in type {}", receiver.type_name()))),
        }
    }

    fn missing(&self, name: &str, zero: impl FnOnce() -> Value) -> Result<Value, ExecError> {
        match self.execution.missing_key {
            MissingKey::Default => Ok(Value::Nil),
            MissingKey::Zero => Ok(zero()),
            MissingKey::Error => Err(self.error(format!("map has no entry for key {name:?}"))),
        }
    }

    fn method_result(
        &mut self,
        name: &str,
        operand: &'t Operand,
        result: Result<Value, FunctionError>,
    ) -> Result<Value, ExecError> {
        result.map_err(|error| {
            self.at = At::Operand(operand);
            self.function_error(name, error)
        })
    }
}
