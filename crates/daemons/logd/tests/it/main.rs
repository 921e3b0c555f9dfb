//! The daemon as a whole, over real sockets.

mod conformance;
mod durability;
mod push;
mod query;
mod support;
