//! Following log files: finding them by glob, reading whole lines across rotations, and remembering how far the receiver has them.
//!
//! A [`Tailer`] follows files by what they *are* (device and inode, checked against the bytes they begin with), not by name alone:
//!
//! - renamed and recreated: the old file is read to its end, then the new one from its start;
//! - copied and truncated: noticed by size or by changed first bytes, read again from the start;
//! - removed: what was written until then is read to its end;
//! - a symbolic link that points elsewhere now: as renamed;
//! - renamed to another name that is followed too: reading goes on there, nothing is read twice.
//!
//! Positions follow **acknowledgement**, unlike Promtail's: every [`Chunk`] carries an [`Ack`], and the position on disk moves only over
//! chunks whose lines all reached the receiver or were dropped on purpose. A crash repeats lines at worst.
//!
//! Everything here blocks and is meant for a thread of its own or a blocking task.
//!
//! It is not: a reader of compressed files, nor of other encodings than what the lines hold; the caller sees bytes.

#![forbid(unsafe_code)]

mod ack;
mod follower;
mod head;
mod lines;
mod pattern;
mod positions;
mod tailer;
mod walk;

#[cfg(test)]
mod tests;

pub use ack::Ack;
pub use pattern::{Pattern, PatternError};
pub use positions::{Positions, PositionsError};
pub use tailer::{Chunk, Polled, TailOptions, Tailer};
pub use walk::{Found, find_files};
