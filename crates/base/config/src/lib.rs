//! Reading configuration files: YAML with errors that point at the place, environment expansion, and the value types every peer uses.
//!
//! A daemon's file is two structs: one that is exactly the peer's file (serde, unknown keys refused), and the checked meaning made of it.
//! This crate serves the first and carries the [`Warning`]s of the second.

#![forbid(unsafe_code)]

mod bytesize;
mod duration;
mod error;
mod expand;
mod secret;
mod warning;
mod yaml;

pub use bytesize::{ByteSize, ParseByteSizeError, UnitByteSize};
pub use duration::{
    GoDuration, ParseDurationError, PromDuration, format_prometheus, parse_go, parse_prometheus,
};
pub use error::ConfigError;
pub use expand::{ExpandError, expand_defaults, expand_values, process_environment};
pub use secret::Secret;
pub use warning::{Inert, Warning, Warnings};
pub use yaml::{SourceFile, null_as_default, parse, present};
