//! What the program does when it is called `promtool`: the same commands under promtool's names.

use clap::{Parser, Subcommand};

use crate::{check, tsdb_command};

/// Tooling for the metrics server, under the peer's name.
#[derive(Debug, Parser)]
#[command(name = "promtool", version)]
pub(crate) struct Promtool {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check configuration and rule files without running anything.
    Check {
        #[command(subcommand)]
        what: check::Check,
    },
    /// Look at the folder of a database.
    Tsdb {
        #[command(subcommand)]
        what: tsdb_command::Reading,
    },
}

/// Does it; whether all is well.
pub(crate) fn run(arguments: &Promtool) -> anyhow::Result<bool> {
    match &arguments.command {
        Command::Check { what } => check::run(what),
        Command::Tsdb { what } => tsdb_command::read(what),
    }
}
