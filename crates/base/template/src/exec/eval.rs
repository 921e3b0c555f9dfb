//! Evaluating pipelines, commands and arguments.

use super::call::Call;
use super::error::{ExecError, FunctionError};
use super::run::{At, Run};
use crate::functions::{Function, Kind};
use crate::parse::ast::{Command, Operand, Pipe, Term};
use crate::value::Value;

/// The deepest nesting of lists and maps that functions may build.
const MAX_VALUE_DEPTH: usize = 200;

/// So many bytes of text that a function reads and makes count as one step.
const BYTES_A_STEP: usize = 256;

impl<'t> Run<'t> {
    /// The value of a pipeline; its variables are declared or assigned.
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Result<Value, ExecError> {
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            self.step(1)?;
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or_default();
        for name in &pipe.declared {
            if pipe.assigns {
                self.set_variable(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// `last` is the value of the command before, which becomes the last argument.
    fn command(
        &mut self,
        dot: &Value,
        command: &'t Command,
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let Some((first, arguments)) = command.operands.split_first() else {
            return Err(self.error("empty command"));
        };
        match &first.term {
            Term::Function(name) => {
                self.at = At::Operand(first);
                self.call(dot, name, At::Command(command), arguments, last)
            }
            Term::Field(_) | Term::Chain { .. } | Term::Variable { .. } => {
                self.path(dot, first, arguments, last)
            }
            Term::Pipe(pipe) => {
                self.no_arguments(first, arguments, last.as_ref())?;
                self.nested(|run| run.pipeline(dot, pipe))
            }
            Term::Dot | Term::Nil | Term::Bool(_) | Term::Number(_) | Term::Str { .. } => {
                self.at = At::Operand(first);
                self.no_arguments(first, arguments, last.as_ref())?;
                if let Term::Nil = first.term {
                    return Err(self.error("nil is not a command"));
                }
                self.literal(dot, first)
            }
        }
    }

    fn no_arguments(
        &self,
        first: &Operand,
        arguments: &[Operand],
        last: Option<&Value>,
    ) -> Result<(), ExecError> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        Err(self.error(format!("can't give argument to non-function {first}")))
    }

    /// A literal where any type will do.
    fn literal(&mut self, dot: &Value, operand: &'t Operand) -> Result<Value, ExecError> {
        self.at = At::Operand(operand);
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Bool(value) => Ok(Value::Bool(*value)),
            Term::Str { text, .. } => Ok(Value::Str(text.clone())),
            Term::Number(number) => match (number.looks_float, number.float, number.int) {
                (true, Some(float), _) => Ok(Value::Float(float)),
                (_, _, Some(int)) => Ok(Value::Int(int)),
                _ => Err(self.error(format!("{} overflows int", number.text))),
            },
            _ => Ok(Value::Nil),
        }
    }

    /// A field, a variable, or a chain on something in parentheses; the last name may be a method with arguments.
    fn path(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        arguments: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        self.at = At::Operand(operand);
        let (receiver, fields) = match &operand.term {
            Term::Field(fields) => (dot.clone(), fields),
            Term::Variable { name, fields } => {
                let value = self.variable(name)?;
                if fields.is_empty() {
                    self.no_arguments(operand, arguments, last.as_ref())?;
                    return Ok(value);
                }
                (value, fields)
            }
            Term::Chain { base, fields } => {
                if let Term::Nil = base.term {
                    return Err(self.error(format!("indirection through explicit nil in {operand}")));
                }
                (self.argument(dot, base, Kind::Any)?, fields)
            }
            _ => return self.literal(dot, operand),
        };
        self.fields(dot, receiver, operand, fields, arguments, last)
    }

    fn variable(&self, name: &str) -> Result<Value, ExecError> {
        match self.variables.iter().rev().find(|(known, _)| *known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    /// Calls a function by name. `whole` is what a failure names.
    fn call(
        &mut self,
        dot: &Value,
        name: &str,
        whole: At<'t>,
        arguments: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let Some(function) = self.find_function(name) else {
            return Err(self.error(format!("{name:?} is not a defined function")));
        };
        let given = arguments.len() + usize::from(last.is_some());
        let signature = function.signature();
        let least = signature.fixed().len();
        if signature.variadic().is_none() && given != least {
            return Err(self.error(format!("wrong number of args for {name}: want {least} got {given}")));
        }
        if given < least {
            let given = arguments.len();
            return Err(
                self.error(format!("wrong number of args for {name}: want at least {least} got {given}"))
            );
        }
        if let Some(stop) = function.short_circuit() {
            return self.short_circuit(dot, stop, arguments, last);
        }
        let mut values = Vec::with_capacity(given);
        for (index, operand) in arguments.iter().enumerate() {
            values.push(self.argument(dot, operand, signature.kind(index))?);
        }
        if let Some(last) = last {
            values.push(self.fitting(last, signature.kind(arguments.len()))?);
        }
        let result = self.invoke(&function, &values);
        result.map_err(|error| {
            self.at = whole;
            self.function_error(name, error)
        })
    }

    fn invoke(&mut self, function: &Function, values: &[Value]) -> Result<Value, FunctionError> {
        let result = function.invoke(&mut Call::new(values, self))?;
        if result.depth() > MAX_VALUE_DEPTH {
            return Err(FunctionError::Limit(format!("value nests deeper than {MAX_VALUE_DEPTH} levels")));
        }
        let mut call = Call::new(values, self);
        let size = result.as_str().map_or(0, str::len);
        call.check_size(size)?;
        let read: usize = values.iter().filter_map(Value::as_str).map(str::len).sum();
        call.charge((read + size) / BYTES_A_STEP)?;
        Ok(result)
    }

    /// `and` stops at the first false argument, `or` at the first true one; the rest is not evaluated.
    fn short_circuit(
        &mut self,
        dot: &Value,
        stop: bool,
        arguments: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let mut value = Value::Nil;
        for operand in arguments {
            value = self.argument(dot, operand, Kind::Any)?;
            if value.is_true() == stop {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// An argument for a parameter of that kind.
    pub(super) fn argument(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        kind: Kind,
    ) -> Result<Value, ExecError> {
        self.step(1)?;
        self.at = At::Operand(operand);
        let value = match &operand.term {
            Term::Dot => dot.clone(),
            Term::Field(_) | Term::Variable { .. } | Term::Chain { .. } => {
                self.path(dot, operand, &[], None)?
            }
            Term::Pipe(pipe) => self.nested(|run| run.pipeline(dot, pipe))?,
            Term::Function(name) => {
                self.nested(|run| run.call(dot, name, At::Operand(operand), &[], None))?
            }
            Term::Nil if kind.can_be_nil() => Value::Nil,
            Term::Nil => return Err(self.error(format!("cannot assign nil to {}", kind.type_name()))),
            Term::Bool(_) | Term::Number(_) | Term::Str { .. } => return self.literal_of(dot, operand, kind),
        };
        self.fitting(value, kind)
    }

    /// A literal for a parameter of that kind: here a number takes the type that is asked for.
    fn literal_of(&mut self, dot: &Value, operand: &'t Operand, kind: Kind) -> Result<Value, ExecError> {
        let expected = |what: &str| Err(self.error(format!("expected {what}; found {operand}")));
        match (kind, &operand.term) {
            (Kind::Any, _) => self.literal(dot, operand),
            (Kind::Bool, Term::Bool(value)) => Ok(Value::Bool(*value)),
            (Kind::Bool, _) => expected("bool"),
            (Kind::Str, Term::Str { text, .. }) => Ok(Value::Str(text.clone())),
            (Kind::Str, _) => expected("string"),
            (Kind::Int | Kind::Duration, Term::Number(number)) if number.int.is_some() => {
                let int = number.int.unwrap_or(0);
                Ok(if kind == Kind::Int {
                    Value::Int(int)
                } else {
                    Value::Duration(crate::gotime::Duration(int))
                })
            }
            (Kind::Int | Kind::Duration, _) => expected("integer"),
            (Kind::Float, Term::Number(number)) if number.float.is_some() => {
                Ok(Value::Float(number.float.unwrap_or(0.0)))
            }
            (Kind::Float, _) => expected("float"),
            (Kind::List | Kind::Time, _) => {
                Err(self.error(format!("can't handle {operand} for arg of type {}", kind.type_name())))
            }
        }
    }

    /// The value, if a parameter of that kind takes it.
    fn fitting(&self, value: Value, kind: Kind) -> Result<Value, ExecError> {
        if kind.takes(&value) {
            return Ok(value);
        }
        if let Value::Nil = value {
            return Err(self.error(format!("invalid value; expected {}", kind.type_name())));
        }
        let expected = kind.type_name();
        let got = value.type_name();
        Err(self.error(format!("wrong type for value; expected {expected}; got {got}")))
    }
}
