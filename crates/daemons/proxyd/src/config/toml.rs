//! TOML 1.0 into a tree with places. Source: toml.io/en/v1.0.0.

mod scalar;

use std::path::Path;

use ::config::ConfigError;

use super::node::{Node, Place, Value};

/// Deepest nesting of arrays and inline tables.
const MAX_DEPTH: usize = 64;

/// Reads a document.
pub(super) fn parse(path: &Path, text: &str) -> Result<Node, ConfigError> {
    let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut parser = Parser { text, at: 0, line_starts };
    parser.document().map_err(|mistake| {
        let (line, column) = parser.place_of(mistake.at);
        ConfigError::at(path, line, column, mistake.message)
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    line_starts: Vec<usize>,
}

#[derive(Debug)]
struct Mistake {
    at: usize,
    message: String,
}

type Parsed<T> = Result<T, Mistake>;

/// A key of one or several parts, each with its place in bytes.
type Key = Vec<(String, usize)>;

impl<'t> Parser<'t> {
    fn document(&mut self) -> Parsed<Node> {
        let mut root = Node::map();
        // The table that `key = value` lines go to.
        let mut table: Key = Vec::new();
        loop {
            self.skip_blank_lines();
            let Some(next) = self.peek() else { return Ok(root) };
            if next == '[' {
                table = self.header(&mut root)?;
            } else {
                let key = self.key()?;
                self.expect('=')?;
                self.skip_spaces();
                let node = self.value(0)?;
                self.end_of_line()?;
                let parent = self.descend(&mut root, &table)?;
                self.insert(parent, &key, node)?;
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    fn header(&mut self, root: &mut Node) -> Parsed<Key> {
        self.at += 1;
        let is_array = self.peek() == Some('[');
        if is_array {
            self.at += 1;
        }
        self.skip_spaces();
        let key = self.key()?;
        self.expect(']')?;
        if is_array {
            self.expect_here(']')?;
        }
        self.end_of_line()?;
        if is_array {
            let Some(((last, at), parents)) = key.split_last() else { return Ok(key) };
            let place = self.place_of(*at);
            let parent = self.descend(root, parents)?;
            let list = parent.slot(last, Some(place), |a, b| a == b);
            if list.value == Value::Null {
                list.value = Value::List(Vec::new());
            }
            match &mut list.value {
                Value::List(items) => {
                    items.push(Node::new(Value::Map(Vec::new()), Some(place)));
                }
                _ => return Err(Mistake { at: *at, message: format!("`{last}` is not an array of tables") }),
            }
        } else {
            self.descend(root, &key)?;
        }
        Ok(key)
    }

    /// The table at a key, made where it is missing; of an array of tables its last.
    fn descend<'n>(&self, node: &'n mut Node, key: &[(String, usize)]) -> Parsed<&'n mut Node> {
        let mut node = node;
        for (name, at) in key {
            let place = self.place_of(*at);
            let not_a_table = || Mistake { at: *at, message: format!("`{name}` is not a table") };
            let slot = node.slot(name, Some(place), |a, b| a == b);
            if slot.value == Value::Null {
                *slot = Node::new(Value::Map(Vec::new()), Some(place));
            }
            node = match slot {
                Node { value: Value::List(items), .. } => items.last_mut().ok_or_else(not_a_table)?,
                slot => slot,
            };
            if !matches!(node.value, Value::Map(_)) {
                return Err(not_a_table());
            }
        }
        Ok(node)
    }

    fn insert(&self, table: &mut Node, key: &[(String, usize)], value: Node) -> Parsed<()> {
        let Some(((last, at), parents)) = key.split_last() else { return Ok(()) };
        let parent = self.descend(table, parents)?;
        let slot = parent.slot(last, Some(self.place_of(*at)), |a, b| a == b);
        if slot.value != Value::Null {
            return Err(Mistake { at: *at, message: format!("duplicate key `{last}`") });
        }
        *slot = value;
        Ok(())
    }

    fn key(&mut self) -> Parsed<Key> {
        let mut parts = Vec::new();
        loop {
            self.skip_spaces();
            let at = self.at;
            let part = match self.peek() {
                Some('"') => self.basic_string()?,
                Some('\'') => self.literal_string()?,
                _ => {
                    let rest = self.rest();
                    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    let end = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
                    self.at += end;
                    rest[..end].to_owned()
                }
            };
            if part.is_empty() && self.at == at {
                return Err(self.mistake("expected a key"));
            }
            parts.push((part, at));
            self.skip_spaces();
            if self.peek() != Some('.') {
                return Ok(parts);
            }
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Node> {
        if depth > MAX_DEPTH {
            return Err(self.mistake("values are nested too deeply"));
        }
        let place = Some(self.place_of(self.at));
        let value = match self.peek() {
            Some('"') if self.rest().starts_with("\"\"\"") => Value::Text(self.long_basic_string()?),
            Some('"') => Value::Text(self.basic_string()?),
            Some('\'') if self.rest().starts_with("'''") => Value::Text(self.long_literal_string()?),
            Some('\'') => Value::Text(self.literal_string()?),
            Some('[') => self.array(depth)?,
            Some('{') => self.inline_table(depth)?,
            _ => self.bare_value()?,
        };
        Ok(Node::new(value, place))
    }

    fn array(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blank_lines();
            if self.peek() == Some(']') {
                self.at += 1;
                return Ok(Value::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip_blank_lines();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => {}
                _ => return Err(self.mistake("expected `,` or `]`")),
            }
        }
    }

    fn inline_table(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut table = Node::map();
        self.skip_spaces();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(table.value);
        }
        loop {
            let key = self.key()?;
            self.expect('=')?;
            self.skip_spaces();
            let value = self.value(depth + 1)?;
            self.insert(&mut table, &key, value)?;
            self.skip_spaces();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {
                    self.at += 1;
                    return Ok(table.value);
                }
                _ => return Err(self.mistake("expected `,` or `}`")),
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake { at: self.at, message: message.into() }
    }

    fn expect(&mut self, want: char) -> Parsed<()> {
        self.skip_spaces();
        self.expect_here(want)
    }

    fn expect_here(&mut self, want: char) -> Parsed<()> {
        if self.peek() != Some(want) {
            return Err(self.mistake(format!("expected `{want}`")));
        }
        self.at += want.len_utf8();
        Ok(())
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn skip_comment(&mut self) {
        if self.peek() == Some('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn skip_blank_lines(&mut self) {
        loop {
            let before = self.at;
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
            self.skip_comment();
            if self.at == before {
                return;
            }
        }
    }

    fn end_of_line(&mut self) -> Parsed<()> {
        self.skip_spaces();
        self.skip_comment();
        match self.peek() {
            None | Some('\n' | '\r') => Ok(()),
            Some(_) => Err(self.mistake("expected the end of the line")),
        }
    }

    fn place_of(&self, at: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, self.text.get(start..at).unwrap_or_default().chars().count() + 1)
    }
}
