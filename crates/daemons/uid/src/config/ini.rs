//! `grafana.ini`: sections, keys, values. Source: the go-ini reader's documented behaviour.

use std::path::Path;

use config::ConfigError;

/// One `key = value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IniEntry {
    /// The section above it, empty before the first.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value, without quotes and comment.
    pub value: String,
    /// Line, from 1.
    pub line: usize,
}

/// Reads a file's text. `#` and `;` start a comment, also after a value; a value with them in it is written in backticks or in three
/// double quotes.
pub fn read(path: &Path, text: &str) -> Result<Vec<IniEntry>, ConfigError> {
    let mut section = String::new();
    let mut entries = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = at + 1;
        let trimmed = line.trim();
        let column = line.len() - line.trim_start().len() + 1;
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name = rest.split(']').next().filter(|_| rest.contains(']')).ok_or_else(|| {
                ConfigError::at(path, number, column, "expected `]` after the section's name")
            })?;
            section = name.trim().to_owned();
            continue;
        }
        let (key, value) = trimmed
            .split_once('=')
            .ok_or_else(|| ConfigError::at(path, number, column, "expected `[section]` or `key = value`"))?;
        entries.push(IniEntry {
            section: section.clone(),
            key: key.trim().to_owned(),
            value: unquote(value.trim()).to_owned(),
            line: number,
        });
    }
    Ok(entries)
}

fn unquote(value: &str) -> &str {
    for quote in ["\"\"\"", "`"] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    let value = value.split(['#', ';']).next().unwrap_or_default().trim_end();
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inside;
        }
    }
    value
}
