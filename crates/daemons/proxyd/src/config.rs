//! Configuration: files, flags and environment into one tree, the tree into shapes, the static shape into its meaning.
//!
//! - [`node`] is the tree with places; [`yaml`], [`toml`] and [`arguments`] make it, [`decode`] turns it into serde types. Keys are
//!   matched without regard to case and scalars are read as the type that is asked for, as Traefik does.
//! - [`static_file`] and [`dynamic_file`] are the shapes of the two kinds of files.
//! - [`settings`] is what the static shape means, checked.

pub(crate) mod arguments;
pub(crate) mod decode;
pub(crate) mod dynamic_file;
pub(crate) mod node;
pub(crate) mod settings;
pub(crate) mod static_file;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::Path;

use ::config::{ConfigError, SourceFile};
use node::Node;

/// Reads a file of either kind into a tree, by its ending: `.toml`, `.yml`, `.yaml`.
pub(crate) fn read_tree(path: &Path) -> Result<Node, ConfigError> {
    let source = SourceFile::read(path)?;
    parse_tree(path, &source.text)
}

/// As [`read_tree`], of a text that is there.
pub(crate) fn parse_tree(path: &Path, text: &str) -> Result<Node, ConfigError> {
    if let Some((at, line)) = text.lines().enumerate().find(|(_, line)| line.contains("{{")) {
        let column = line.find("{{").unwrap_or_default() + 1;
        return Err(ConfigError::at(
            path,
            at + 1,
            column,
            "not supported yet: Go templates in configuration files",
        ));
    }
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => toml::parse(path, text),
        Some("yml" | "yaml") => yaml::parse(path, text),
        _ => Err(ConfigError::of(path, "unsupported file extension, expected .toml, .yml or .yaml")),
    }
}

/// Whether the ending is one that [`read_tree`] takes.
pub(crate) fn is_configuration(path: &Path) -> bool {
    matches!(path.extension().and_then(|ending| ending.to_str()), Some("toml" | "yml" | "yaml"))
}
