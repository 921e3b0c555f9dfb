//! Go's `text/template`: parse once, run many times.
//!
//! Alert annotations, notifications, log line formats and pipeline stages are written in Go's template language. This
//! crate is the whole language with Go's value rules, its printing, and its error texts:
//!
//! - [`Template`] is one text, [`TemplateSet`] several that call each other.
//! - [`Value`] is what they compute with; a host puts its own types behind [`Object`].
//! - [`Functions`] is what they may call; [`functions`] has the sets of Prometheus, Alertmanager, Loki and Promtail.
//! - [`Execution`] tells one run its [`Limits`], so that no template runs or writes without end, and gives it
//!   functions of its own.
//! - [`gotime`] reads and writes times by Go's layouts.
//!
//! Where we differ from Go: integers are all of one type, 64 bits; there are no complex numbers (refused); strings are
//! UTF-8 always, so a function that cuts a character in half leaves U+FFFD.
//!
//! ```
//! use template::{Execution, Functions, Template, Value};
//!
//! let template = Template::parse("greeting", "Hello {{.name}}{{if gt .count 1}}s{{end}}!", &Functions::builtin())?;
//! let data = Value::map([("name".into(), "peer".into()), ("count".into(), 2.into())]);
//! assert_eq!(template.execute(&data, &Execution::default())?, "Hello peers!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exec;
mod format;
pub mod functions;
pub mod gotime;
mod parse;
mod template;
mod value;

pub use exec::{Call, Escaper, ExecError, Execution, FunctionError, Limits, MissingKey, TextEscaper};
pub use format::print::Bounded;
pub use functions::{Clock, Function, Functions, Kind, Signature};
pub use parse::ParseError;
pub use template::{Template, TemplateSet};
pub use value::{List, Map, Object, Safe, Value};
