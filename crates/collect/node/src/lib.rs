//! node_exporter's metrics of a Linux machine, under the same names.
//!
//! [`NodeExporter`] is built from [`Options`], which take node_exporter's flags. Every scrape reads `/proc` and `/sys` anew and writes the
//! exposition text directly: no registry, nothing kept between scrapes but what must not go backwards.
//!
//! A collector is one file under `collectors/`: its constructor checks its flags, its `update` reads a source and writes families, with
//! the metrics' names beside the source they come from. When it fails, what it wrote is taken back and
//! `node_scrape_collector_success` says 0; the others are whole.
//!
//! Everything blocks: call it from a blocking task. The one source that can hang, `statfs` of a dead network mount, is asked on threads
//! of its own with a deadline.

mod collector;
mod collectors;
mod exporter;
mod exposition;
mod options;
mod system;

#[cfg(test)]
mod tests;

pub use exporter::{NodeExporter, Selection, SelectionError};
pub use exposition::Format;
pub use options::{Options, OptionsError};
