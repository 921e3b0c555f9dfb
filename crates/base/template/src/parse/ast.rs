//! The tree of a template. `Display` writes nodes as Go does in error messages.

use std::fmt;
use std::sync::Arc;

use super::number::Number;

/// Where a tree comes from, for the positions in messages.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name given to the text, which is not that of the templates defined in it.
    pub name: Arc<str>,
    pub text: Arc<str>,
}

impl Source {
    /// `name:line:column`; lines count from 1, columns from 0.
    pub fn location(&self, pos: usize) -> String {
        let before = self.text.get(..pos).unwrap_or(&self.text);
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        format!("{}:{line}:{column}", self.name)
    }
}

/// One template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub name: Arc<str>,
    pub source: Arc<Source>,
    pub root: Vec<Node>,
}

impl Tree {
    /// Nothing but blanks: such a definition does not replace another.
    pub fn is_empty(&self) -> bool {
        self.root.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
    }
}

#[derive(Debug)]
pub(crate) enum Node {
    Text(Box<str>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { pos: usize, name: Arc<str>, pipe: Option<Pipe> },
    Break,
    Continue,
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub pipe: Pipe,
    pub body: Vec<Node>,
    pub otherwise: Option<Vec<Node>>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    pub pos: usize,
    /// Variables with their dollar.
    pub declared: Vec<Box<str>>,
    /// `=` instead of `:=`
    pub assigns: bool,
    pub commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub pos: usize,
    /// Never empty: what to call, and its arguments.
    pub operands: Vec<Operand>,
}

#[derive(Debug)]
pub(crate) struct Operand {
    pub pos: usize,
    pub term: Term,
}

#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Str { quoted: Box<str>, text: Arc<str> },
    Field(Vec<Box<str>>),
    Variable { name: Box<str>, fields: Vec<Box<str>> },
    Function(Box<str>),
    Pipe(Box<Pipe>),
    Chain { base: Box<Operand>, fields: Vec<Box<str>> },
}

impl Term {
    /// Literals, which cannot be given arguments or stand behind a bar.
    pub fn is_literal(&self) -> bool {
        matches!(self, Term::Dot | Term::Nil | Term::Bool(_) | Term::Number(_) | Term::Str { .. })
    }
}

fn write_fields(fields: &[Box<str>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(f, ".{field}"))
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(value) => write!(f, "{value}"),
            Term::Number(number) => f.write_str(&number.text),
            Term::Str { quoted, .. } => f.write_str(quoted),
            Term::Field(fields) => write_fields(fields, f),
            Term::Variable { name, fields } => {
                f.write_str(name)?;
                write_fields(fields, f)
            }
            Term::Function(name) => f.write_str(name),
            Term::Pipe(pipe) => write!(f, "{pipe}"),
            Term::Chain { base, fields } => {
                match &base.term {
                    Term::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => write!(f, "{base}")?,
                }
                write_fields(fields, f)
            }
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match &operand.term {
                Term::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => write!(f, "{operand}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.declared.is_empty() {
            f.write_str(&self.declared.join(", "))?;
            f.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{command}")?;
        }
        Ok(())
    }
}
