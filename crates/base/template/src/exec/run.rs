//! Walking the tree: text, actions, branches, loops, and templates within templates.

use std::fmt::Write as _;

use super::call::{Engine, too_long};
use super::error::{ExecError, FunctionError};
use super::escape::{Escaper, TextEscaper};
use super::limits::Execution;
use crate::format::print::Bounded;
use crate::format::quote;
use crate::functions::{Function, Functions};
use crate::parse::ast::{Branch, Command, Node, Operand, Pipe, Tree};
use crate::value::Value;

/// Finds templates by name.
pub(crate) trait Templates {
    fn find(&self, name: &str) -> Option<&Tree>;
}

/// Runs `tree` on `data`.
pub(crate) fn run(
    templates: &dyn Templates,
    functions: &Functions,
    tree: &Tree,
    data: &Value,
    execution: &Execution<'_>,
    escaper: &mut dyn Escaper,
    out: &mut String,
) -> Result<(), ExecError> {
    let limit = out.len().saturating_add(execution.limits.max_output_bytes);
    let mut run = Run {
        templates,
        functions,
        execution,
        escaper,
        out,
        limit,
        tree,
        at: At::Nothing,
        variables: vec![("$", data.clone())],
        steps: 0,
        depth: 0,
    };
    run.walk_list(data, &tree.root).map(|_| ())
}

/// The node being evaluated, for messages.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Nothing,
    Operand(&'t Operand),
    Command(&'t Command),
    Pipe(&'t Pipe),
    Template { pos: usize, name: &'t str, pipe: Option<&'t Pipe> },
}

pub(super) struct Run<'t> {
    templates: &'t dyn Templates,
    functions: &'t Functions,
    pub(super) execution: &'t Execution<'t>,
    escaper: &'t mut dyn Escaper,
    out: &'t mut String,
    /// The length that `out` may reach.
    limit: usize,
    tree: &'t Tree,
    pub(super) at: At<'t>,
    pub(super) variables: Vec<(&'t str, Value)>,
    steps: u64,
    depth: usize,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> Run<'t> {
    // === errors and bounds ===

    pub(super) fn error(&self, message: impl std::fmt::Display) -> ExecError {
        self.located(message, false)
    }

    fn limit_error(&self, message: impl std::fmt::Display) -> ExecError {
        self.located(message, true)
    }

    fn located(&self, message: impl std::fmt::Display, is_limit: bool) -> ExecError {
        let (pos, context) = match self.at {
            At::Nothing => {
                return ExecError::new(format!("template: {}: {message}", self.tree.name), is_limit);
            }
            At::Operand(operand) => (operand.pos, operand.to_string()),
            At::Command(command) => (command.pos, command.to_string()),
            At::Pipe(pipe) => (pipe.pos, pipe.to_string()),
            At::Template { pos, name, pipe } => {
                let mut text = format!("{{{{template {}", quote::quote(name, false));
                if let Some(pipe) = pipe {
                    // Writing to a string cannot fail.
                    let _ = write!(text, " {pipe}");
                }
                text.push_str("}}");
                (pos, text)
            }
        };
        let location = self.tree.source.location(pos);
        let name = quote::quote(&self.tree.name, false);
        ExecError::new(format!("template: {location}: executing {name} at <{context}>: {message}"), is_limit)
    }

    pub(super) fn function_error(&self, name: &str, error: FunctionError) -> ExecError {
        match error {
            FunctionError::Failed(text) => self.error(format!("error calling {name}: {text}")),
            FunctionError::Arguments(text) => self.error(text),
            FunctionError::Limit(text) => self.limit_error(text),
        }
    }

    pub(super) fn step(&mut self, steps: u64) -> Result<(), ExecError> {
        self.steps = self.steps.saturating_add(steps);
        let max = self.execution.limits.max_steps;
        if self.steps > max {
            return Err(self.limit_error(format!("exceeded {max} steps")));
        }
        Ok(())
    }

    /// Runs `inner` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ExecError>,
    ) -> Result<T, ExecError> {
        let max = self.execution.limits.max_depth;
        if self.depth >= max {
            return Err(self.limit_error(format!("exceeded maximum template depth ({max})")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Escaper, &mut Bounded<'_>) -> std::fmt::Result,
    ) -> Result<(), ExecError> {
        let mut bounded = Bounded { out: self.out, limit: self.limit };
        if write(self.escaper, &mut bounded).is_err() {
            let max = self.execution.limits.max_output_bytes;
            return Err(self.limit_error(format!("output exceeds {max} bytes")));
        }
        Ok(())
    }

    pub(super) fn find_function(&self, name: &str) -> Option<Function> {
        let bound = self.execution.bindings.iter().find(|(bound, _)| *bound == name);
        bound.map(|(_, function)| function.clone()).or_else(|| self.functions.get(name).cloned())
    }

    // === walking ===

    fn walk_list(&mut self, dot: &Value, nodes: &'t [Node]) -> Result<Flow, ExecError> {
        for node in nodes {
            match self.walk(dot, node)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Value, node: &'t Node) -> Result<Flow, ExecError> {
        self.step(1)?;
        match node {
            Node::Text(text) => self.write(|escaper, out| escaper.literal(text, out))?,
            Node::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.declared.is_empty() {
                    self.print(&value, pipe)?;
                }
            }
            Node::If(branch) => return self.nested(|run| run.if_or_with(dot, branch, false)),
            Node::With(branch) => return self.nested(|run| run.if_or_with(dot, branch, true)),
            Node::Range(branch) => return self.nested(|run| run.range(dot, branch)),
            Node::Template { pos, name, pipe } => {
                self.at = At::Template { pos: *pos, name, pipe: pipe.as_ref() };
                self.nested(|run| run.template(dot, name, pipe.as_ref()))?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Value, pipe: &'t Pipe) -> Result<(), ExecError> {
        if let Value::Function(_) = value {
            self.at = At::Pipe(pipe);
            return Err(self.error(format!("can't print {pipe} of type func")));
        }
        self.write(|escaper, out| escaper.value(value, out))
    }

    fn if_or_with(&mut self, dot: &Value, branch: &'t Branch, sets_dot: bool) -> Result<Flow, ExecError> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.is_true() {
            self.walk_list(if sets_dot { &value } else { dot }, &branch.body)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk_list(dot, otherwise)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Result<Flow, ExecError> {
        let outer = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let mut any = false;
        match &value {
            Value::Nil => {}
            Value::List(values) => {
                for (index, element) in values.iter().enumerate() {
                    any = true;
                    if self.turn(branch, &Value::Int(index as i64), element)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, element) in map.iter() {
                    any = true;
                    if self.turn(branch, &Value::Str(key.clone()), element)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Int(count) => {
                for number in 0..*count {
                    any = true;
                    if self.turn(branch, &Value::Int(number), &Value::Int(number))? == Flow::Break {
                        break;
                    }
                }
            }
            other => {
                let Some(items) = (match other {
                    Value::Object(object) => object.items(),
                    _ => None,
                }) else {
                    return Err(self.error(format!("range can't iterate over {value}")));
                };
                for (key, element) in &items {
                    any = true;
                    if self.turn(branch, key, element)? == Flow::Break {
                        break;
                    }
                }
            }
        }
        let flow = match &branch.otherwise {
            Some(otherwise) if !any => self.walk_list(dot, otherwise)?,
            _ => Flow::Next,
        };
        self.variables.truncate(outer);
        Ok(flow)
    }

    /// One turn of a loop.
    fn turn(&mut self, branch: &'t Branch, key: &Value, element: &Value) -> Result<Flow, ExecError> {
        self.step(1)?;
        let declared = &branch.pipe.declared;
        let of_turn: Vec<(&'t str, &Value)> = match declared.as_slice() {
            [] => Vec::new(),
            [only] => vec![(&**only, element)],
            [first, second, ..] => vec![(&**first, key), (&**second, element)],
        };
        for (name, value) in of_turn {
            self.set_variable(name, value.clone())?;
        }
        let mark = self.variables.len();
        let flow = self.walk_list(element, &branch.body)?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    pub(super) fn set_variable(&mut self, name: &str, value: Value) -> Result<(), ExecError> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    fn template(&mut self, dot: &Value, name: &str, pipe: Option<&'t Pipe>) -> Result<(), ExecError> {
        let Some(tree) = self.templates.find(name) else {
            return Err(self.error(format!("template {} not defined", quote::quote(name, false))));
        };
        let data = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        self.enter(tree, &data)
    }

    /// Runs another tree: it sees no variables of this one.
    fn enter(&mut self, tree: &'t Tree, data: &Value) -> Result<(), ExecError> {
        let at = self.at;
        let outer_tree = std::mem::replace(&mut self.tree, tree);
        let outer_variables = std::mem::replace(&mut self.variables, vec![("$", data.clone())]);
        self.walk_list(data, &tree.root)?;
        self.tree = outer_tree;
        self.variables = outer_variables;
        self.at = at;
        Ok(())
    }
}

impl Engine for Run<'_> {
    fn charge(&mut self, steps: u64) -> Result<(), FunctionError> {
        self.steps = self.steps.saturating_add(steps);
        let max = self.execution.limits.max_steps;
        if self.steps > max {
            return Err(FunctionError::Limit(format!("exceeded {max} steps")));
        }
        Ok(())
    }

    fn max_bytes(&self) -> usize {
        self.execution.limits.max_output_bytes
    }

    /// The output is text of the template's own making, so it is written without escaping the whole again: the caller
    /// gets it as a value and says what it is.
    fn execute(&mut self, name: &str, data: &Value) -> Result<String, FunctionError> {
        let Some(tree) = self.templates.find(name) else {
            return Err(FunctionError::failed(ExecError::no_template(name)));
        };
        let max = self.execution.limits.max_depth;
        if self.depth >= max {
            return Err(FunctionError::Limit(format!("exceeded maximum template depth ({max})")));
        }
        let limits = super::Limits {
            max_steps: self.execution.limits.max_steps.saturating_sub(self.steps),
            max_depth: max - self.depth - 1,
            ..self.execution.limits
        };
        let execution = Execution { limits, ..*self.execution };
        let mut out = String::new();
        let mut text = TextEscaper;
        let mut inner = Run {
            templates: self.templates,
            functions: self.functions,
            execution: &execution,
            escaper: &mut text,
            out: &mut out,
            limit: limits.max_output_bytes,
            tree,
            at: At::Nothing,
            variables: vec![("$", data.clone())],
            steps: 0,
            depth: 0,
        };
        let result = inner.walk_list(data, &tree.root);
        let steps = inner.steps;
        self.steps = self.steps.saturating_add(steps);
        match result {
            Ok(_) if out.len() > self.max_bytes() => Err(too_long(self.max_bytes())),
            Ok(_) => Ok(out),
            Err(error) if error.is_limit() => Err(FunctionError::Limit(error.to_string())),
            Err(error) => Err(FunctionError::failed(error)),
        }
    }
}
