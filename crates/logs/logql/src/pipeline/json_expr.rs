//! `| json a="b.c[0]"`: labels from places in a JSON document.

use super::json_text::{JsonError, Kind, Value, element_start, field_start, unescape_into, value_at};
use super::sanitize::EXTRACTED;
use super::{Entry, EntryLabels, Run, errors};
use crate::syntax::Extraction;

pub(super) struct JsonExpressions {
    extractions: Vec<(String, Vec<Step>)>,
    name: String,
    value: String,
}

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
}

impl JsonExpressions {
    pub fn new(extractions: &[Extraction]) -> Result<Self, String> {
        let parse = |extraction: &Extraction| {
            let path = parse_path(&extraction.expression)
                .map_err(|error| format!("cannot parse expression [{}]: {error}", extraction.expression))?;
            Ok((extraction.name.clone(), path))
        };
        Ok(Self {
            extractions: extractions.iter().map(parse).collect::<Result<_, String>>()?,
            name: String::new(),
            value: String::new(),
        })
    }
}

impl Run for JsonExpressions {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if entry.line.is_empty() || labels.is_complete() {
            return true;
        }
        if !entry.line.starts_with(['"', '{', '[']) {
            labels.set_parser_error(errors::JSON, "");
            return true;
        }
        for (name, path) in &self.extractions {
            let found = match find(&entry.line, path) {
                Ok(found) => found,
                Err(error) => {
                    labels.set_parser_error(errors::JSON, error.as_str());
                    None
                }
            };
            let Some(value) = found else {
                if labels.get(name).is_none() {
                    labels.set_parsed(name, "");
                }
                continue;
            };
            match value.kind {
                Kind::Null => self.value.clear(),
                Kind::Object => value.text.clone_into(&mut self.value),
                _ => unescape_into(&mut self.value, value.text),
            }
            if labels.collides(name) {
                name.clone_into(&mut self.name);
                self.name.push_str(EXTRACTED);
                labels.set_parsed(&self.name, &self.value);
            } else {
                labels.set_parsed(name, &self.value);
            }
        }
        true
    }
}

/// The value a path leads to. Breaks elsewhere in the document do not matter, one in the value itself is an error.
fn find<'a>(document: &'a str, path: &[Step]) -> Result<Option<Value<'a>>, JsonError> {
    let mut at = 0;
    for step in path {
        let next = match step {
            Step::Field(name) => field_start(document, at, name),
            Step::Index(index) => element_start(document, at, *index),
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    value_at(document, at).map(|(value, _)| Some(value))
}

/// Reads `a.b["c d"][0]`.
fn parse_path(text: &str) -> Result<Vec<Step>, String> {
    let mut path = Vec::new();
    let mut rest = text;
    let unexpected_end = |expected: &str| format!("syntax error: unexpected $end{expected}");
    if rest.is_empty() {
        return Err(unexpected_end(", expecting LSB or FIELD"));
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (step, after) = bracket(after)?;
            path.push(step);
            rest = after;
            continue;
        }
        let after = match rest.strip_prefix('.') {
            Some(after) if !path.is_empty() => after,
            None if path.is_empty() => rest,
            _ => return Err(format!("unexpected char {}", rest.chars().next().unwrap_or('.'))),
        };
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        match name.chars().next() {
            None if after.is_empty() => return Err(unexpected_end(", expecting FIELD")),
            None => return Err(format!("unexpected char {}", after.chars().next().unwrap_or('.'))),
            Some(first) if first.is_ascii_digit() => {
                return Err("syntax error: unexpected INDEX, expecting FIELD".to_owned());
            }
            Some(_) => {}
        }
        path.push(Step::Field(name.to_owned()));
        rest = after;
    }
    Ok(path)
}

/// What stands in brackets, the opening one taken.
fn bracket(rest: &str) -> Result<(Step, &str), String> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let end = quoted.find('"').ok_or("syntax error: unexpected $end, expecting RSB")?;
        let after =
            quoted[end + 1..].strip_prefix(']').ok_or("syntax error: unexpected $end, expecting RSB")?;
        return Ok((Step::Field(quoted[..end].to_owned()), after));
    }
    let end = rest.find(']').unwrap_or(rest.len());
    let number = &rest[..end];
    if number.is_empty() {
        let found = if rest.is_empty() { "$end" } else { "RSB" };
        return Err(format!("syntax error: unexpected {found}, expecting STRING or INDEX"));
    }
    if let Some(other) = number.chars().find(|c| !c.is_ascii_digit()) {
        return Err(match other {
            '.' => "cannot use float as array index".to_owned(),
            other => format!("non-integer value: {other}"),
        });
    }
    let index =
        number.parse().map_err(|_| format!("strconv.Atoi: parsing \"{number}\": value out of range"))?;
    let after = rest[end..].strip_prefix(']').ok_or("syntax error: unexpected $end, expecting RSB")?;
    Ok((Step::Index(index), after))
}
