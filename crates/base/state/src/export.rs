//! The whole store as one file that people can read, and back.
//!
//! JSON, one object a line: a header, then a line a record with `tree`, the key as `key` or `key_hex`, the value as `json`, `text` or
//! `hex`, whichever shows its bytes exactly. Lines end in a newline; a file without the `end` line was cut short and is refused.

use std::io::{self, BufRead, Write};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Batch, MAX_VALUE_BYTES, StateError, StateStore};

const FORMAT: &str = "state-export";
const VERSION: u32 = 1;
/// Longest line that is read: the largest value as hex, and room for its key.
const MAX_LINE_BYTES: u64 = 2 * MAX_VALUE_BYTES as u64 + (1 << 20);

/// Why a store could not be written to a file or read from one.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StateError),
    /// The file cannot be written.
    #[error("cannot write the export")]
    Write(#[source] io::Error),
    /// The file cannot be read.
    #[error("cannot read the export")]
    Read(#[source] io::Error),
    /// The file is not an export, or one of a later version.
    #[error("line {line}: {message}")]
    Format {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Record<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    json: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// How many records came before: the last line has nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
}

/// Writes every tree. Writers may go on meanwhile; each tree is as it was at one moment.
pub fn export(store: &dyn StateStore, to: &mut dyn Write) -> Result<(), ExportError> {
    let mut line = |value: &dyn Line| {
        let mut text = value.json().map_err(|error| ExportError::Write(error.into()))?;
        text.push('\n');
        to.write_all(text.as_bytes()).map_err(ExportError::Write)
    };
    line(&Header { format: FORMAT.into(), version: VERSION })?;
    let mut count = 0;
    for tree in store.trees()? {
        for (key, value) in store.scan(&tree, b"")? {
            line(&record(&tree, &key, &value))?;
            count += 1;
        }
    }
    line(&Record { end: Some(count), ..Record::default() })
}

/// Replaces everything in the store by what the file holds, at once; after an error the store is as it was.
pub fn restore(store: &dyn StateStore, from: impl BufRead) -> Result<(), ExportError> {
    let mut batch = Batch::new();
    for tree in store.trees()? {
        for (key, _) in store.scan(&tree, b"")? {
            batch.delete(&tree, &key);
        }
    }
    for (tree, key, value) in read(from)? {
        batch.put(&tree, &key, &value);
    }
    store.apply(batch).map_err(StateError::unconditional)?;
    Ok(store.flush()?)
}

pub(crate) fn read(mut from: impl BufRead) -> Result<Vec<(String, Bytes, Bytes)>, ExportError> {
    let mut entries = Vec::new();
    let mut text = String::new();
    for line in 1usize.. {
        text.clear();
        let error = |message: String| ExportError::Format { line, message };
        io::Read::take(&mut from, MAX_LINE_BYTES).read_line(&mut text).map_err(ExportError::Read)?;
        if !text.ends_with('\n') {
            return Err(error("the file is cut short".into()));
        }
        if line == 1 {
            let header: Header =
                serde_json::from_str(&text).map_err(|_| error("not an export of a state store".into()))?;
            if header.format != FORMAT || header.version != VERSION {
                return Err(error(format!("{} version {} is not known", header.format, header.version)));
            }
            continue;
        }
        let record: Record = serde_json::from_str(&text).map_err(|cause| error(cause.to_string()))?;
        if let Some(count) = record.end {
            if count != entries.len() as u64 {
                return Err(error(format!("{count} records were written, {} are here", entries.len())));
            }
            break;
        }
        entries.push(entry(record).ok_or_else(|| error("a record without tree, key or value".into()))?);
    }
    Ok(entries)
}

trait Line {
    fn json(&self) -> serde_json::Result<String>;
}

impl<T: Serialize> Line for T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

fn record<'a>(tree: &str, key: &[u8], value: &'a [u8]) -> Record<'a> {
    let mut record = Record { tree: Some(tree.to_owned()), ..Record::default() };
    match std::str::from_utf8(key) {
        Ok(text) => record.key = Some(text.to_owned()),
        Err(_) => record.key_hex = Some(to_hex(key)),
    }
    match std::str::from_utf8(value) {
        // Only text that comes back byte for byte, and on one line.
        Ok(text) => match serde_json::from_str::<&RawValue>(text) {
            Ok(json) if json.get() == text && !text.contains('\n') => record.json = Some(json),
            _ => record.text = Some(text.to_owned()),
        },
        Err(_) => record.hex = Some(to_hex(value)),
    }
    record
}

fn entry(record: Record<'_>) -> Option<(String, Bytes, Bytes)> {
    let key = match (record.key, record.key_hex) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(hex)) => from_hex(&hex)?,
        _ => return None,
    };
    let value = match (record.json, record.text, record.hex) {
        (Some(json), None, None) => json.get().as_bytes().to_vec(),
        (None, Some(text), None) => text.into_bytes(),
        (None, None, Some(hex)) => from_hex(&hex)?,
        _ => return None,
    };
    Some((record.tree?, key.into(), value.into()))
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[test]
    fn comes_back_byte_for_byte() {
        let store = MemoryStore::new();
        let values: [&[u8]; 6] =
            [b"{\"b\":1, \"a\":2}", b" 1", b"", b"two\nlines", &[0xff, 0x00], b"[1,\n2]"];
        for (number, value) in values.iter().enumerate() {
            store.put("a", &[number as u8], value).unwrap();
            store.put("b-2", &[0xfe, number as u8], value).unwrap();
        }
        let mut text = Vec::new();
        export(&store, &mut text).unwrap();
        let copy = MemoryStore::new();
        copy.put("old", b"x", b"goes").unwrap();
        restore(&copy, text.as_slice()).unwrap();
        assert_eq!(copy.trees().unwrap(), ["a", "b-2"]);
        for tree in ["a", "b-2"] {
            assert_eq!(copy.scan(tree, b"").unwrap(), store.scan(tree, b"").unwrap());
        }
    }

    #[test]
    fn a_broken_file_changes_nothing() {
        let store = MemoryStore::new();
        store.put("a", b"k", b"v").unwrap();
        let mut text = Vec::new();
        export(&store, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let check = |broken: &str, want: &str| {
            let error = restore(&store, broken.as_bytes()).expect_err(broken).to_string();
            assert_eq!(error, want, "{broken}");
            assert_eq!(store.get("a", b"k").unwrap().as_deref(), Some(b"v".as_slice()));
        };
        check("", "line 1: the file is cut short");
        check("[]\n", "line 1: not an export of a state store");
        check(&text[..text.len() - 2], "line 3: the file is cut short");
        check(&text.replace("\"version\":1", "\"version\":9"), "line 1: state-export version 9 is not known");
        check(
            &text.replace("\"text\":\"v\"", "\"hex\":\"0g\""),
            "line 2: a record without tree, key or value",
        );
        check(&text.replace("\"end\":1", "\"end\":2"), "line 3: 2 records were written, 1 are here");
    }
}
