//! The functions that templates call: how hosts define them, and sets of ready-made ones.
//!
//! A host composes its set: `Functions::builtin()` plus one or more of the modules here plus its own.

pub mod alertmanager;
mod builtin;
mod clock;
mod compare;
mod convert;
mod json;
pub mod loki;
pub(crate) mod methods;
pub mod prometheus;
pub mod promtail;
mod set;
mod sha3;
pub mod sprig;
mod text;

#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use set::{Function, Functions, Kind, Signature};
