//! Dotted flags (`--entrypoints.web.address=:80`) and `TRAEFIK_*` variables, as entries of a tree.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use super::node::Node;

/// Prefix of variables.
const ENVIRONMENT_PREFIX: &str = "TRAEFIK_";

/// What a command line says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arguments {
    /// `--configFile`.
    pub config_file: Option<PathBuf>,
    /// `--dataDir`: where the default certificate is kept.
    pub data_dir: Option<PathBuf>,
    /// `--hosts.<name>=<address>`: servers whose address is not asked of the system.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Everything else: path of keys, lower case but for names, and value.
    pub settings: Vec<(String, String)>,
}

/// A flag that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flag {flag}: {message}")]
pub struct ArgumentError {
    flag: String,
    message: String,
}

impl Arguments {
    /// Reads flags without the program's name. A flag without a value is `true`; its value may follow as the next argument.
    ///
    /// # Errors
    /// Arguments that are no flags, addresses that are none.
    pub fn parse(arguments: &[String]) -> Result<Self, ArgumentError> {
        let mut parsed = Self::default();
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            let error = |message: &str| ArgumentError { flag: argument.clone(), message: message.to_owned() };
            let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
                return Err(error("not a flag, expected --name or --name=value"));
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => match rest.next_if(|next| !next.starts_with('-')) {
                    Some(value) => (flag, value.clone()),
                    None => (flag, "true".to_owned()),
                },
            };
            if name.is_empty() || name.split('.').any(str::is_empty) {
                return Err(error("the name has an empty part"));
            }
            match name.to_ascii_lowercase().as_str() {
                "configfile" => parsed.config_file = Some(value.into()),
                "datadir" => parsed.data_dir = Some(value.into()),
                lower if lower.starts_with("hosts.") => {
                    let address = value.parse().map_err(|_| error("expected <address>:<port>"))?;
                    parsed.hosts.insert(lower["hosts.".len()..].to_owned(), address);
                }
                _ => parsed.settings.push((name.to_owned(), value)),
            }
        }
        Ok(parsed)
    }

    /// The `TRAEFIK_*` variables among `variables`: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS` is `entrypoints.web.address`.
    pub fn of_environment(variables: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
        let setting = |(name, value): (String, String)| {
            let path = name.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase().replace('_', ".");
            (!path.is_empty() && !path.split('.').any(str::is_empty)).then_some((path, value))
        };
        let mut settings: Vec<_> = variables.into_iter().filter_map(setting).collect();
        settings.sort();
        settings
    }
}

/// Puts settings over a tree.
pub(crate) fn apply(settings: &[(String, String)], tree: &mut Node) {
    for (path, value) in settings {
        let path: Vec<&str> = path.split('.').collect();
        // `--api --api.insecure`: switching a section on does not empty it.
        let switches_on = value == "true" && get(tree, &path).is_some_and(|node| !node.entries().is_empty());
        if !switches_on {
            tree.set(&path, value);
        }
    }
}

fn get<'n>(tree: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(tree, |node, key| node.get(key))
}
