//! Functions, their parameters, and sets of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::builtin;
use crate::exec::{Call, FunctionError};
use crate::value::Value;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `interface{}`
    Any,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float64`: a literal may be written as an integer.
    Float,
    /// `string`
    Str,
    /// A slice, or nil.
    List,
    /// `time.Time`
    Time,
    /// `time.Duration`
    Duration,
}

impl Kind {
    /// The type's name in Go.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Kind::Any => "interface {}",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float64",
            Kind::Str => "string",
            Kind::List => "[]interface {}",
            Kind::Time => "time.Time",
            Kind::Duration => "time.Duration",
        }
    }

    pub(crate) fn can_be_nil(self) -> bool {
        matches!(self, Kind::Any | Kind::List)
    }

    pub(crate) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Nil) => self.can_be_nil(),
            (Kind::Any, _)
            | (Kind::Bool, Value::Bool(_))
            | (Kind::Int, Value::Int(_))
            | (Kind::Float, Value::Float(_))
            | (Kind::Str, Value::Str(_) | Value::Safe(..))
            | (Kind::List, Value::List(_))
            | (Kind::Time, Value::Time(_))
            | (Kind::Duration, Value::Duration(_)) => true,
            _ => false,
        }
    }
}

/// The parameters of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    fixed: &'static [Kind],
    variadic: Option<Kind>,
}

impl Signature {
    /// Exactly these parameters.
    pub const fn new(fixed: &'static [Kind]) -> Signature {
        Signature { fixed, variadic: None }
    }

    /// These parameters, then any number of one kind.
    pub const fn variadic_of(fixed: &'static [Kind], rest: Kind) -> Signature {
        Signature { fixed, variadic: Some(rest) }
    }

    pub(crate) fn fixed(&self) -> &'static [Kind] {
        self.fixed
    }

    pub(crate) fn variadic(&self) -> Option<Kind> {
        self.variadic
    }

    /// The kind of a parameter.
    pub(crate) fn kind(&self, index: usize) -> Kind {
        self.fixed.get(index).copied().or(self.variadic).unwrap_or(Kind::Any)
    }
}

type Body = dyn Fn(&mut Call<'_>) -> Result<Value, FunctionError> + Send + Sync;

/// A function of a template. Cheap to clone.
#[derive(Clone)]
pub struct Function {
    inner: Arc<Inner>,
}

struct Inner {
    signature: Signature,
    /// `and` and `or`: the truth at which they stop.
    short_circuit: Option<bool>,
    body: Box<Body>,
}

impl Function {
    /// A function with these parameters; the engine calls it with arguments that fit them.
    pub fn new<F>(signature: Signature, body: F) -> Function
    where
        F: Fn(&mut Call<'_>) -> Result<Value, FunctionError> + Send + Sync + 'static,
    {
        Function::build(signature, None, Box::new(body))
    }

    fn build(signature: Signature, short_circuit: Option<bool>, body: Box<Body>) -> Function {
        let inner = Inner { signature, short_circuit, body };
        Function { inner: Arc::new(inner) }
    }

    /// A function without parameters that gives that value.
    pub fn constant(value: Value) -> Function {
        Function::new(Signature::new(&[]), move |_| Ok(value.clone()))
    }

    /// `and` or `or`: the engine evaluates its arguments one by one until one has that truth, and gives the last.
    pub(crate) fn stopping_at(truth: bool) -> Function {
        let signature = Signature::variadic_of(&[Kind::Any], Kind::Any);
        let last = |call: &mut Call<'_>| Ok(call.arguments().last().cloned().unwrap_or_default());
        Function::build(signature, Some(truth), Box::new(last))
    }

    pub(crate) fn short_circuit(&self) -> Option<bool> {
        self.inner.short_circuit
    }

    pub(crate) fn signature(&self) -> Signature {
        self.inner.signature
    }

    pub(crate) fn invoke(&self, call: &mut Call<'_>) -> Result<Value, FunctionError> {
        (self.inner.body)(call)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("signature", &self.inner.signature).finish_non_exhaustive()
    }
}

/// Functions by name.
#[derive(Debug, Clone)]
pub struct Functions {
    by_name: HashMap<Cow<'static, str>, Function>,
}

impl Functions {
    /// Go's own: `and or not eq ne lt le gt ge index slice len print printf println html js urlquery call`.
    pub fn builtin() -> Functions {
        let mut functions = Functions { by_name: HashMap::new() };
        builtin::add_to(&mut functions);
        functions
    }

    /// Adds a function, or replaces the one of that name.
    pub fn add<F>(&mut self, name: impl Into<Cow<'static, str>>, signature: Signature, body: F)
    where
        F: Fn(&mut Call<'_>) -> Result<Value, FunctionError> + Send + Sync + 'static,
    {
        self.insert(name, Function::new(signature, body));
    }

    /// Adds a function, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<Cow<'static, str>>, function: Function) {
        self.by_name.insert(name.into(), function);
    }

    /// Makes a name known whose function comes with each run, by [`Execution::bindings`](crate::Execution::bindings).
    /// A run without it fails where the function is called.
    pub fn declare(&mut self, name: &'static str) {
        self.add(name, Signature::variadic_of(&[], Kind::Any), move |_| {
            Err(FunctionError::Arguments(format!("{name:?} is not a defined function")))
        });
    }

    /// Adds all functions of another set; they replace those of the same name.
    pub fn extend(&mut self, other: Functions) {
        self.by_name.extend(other.by_name);
    }

    /// Keeps only these names, and Go's own.
    pub fn retain(&mut self, names: &[&str]) {
        let builtin = Functions::builtin();
        self.by_name.retain(|name, _| names.contains(&name.as_ref()) || builtin.get(name).is_some());
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.by_name.get(name)
    }
}

impl Default for Functions {
    fn default() -> Functions {
        Functions::builtin()
    }
}
