//! Measures the programs of the stack beside those they stand in for, in one run on one machine: `bench metrics`.

#![forbid(unsafe_code)]

mod http;
mod load;
mod machine;
mod metrics;
mod proc;
mod progress;
mod report;
mod send;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the programs of the stack beside those they stand in for, in one run on one machine.
///
/// Builds nothing and installs nothing. A program that is not there is named and left out.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure metricsd beside Prometheus and VictoriaMetrics.
    Metrics(metrics::Options),
}

fn main() -> ExitCode {
    let Arguments { command: Command::Metrics(options) } = Arguments::parse();
    match metrics::run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
