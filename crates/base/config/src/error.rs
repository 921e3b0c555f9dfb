//! What is wrong with a configuration file, and where.

use std::{fmt, path::PathBuf};

/// A mistake in a configuration file. Prints as `file:line:column: message`, the form that editors jump to.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    position: Option<(usize, usize)>,
    message: String,
    source: Option<std::io::Error>,
}

impl ConfigError {
    /// A mistake at a known place. Line and column count from 1.
    pub fn at(file: impl Into<PathBuf>, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), position: Some((line, column)), message: message.into(), source: None }
    }

    /// A mistake of the file as a whole, or one whose place is named in the message (as a path of keys).
    pub fn of(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { file: file.into(), position: None, message: message.into(), source: None }
    }

    /// The file could not be read.
    pub fn unreadable(file: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self {
            file: file.into(),
            position: None,
            message: "cannot read the file".into(),
            source: Some(source),
        }
    }

    /// Line and column, from 1, where they are known.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
