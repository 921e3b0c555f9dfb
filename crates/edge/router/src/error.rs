//! What is wrong with a rule, and where in its text.

use std::ops::Range;

/// Bytes of a rule's text.
pub type Span = Range<usize>;

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid rule, column {}: {message}", .span.start + 1)]
pub struct RuleError {
    span: Span,
    message: String,
}

impl RuleError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// The piece of the rule that is wrong.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// What is wrong with it, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}
