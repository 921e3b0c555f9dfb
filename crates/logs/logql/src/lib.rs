//! LogQL: the language, its pipelines and its engine.
//!
//! Three rooms, each of which knows only those before it: [`syntax`] reads and prints queries, `pipeline` turns a query's stages into
//! something that runs over entries, [`engine`] answers queries from a [`streams::LogSource`].
//!
//! Everything is synchronous; a query is stopped by its [`engine::Cancel`].

#![forbid(unsafe_code)]

pub mod syntax;

pub mod engine;
mod pipeline;
mod units;
