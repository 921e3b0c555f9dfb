//! `stackctl`: the command line of the stack. Called `promtool`, by a link of that name, it has promtool's commands.

mod check;
mod promql_command;
mod promtool;
mod query_command;
mod tsdb_command;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::{Parser, Subcommand};
use service::normalize_arguments;

/// Checks files of the stack, works with queries, and looks after data.
#[derive(Debug, Parser)]
#[command(name = "stackctl", version)]
struct Arguments {
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
    /// Format and test queries.
    Promql {
        #[command(subcommand)]
        what: promql_command::Promql,
    },
    /// Ask a running server.
    Query {
        #[command(subcommand)]
        what: query_command::Query,
    },
    /// Look at and mend the folder of a metrics database.
    Tsdb {
        #[command(subcommand)]
        what: tsdb_command::Tsdb,
    },
}

fn main() -> ExitCode {
    let arguments = normalize_arguments(std::env::args_os());
    let name = if is_called(&arguments, "promtool") { "promtool" } else { "stackctl" };
    let outcome = match name {
        "promtool" => promtool::run(&promtool::Promtool::parse_from(arguments)),
        _ => run(&Arguments::parse_from(arguments).command),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<bool> {
    match command {
        Command::Check { what } => check::run(what),
        Command::Promql { what } => promql_command::run(what),
        Command::Query { what } => query_command::run(what),
        Command::Tsdb { what } => tsdb_command::run(what),
    }
}

/// Whether the program was started under this name.
fn is_called(arguments: &[OsString], name: &str) -> bool {
    arguments.first().and_then(|program| Path::new(program).file_stem()).is_some_and(|stem| stem == name)
}
