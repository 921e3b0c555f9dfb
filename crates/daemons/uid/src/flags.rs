//! The command line, as Grafana's images call it.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Parser;

use crate::config::Sources;

/// Dashboards for metrics and logs: takes Grafana's settings, provisioning files and HTTP API.
#[derive(Debug, Clone, Parser)]
#[command(name = "uid", version = service::Version::NUMBER)]
pub struct Flags {
    /// Settings file, grafana.ini.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder that relative paths of the settings start at.
    #[arg(long, value_name = "DIR")]
    pub homepath: Option<PathBuf>,
    /// Address to listen on, before server.http_addr and server.http_port.
    #[arg(long = "web.listen-address", value_name = "HOST:PORT")]
    pub listen_address: Option<String>,
    /// Accepted for scripts that start Grafana: has no effect.
    #[arg(long, hide = true)]
    pub packaging: Option<String>,
    /// Accepted for scripts that start Grafana: has no effect.
    #[arg(long, hide = true)]
    pub pidfile: Option<PathBuf>,
    /// Settings as `cfg:section.key=value`. The word `server` is accepted too.
    #[arg(value_name = "cfg:SECTION.KEY=VALUE", value_parser = parse_setting)]
    pub settings: Vec<SettingArgument>,
}

/// One positional argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingArgument {
    /// `server`, Grafana's subcommand.
    Subcommand,
    /// `cfg:section.key=value`.
    Override(String, String),
}

fn parse_setting(text: &str) -> Result<SettingArgument, String> {
    if text == "server" {
        return Ok(SettingArgument::Subcommand);
    }
    let (name, value) = text
        .strip_prefix("cfg:")
        .and_then(|rest| rest.split_once('='))
        .ok_or("expected cfg:section.key=value")?;
    // `cfg:default.` only sets what nothing else sets; for one process that is the same as long as nothing else does.
    Ok(SettingArgument::Override(name.to_owned(), value.to_owned()))
}

impl Flags {
    /// Where settings come from, with this environment.
    pub fn sources(&self, environment: BTreeMap<String, String>) -> Sources {
        let mut sources = Sources {
            environment,
            file: self.config.clone(),
            home: self.homepath.clone(),
            overrides: BTreeMap::new(),
        };
        for argument in &self.settings {
            let SettingArgument::Override(name, value) = argument else { continue };
            match name.strip_prefix("default.") {
                Some(name) => {
                    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
                    let variable = crate::config::environment_name(section, key);
                    sources.environment.entry(variable).or_insert_with(|| value.clone());
                }
                None => {
                    sources.overrides.insert(name.clone(), value.clone());
                }
            }
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grafanas_own_command_line() {
        let arguments = [
            "uid",
            "server",
            "--homepath=/usr/share/grafana",
            "--config=/etc/grafana/grafana.ini",
            "--packaging=docker",
        ];
        let more = [
            "cfg:default.log.mode=console",
            "cfg:default.paths.data=/var/lib/grafana",
            "cfg:server.http_port=4000",
        ];
        let flags = Flags::try_parse_from(arguments.into_iter().chain(more)).unwrap();
        let environment = BTreeMap::from([("GF_PATHS_DATA".to_owned(), "/mine".to_owned())]);
        let sources = flags.sources(environment);
        assert_eq!(sources.environment["GF_PATHS_DATA"], "/mine");
        assert_eq!(sources.environment["GF_LOG_MODE"], "console");
        assert_eq!(sources.overrides, BTreeMap::from([("server.http_port".to_owned(), "4000".to_owned())]));
        assert!(Flags::try_parse_from(["uid", "nonsense"]).is_err());
    }
}
