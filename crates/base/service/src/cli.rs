//! The peers' command lines: flags of Go programs, with one dash or two.

use std::ffi::OsString;

/// What `--version` prints.
#[derive(Debug, Clone, Copy)]
pub struct Version;

impl Version {
    /// The product's version.
    pub const NUMBER: &'static str = env!("CARGO_PKG_VERSION");
}

/// Makes Go's single-dash long flags (`-config.file=x`) the two-dash ones that are declared, and `--no-web.enable-lifecycle`
/// `--web.enable-lifecycle=false`. A single letter (`-h`, `-v`) stays, so do negative numbers and everything after `--`.
pub fn normalize_arguments(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut only_values = false;
    arguments
        .into_iter()
        .map(|argument| {
            only_values |= argument == "--";
            let Some(text) = argument.to_str().filter(|_| !only_values) else { return argument };
            match negated(text) {
                Some(name) => format!("--{name}=false").into(),
                None if is_single_dash_long(text) => format!("-{text}").into(),
                None => argument,
            }
        })
        .collect()
}

/// The name of a switch that is turned off. The peers' switches have a dot in their names, which no other flag with `no-` has.
fn negated(text: &str) -> Option<&str> {
    let name = text.strip_prefix("--no-").or_else(|| text.strip_prefix("-no-"))?;
    (name.contains('.') && !name.contains('=')).then_some(name)
}

fn is_single_dash_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.split('=').next().unwrap_or_default();
    name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_dashes_become_two() {
        let check = |given: &[&str], want: &[&str]| {
            let normalized = normalize_arguments(given.iter().map(OsString::from));
            assert_eq!(normalized, want.iter().map(OsString::from).collect::<Vec<_>>());
        };
        check(&["logd", "-config.file=a.yml", "-h"], &["logd", "--config.file=a.yml", "-h"]);
        check(&["x", "-log.level", "info", "-1"], &["x", "--log.level", "info", "-1"]);
        check(&["x", "--web.listen-address=:9090"], &["x", "--web.listen-address=:9090"]);
        check(&["x", "--", "-config", "--no-a.b"], &["x", "--", "-config", "--no-a.b"]);
        check(&["x", "--no-web.enable-lifecycle"], &["x", "--web.enable-lifecycle=false"]);
        check(&["x", "--no-color", "--no-a.b=c"], &["x", "--no-color", "--no-a.b=c"]);
    }
}
