//! Why a pattern was refused, in Go's words.

/// A pattern that Go's `regexp.Compile` refuses as well, with the same text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {kind}: `{expression}`")]
pub struct Error {
    kind: ErrorKind,
    expression: String,
}

/// The codes of Go's `regexp/syntax`; `Display` is Go's text.
///
/// Go's `invalid UTF-8` is absent: a pattern here is a `str`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ErrorKind {
    /// `[b-a]`, `[[:nonsense:]]`, `\p{Nonsense}`.
    #[error("invalid character class range")]
    InvalidCharRange,
    /// `\8`, `\y`, `\C`.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// `(?P<a-b>x)`.
    #[error("invalid named capture")]
    InvalidNamedCapture,
    /// `(?x)`, `(?=a)`.
    #[error("invalid or unsupported Perl syntax")]
    InvalidPerlOp,
    /// `a**`.
    #[error("invalid nested repetition operator")]
    InvalidRepeatOp,
    /// `a{1001}`, `a{2,1}`, `(a{100}){100}`.
    #[error("invalid repeat count")]
    InvalidRepeatSize,
    /// `[a`.
    #[error("missing closing ]")]
    MissingBracket,
    /// `(a`.
    #[error("missing closing )")]
    MissingParen,
    /// `*a`.
    #[error("missing argument to repetition operator")]
    MissingRepeatArgument,
    /// `a\`.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// `a)`.
    #[error("unexpected )")]
    UnexpectedParen,
    /// More than 1000 levels.
    #[error("expression nests too deeply")]
    NestingDepth,
    /// The program would not fit the limits of this crate, which are tighter than Go's: see [`crate::Regex::new`].
    #[error("expression too large")]
    Large,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, expression: &str) -> Error {
        Error { kind, expression: expression.to_owned() }
    }

    /// Which rule the pattern breaks.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The offending piece of the pattern, or the whole of it.
    pub fn expression(&self) -> &str {
        &self.expression
    }
}
