//! Templates and sets of them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::exec::{Escaper, ExecError, Execution, Templates, TextEscaper, run};
use crate::functions::Functions;
use crate::parse::ast::{Node, Pipe, Term, Tree};
use crate::parse::{self, ParseError};
use crate::value::Value;

/// Templates that call each other by name. Cheap to clone; a clone goes its own way.
#[derive(Debug, Clone)]
pub struct TemplateSet {
    functions: Arc<Functions>,
    trees: HashMap<Arc<str>, Arc<Tree>>,
}

impl TemplateSet {
    /// An empty set whose texts may call these functions.
    pub fn new(functions: Functions) -> TemplateSet {
        TemplateSet { functions: Arc::new(functions), trees: HashMap::new() }
    }

    /// Adds a text under a name, and the templates that it defines. They replace those of the same name, but an empty
    /// one does not replace one that is not, as in Go.
    ///
    /// # Errors
    /// If the text is no template; the set is as before then.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), ParseError> {
        for tree in parse::parse(name, text, &|name| self.functions.get(name).is_some())? {
            let keeps_other = tree.is_empty() && self.trees.contains_key(&tree.name);
            if !keeps_other {
                self.trees.insert(Arc::clone(&tree.name), Arc::new(tree));
            }
        }
        Ok(())
    }

    /// Parses a text that may call the templates of this set, without adding it.
    ///
    /// # Errors
    /// If the text is no template.
    pub fn template(&self, name: &str, text: &str) -> Result<Template, ParseError> {
        let mut set = self.clone();
        // The text replaces a template of its name even if it is empty.
        set.trees.remove(name);
        set.add(name, text)?;
        Ok(Template { name: name.into(), set })
    }

    /// The template of that name.
    pub fn get(&self, name: &str) -> Option<Template> {
        self.trees.contains_key(name).then(|| Template { name: name.into(), set: self.clone() })
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.trees.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }
}

impl Templates for TemplateSet {
    fn find(&self, name: &str) -> Option<&Tree> {
        self.trees.get(name).map(|tree| &**tree)
    }
}

/// A parsed template with those that it may call. Cheap to clone, safe to run on many threads.
#[derive(Debug, Clone)]
pub struct Template {
    name: Arc<str>,
    set: TemplateSet,
}

impl Template {
    /// Parses a text of its own.
    ///
    /// # Errors
    /// If the text is no template, with Go's words.
    pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Template, ParseError> {
        TemplateSet::new(functions.clone()).template(name, text)
    }

    /// The template's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the template on `data`.
    ///
    /// # Errors
    /// If a function fails, a value does not fit, or a limit is reached; with Go's words.
    pub fn execute(&self, data: &Value, execution: &Execution<'_>) -> Result<String, ExecError> {
        let mut out = String::new();
        self.execute_into(data, execution, &mut TextEscaper, &mut out)?;
        Ok(out)
    }

    /// Runs the template on `data` and appends to `out`, which holds the output so far if the run fails.
    ///
    /// # Errors
    /// As [`Template::execute`].
    pub fn execute_into(
        &self,
        data: &Value,
        execution: &Execution<'_>,
        escaper: &mut dyn Escaper,
        out: &mut String,
    ) -> Result<(), ExecError> {
        let Some(tree) = self.set.find(&self.name) else {
            return Err(ExecError::no_template(&self.name));
        };
        run(&self.set, &self.set.functions, tree, data, execution, escaper, out)
    }

    /// The text, if the template is text alone: then there is nothing to run.
    pub fn literal(&self) -> Option<&str> {
        match self.root() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The name, if the template is `{{.name}}` and nothing else: then the host can look the field up itself.
    pub fn single_field(&self) -> Option<&str> {
        let [Node::Action(pipe)] = self.root() else { return None };
        let [command] = pipe.commands.as_slice() else { return None };
        let [operand] = command.operands.as_slice() else { return None };
        match &operand.term {
            Term::Field(fields) if pipe.declared.is_empty() && fields.len() == 1 => {
                fields.first().map(|field| &**field)
            }
            _ => None,
        }
    }

    /// The names of the fields that the template asks for, sorted: what its data should have. Fields within
    /// parentheses, of variables and of templates that it calls are not all among them.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        collect_fields(self.root(), &mut fields);
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    fn root(&self) -> &[Node] {
        self.set.find(&self.name).map_or(&[], |tree| &tree.root)
    }
}

fn collect_fields<'t>(nodes: &'t [Node], fields: &mut Vec<&'t str>) {
    for node in nodes {
        match node {
            Node::Action(pipe) => fields_of_pipe(pipe, fields),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                fields_of_pipe(&branch.pipe, fields);
                collect_fields(&branch.body, fields);
                collect_fields(branch.otherwise.as_deref().unwrap_or_default(), fields);
            }
            Node::Template { pipe: Some(pipe), .. } => fields_of_pipe(pipe, fields),
            Node::Text(_) | Node::Template { pipe: None, .. } | Node::Break | Node::Continue => {}
        }
    }
}

fn fields_of_pipe<'t>(pipe: &'t Pipe, fields: &mut Vec<&'t str>) {
    for operand in pipe.commands.iter().flat_map(|command| &command.operands) {
        match &operand.term {
            Term::Field(names) => fields.extend(names.iter().map(|name| &**name)),
            Term::Pipe(pipe) => fields_of_pipe(pipe, fields),
            _ => {}
        }
    }
}
