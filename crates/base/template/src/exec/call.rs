//! What a function sees when it is called.

use std::fmt;
use std::sync::Arc;

use super::FunctionError;
use crate::format::print::Bounded;
use crate::gotime::{Duration, Time};
use crate::value::Value;

/// What a running template offers to functions.
pub(crate) trait Engine {
    /// Counts steps.
    fn charge(&mut self, steps: u64) -> Result<(), FunctionError>;
    fn max_bytes(&self) -> usize;
    /// Runs another template of the set.
    fn execute(&mut self, name: &str, data: &Value) -> Result<String, FunctionError>;
}

/// One call of a function: its arguments, which fit its signature, and the run's bounds.
pub struct Call<'a> {
    arguments: &'a [Value],
    engine: &'a mut dyn Engine,
}

impl<'a> Call<'a> {
    pub(crate) fn new(arguments: &'a [Value], engine: &'a mut dyn Engine) -> Call<'a> {
        Call { arguments, engine }
    }

    /// All arguments.
    pub fn arguments(&self) -> &'a [Value] {
        self.arguments
    }

    /// An argument, or nothing if there are fewer.
    pub fn get(&self, index: usize) -> &'a Value {
        self.arguments.get(index).unwrap_or(&Value::Nil)
    }

    /// A string argument; empty if it is none.
    pub fn str(&self, index: usize) -> &'a str {
        self.get(index).as_str().unwrap_or("")
    }

    /// An integer argument; 0 if it is none.
    pub fn int(&self, index: usize) -> i64 {
        match self.get(index) {
            Value::Int(value) => *value,
            _ => 0,
        }
    }

    /// A float argument; 0 if it is none.
    pub fn float(&self, index: usize) -> f64 {
        match self.get(index) {
            Value::Float(value) => *value,
            _ => 0.0,
        }
    }

    /// A boolean argument; false if it is none.
    pub fn bool(&self, index: usize) -> bool {
        matches!(self.get(index), Value::Bool(true))
    }

    /// A slice argument; empty if it is none.
    pub fn list(&self, index: usize) -> &'a [Value] {
        match self.get(index) {
            Value::List(values) => values,
            _ => &[],
        }
    }

    /// A time argument; Go's zero time if it is none.
    pub fn time(&self, index: usize) -> Arc<Time> {
        match self.get(index) {
            Value::Time(time) => Arc::clone(time),
            _ => Arc::new(Time::zero()),
        }
    }

    /// A duration argument; zero if it is none.
    pub fn duration(&self, index: usize) -> Duration {
        match self.get(index) {
            Value::Duration(duration) => *duration,
            _ => Duration(0),
        }
    }

    /// Counts steps, for functions that walk over much.
    ///
    /// # Errors
    /// If the run has used up its steps.
    pub fn charge(&mut self, steps: usize) -> Result<(), FunctionError> {
        self.engine.charge(steps as u64)
    }

    /// The most bytes that a text may have.
    pub fn max_bytes(&self) -> usize {
        self.engine.max_bytes()
    }

    /// Makes a text of bounded size.
    ///
    /// # Errors
    /// If the text exceeds the bound.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result,
    ) -> Result<Value, FunctionError> {
        let limit = self.max_bytes();
        let mut text = String::new();
        match write(&mut Bounded { out: &mut text, limit }) {
            Ok(()) => Ok(Value::from(text)),
            Err(fmt::Error) => Err(too_long(limit)),
        }
    }

    /// Fails if a text of that size may not be made.
    ///
    /// # Errors
    /// If the size exceeds the bound.
    pub fn check_size(&self, bytes: usize) -> Result<(), FunctionError> {
        if bytes > self.max_bytes() { Err(too_long(self.max_bytes())) } else { Ok(()) }
    }

    /// The same call with other arguments.
    pub(crate) fn with_arguments<T>(
        &mut self,
        arguments: &[Value],
        inner: impl FnOnce(&mut Call<'_>) -> T,
    ) -> T {
        inner(&mut Call::new(arguments, self.engine))
    }

    /// Runs another template of the set and gives its output.
    ///
    /// # Errors
    /// If there is none of that name, or it fails.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<String, FunctionError> {
        self.engine.execute(name, data)
    }
}

pub(crate) fn too_long(limit: usize) -> FunctionError {
    FunctionError::Limit(format!("text exceeds {limit} bytes"))
}
