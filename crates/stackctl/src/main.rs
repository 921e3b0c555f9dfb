//! `stackctl`: the command line of the stack.

mod check;
mod promql_command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use service::normalize_arguments;

/// Checks files of the stack, and works with queries.
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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(normalize_arguments(std::env::args_os()));
    let outcome = match arguments.command {
        Command::Check { what } => check::run(&what),
        Command::Promql { what } => promql_command::run(&what),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("stackctl: {error:#}");
            ExitCode::FAILURE
        }
    }
}
