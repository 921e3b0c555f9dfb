//! YAML into typed file shapes, with errors that name file, line, column, key and what was expected.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::ConfigError;

/// Largest configuration file that is read, against accidents such as a device or a log given as one.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A configuration file's text and where it came from.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Where it was read.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl SourceFile {
    /// Reads a file; at most 64 MiB of UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let size = std::fs::metadata(path).map_err(|source| ConfigError::unreadable(path, source))?.len();
        if size > MAX_FILE_BYTES {
            return Err(ConfigError::of(path, format!("{size} bytes is too large for a configuration file")));
        }
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, source))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Reads the text as `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        parse(&self.path, &self.text)
    }
}

/// Reads YAML as `T`. An empty document is an empty map, as all peers have it.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let is_blank = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    let outcome = if text.contains("<<:") {
        merged(text)
    } else {
        serde_yaml::from_str(if is_blank { "{}" } else { text })
    };
    outcome.map_err(|error| locate(path, text, &error))
}

/// Merge keys (`<<: *anchor`) are applied on the untyped document, since typed structs do not know them; mistakes then name the path of
/// keys alone.
fn merged<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    let mut document: serde_yaml::Value = serde_yaml::from_str(text)?;
    document.apply_merge()?;
    serde_yaml::from_value(document)
}

/// For `#[serde(deserialize_with)]`: a key without a value (`labels:`) is the default, as Go's YAML reads it.
pub fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// For `#[serde(deserialize_with)]` on an `Option`: a key without a value is there, with the value's default; an absent key is `None`.
/// So `tls: {}` and `tls:` both switch TLS on where the peer reads a pointer.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    null_as_default(deserializer).map(Some)
}

/// Splits the library's message into place and text, and finds the place of an unknown key where the library gives that of its map.
fn locate(path: &Path, text: &str, error: &serde_yaml::Error) -> ConfigError {
    let full = error.to_string();
    let message = match full.rfind(" at line ") {
        Some(at) => &full[..at],
        None => &full,
    };
    let start = error.location().map(|place| (place.line(), place.column()));
    let unknown =
        message.split_once("unknown field `").and_then(|(_, rest)| rest.split_once('`')).map(|(key, _)| key);
    let place = match unknown {
        Some(key) => find_key(text, key, start.map_or(1, |(line, _)| line)).or(start),
        None => start,
    };
    match place {
        Some((line, column)) => ConfigError::at(path, line, column, message),
        None => ConfigError::of(path, message),
    }
}

/// Where `key:` first stands at or after a line; line and column count from 1.
fn find_key(text: &str, key: &str, from_line: usize) -> Option<(usize, usize)> {
    let holds = |line: &str| -> Option<usize> {
        let mut from = 0;
        while let Some(found) = line[from..].find(key) {
            let at = from + found;
            let before = line[..at].trim_end_matches(['"', '\'']).chars().next_back();
            let after = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            if after.starts_with(':') && before.is_none_or(|c| matches!(c, ' ' | '{' | ',' | '-')) {
                return Some(line[..at].chars().count() + 1);
            }
            from = at + key.len();
        }
        None
    };
    text.lines()
        .enumerate()
        .skip(from_line.saturating_sub(1))
        .find_map(|(at, line)| holds(line).map(|column| (at + 1, column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct File {
        global: Global,
        #[serde(deserialize_with = "null_as_default")]
        jobs: Vec<Job>,
        #[serde(deserialize_with = "present")]
        tls: Option<Global>,
    }

    #[derive(Debug, Deserialize, Default, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Global {
        interval: crate::PromDuration,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Job {
        #[allow(dead_code)]
        name: String,
    }

    fn error(text: &str) -> String {
        parse::<File>(Path::new("a.yml"), text).expect_err("a mistake").to_string()
    }

    #[test]
    fn mistakes_name_their_place() {
        assert_eq!(
            error("global:\n  interval: 10x\n"),
            "a.yml:2:13: global.interval: not a valid duration string: \"10x\""
        );
        assert_eq!(
            error("global: {}\nfoo: 1\n"),
            "a.yml:2:1: unknown field `foo`, expected one of `global`, `jobs`, `tls`"
        );
        assert_eq!(
            error("jobs:\n  - name: a\n  - name: b\n    port: 1\n"),
            "a.yml:4:5: jobs[1]: unknown field `port`, expected `name`"
        );
        assert!(
            error("jobs: 5\n").starts_with("a.yml:1:7: jobs: invalid type: integer `5`, expected a sequence")
        );
        assert!(error("jobs: [\n").starts_with("a.yml:2:1:"), "{}", error("jobs: [\n"));
    }

    #[test]
    fn merge_keys_are_applied() {
        let text = "jobs:\n  - &a {name: x}\n  - <<: *a\n    name: y\n";
        assert_eq!(parse::<File>(Path::new("a.yml"), text).expect("valid").jobs.len(), 2);
    }

    #[test]
    fn absent_values_are_defaults() {
        let file: File = parse(Path::new("a.yml"), "jobs:\ntls:\n").expect("valid");
        assert!(file.jobs.is_empty());
        assert_eq!(file.tls, Some(Global::default()));
        assert_eq!(file.global, Global::default());
        let file: File = parse(Path::new("a.yml"), "# nothing\n").expect("valid");
        assert_eq!(file.tls, None);
    }
}
