//! Go's regular expressions (RE2 syntax) on Rust's linear-time automata.
//!
//! Label matchers, relabelling rules, log line filters and templates are written for Go's `regexp` package. Its
//! syntax and the `regex` crate's overlap but differ in silence: `\d` is ASCII there, `[a&&b]` is a class of three
//! characters, `\Q…\E` quotes, `(?x)` does not exist. So this crate parses Go's syntax itself, builds the automaton's
//! own intermediate form, and never shows the text to another parser.
//!
//! - [`Regex::new`] searches anywhere in the text, [`Regex::anchored`] matches the whole text and lets `.` match a
//!   newline, as Prometheus does in matchers and relabelling.
//! - [`Regex::is_match`] answers from string comparisons where the pattern's shape allows ([`Regex::literals`] tells
//!   which), without building an automaton at all for plain alternations.
//! - Errors carry Go's own text, since users search the web for it.
//!
//! Every pattern compiles to a program of bounded size and matching takes time linear in the text, so patterns
//! from strangers are safe to run.
//!
//! It is not a general pattern library: there is no POSIX mode and no leftmost-longest search.

mod error;
mod parser;
mod regex;

pub use error::{Error, ErrorKind};
pub use regex::{Captures, Literals, Locations, Regex};
