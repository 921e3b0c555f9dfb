//! `| unpack`: undoes promtail's `pack`: string fields become labels, `_entry` becomes the line.

use std::borrow::Cow;

use super::json_text::{Kind, Stop, each_field, unescape, unescape_into};
use super::sanitize::{EXTRACTED, push_sanitized};
use super::{Entry, EntryLabels, Run, errors};

const ENTRY: &str = "_entry";

#[derive(Default)]
pub(super) struct Unpack {
    /// What the line holds, until it is known that it was packed at all.
    found: Vec<(String, String)>,
}

impl Run for Unpack {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if entry.line.is_empty() {
            return true;
        }
        if !entry.line.starts_with('{') {
            labels.set_parser_error(errors::JSON, "expecting json object(6), but it is not");
            return true;
        }
        self.found.clear();
        let mut packed = None;
        let end = each_field(&entry.line, |key, value| {
            if value.kind != Kind::String {
                return Ok(());
            }
            if key == ENTRY {
                let mut line = String::with_capacity(value.text.len());
                unescape(&mut line, value.text).ok_or(Stop::Error(super::json_text::JsonError::Escape))?;
                packed = Some(line);
                return Ok(());
            }
            let mut name = key.to_owned();
            if labels.collides(&name) {
                name.push_str(EXTRACTED);
            }
            if labels.wants(&name) && !labels.hints().nothing_needed() {
                let mut label = String::new();
                push_sanitized(&mut label, &name);
                let mut text = String::new();
                unescape_into(&mut text, value.text);
                self.found.push((label, text));
            }
            Ok(())
        });
        match end {
            Err(Stop::Error(error)) => labels.set_parser_error(errors::JSON, error.as_str()),
            Ok(()) | Err(Stop::Enough) => {
                if let Some(line) = packed {
                    for (name, value) in &self.found {
                        labels.set_parsed(name, value);
                    }
                    entry.line = Cow::Owned(line);
                }
            }
        }
        true
    }
}
