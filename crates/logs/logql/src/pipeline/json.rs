//! `| json`: every field of a JSON object becomes a label, nested ones with the names joined.

use super::json_text::{JsonError, Kind, MAX_DEPTH, Stop, Value, each_field, unescape, unescape_into};
use super::sanitize::{EXTRACTED, push_sanitized};
use super::{Entry, EntryLabels, Run, errors};

#[derive(Default)]
pub(super) struct Json {
    /// Name of the label in the making.
    name: String,
    key: String,
    value: String,
}

impl Run for Json {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if labels.is_complete() {
            return true;
        }
        self.name.clear();
        match self.object(&entry.line, labels, 0) {
            Ok(()) | Err(Stop::Enough) => {}
            Err(Stop::Error(error)) => labels.set_parser_error(errors::JSON, error.as_str()),
        }
        true
    }
}

impl Json {
    /// Takes the fields of an object; `self.name` holds the names of those around it.
    fn object(&mut self, text: &str, labels: &mut EntryLabels, depth: usize) -> Result<(), Stop> {
        each_field(text, |key, value| {
            let outer = self.name.len();
            let result = self.field(key, value, labels, depth);
            self.name.truncate(outer);
            result
        })
    }

    fn field(
        &mut self,
        key: &str,
        value: Value<'_>,
        labels: &mut EntryLabels,
        depth: usize,
    ) -> Result<(), Stop> {
        if matches!(value.kind, Kind::Null | Kind::Array) {
            return done(labels);
        }
        self.push_key(key)?;
        if value.kind == Kind::Object {
            if depth < MAX_DEPTH && labels.hints().wants_prefix(&self.name) {
                return self.object(value.text, labels, depth + 1);
            }
            return Ok(());
        }
        if self.name.is_empty() {
            return done(labels);
        }
        if labels.collides(&self.name) {
            self.name.push_str(EXTRACTED);
        }
        if labels.wants(&self.name) {
            match value.kind {
                Kind::String => {
                    unescape_into(&mut self.value, value.text);
                    labels.set_parsed(&self.name, &self.value);
                }
                _ => labels.set_parsed(&self.name, value.text),
            }
        }
        done(labels)
    }

    /// Appends a key to the name, behind a `_` if it is not the first.
    fn push_key(&mut self, key: &str) -> Result<(), Stop> {
        let key = if key.contains('\\') {
            self.key.clear();
            unescape(&mut self.key, key).ok_or(Stop::Error(JsonError::Escape))?;
            &self.key
        } else {
            key
        };
        if !self.name.is_empty() && !key.trim().is_empty() {
            self.name.push('_');
        }
        push_sanitized(&mut self.name, key);
        Ok(())
    }
}

fn done(labels: &EntryLabels) -> Result<(), Stop> {
    if labels.is_complete() { Err(Stop::Enough) } else { Ok(()) }
}
