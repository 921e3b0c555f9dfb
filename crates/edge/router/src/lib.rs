//! Which router answers a request: the rule language, compiled rules, and the table that picks quickly.
//!
//! - [`parse`] turns a rule's text into an [`Expr`] with spans and knows nothing of requests: a formatter or a linter needs only it.
//! - [`Rule::compile`] gives the words of an expression their meaning, in the syntax of Traefik 3 or of Traefik 2.
//! - [`Table`] holds the rules of one entry point by priority, indexed by host.
//!
//! Source: Traefik 3 documentation, *Routers → Rules & Priority*; its version 2 for [`Syntax::V2`].

#![forbid(unsafe_code)]

mod address;
mod error;
mod lexer;
mod matcher;
mod parser;
mod request;
mod rule;
mod table;
mod v2;

pub use address::{IpRange, ParseIpRangeError};
pub use error::{RuleError, Span};
pub use parser::{Argument, Call, Expr, parse};
pub use request::{RequestView, normalize_host, routing_path};
pub use rule::{Rule, Syntax};
pub use table::Table;
