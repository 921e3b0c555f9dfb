//! Go's times and durations as templates and configuration files see them: layouts written as the reference time
//! `Mon Jan 2 15:04:05 MST 2006`, durations like `1h30m`, and their texts.

mod duration;
mod layout;
mod parse;
mod time;

#[cfg(test)]
mod tests;

pub use duration::{Duration, ParseDurationError};
pub use parse::ParseTimeError;
pub use time::Time;
