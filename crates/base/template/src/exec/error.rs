//! Why a run failed.

use crate::format::quote;

/// A failed run, in Go's words: `template: name:1:3: executing "name" at <.Foo>: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExecError {
    message: String,
    is_limit: bool,
}

impl ExecError {
    pub(crate) fn new(message: String, is_limit: bool) -> ExecError {
        ExecError { message, is_limit }
    }

    pub(crate) fn no_template(name: &str) -> ExecError {
        ExecError::new(
            format!("template: no template {} associated with template \"\"", quote::quote(name, false)),
            false,
        )
    }

    /// Did the run exceed its [`Limits`](crate::Limits)?
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }
}

/// Why a function failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function says no; the run's error reads `error calling name: …`.
    #[error("{0}")]
    Failed(String),
    /// The arguments do not fit; the run's error has this text as it stands.
    #[error("{0}")]
    Arguments(String),
    /// The run exceeds its limits.
    #[error("{0}")]
    Limit(String),
}

impl FunctionError {
    /// A failure with that text.
    pub fn failed(error: impl std::fmt::Display) -> FunctionError {
        FunctionError::Failed(error.to_string())
    }
}

impl From<String> for FunctionError {
    fn from(text: String) -> FunctionError {
        FunctionError::Failed(text)
    }
}

impl From<&str> for FunctionError {
    fn from(text: &str) -> FunctionError {
        FunctionError::Failed(text.to_owned())
    }
}
