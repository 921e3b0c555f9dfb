//! A query's stages, compiled, at work on entries.
//!
//! [`Pipeline::compile`] checks what only compiling can tell (regular expressions, patterns, templates) and notes which fields anything
//! later uses ([`Hints`]): parsers extract nothing else and stop when they have all, and this is also what the language promises, for a
//! line that breaks after the last field needed is not an error. Leading line filters run over a whole batch at once ([`LineBatch`]'s
//! buffer is searched, rows are cut only where it hits); everything else runs over the rows that are left.
//!
//! [`LineBatch`]: streams::LineBatch

mod compile;
mod decolorize;
mod drop_keep;
mod hints;
mod implied;
mod ip;
mod json;
mod json_expr;
mod json_text;
mod label_filter;
mod label_format;
mod labels;
mod line_filter;
mod line_format;
mod logfmt;
mod pattern;
mod pattern_parser;
mod prefilter;
mod regexp;
mod sanitize;
mod templates;
mod unpack;
mod unwrap;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use model::Nanos;

pub(crate) use compile::Pipeline;
pub(crate) use hints::Hints;
pub(crate) use labels::{Category, EntryLabels, LabelRef};
pub(crate) use unwrap::Unwrapper;

/// The label that tells what went wrong with a line.
pub const ERROR: &str = "__error__";
/// The label that tells more of it.
pub const ERROR_DETAILS: &str = "__error_details__";
/// The label that says that errors were asked for, so that a metric query does not fail for them.
pub(crate) const PRESERVE_ERROR: &str = "__preserve_error__";

/// Values of [`ERROR`].
pub(crate) mod errors {
    pub const JSON: &str = "JSONParserErr";
    pub const LOGFMT: &str = "LogfmtParserErr";
    pub const LABEL_FILTER: &str = "LabelFilterErr";
    pub const SAMPLE: &str = "SampleExtractionErr";
    pub const TEMPLATE: &str = "TemplateFormatErr";
}

/// An entry on its way through the stages.
pub(crate) struct Entry<'a> {
    pub timestamp: Nanos,
    pub line: Cow<'a, str>,
}

/// A compiled stage.
pub(crate) trait Run: Send {
    /// Changes the entry and its labels; `false` drops it.
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool;
}
