//! The program's entry: runs the daemon, or only looks at its configuration (`-verify-config`).

use std::process::ExitCode;

use clap::Parser;

use crate::{App, Config, Flags};

/// The whole of `logd`'s `main`.
pub fn main() -> ExitCode {
    let flags = Flags::parse_from(service::normalize_arguments(std::env::args_os()));
    if !flags.verify_config {
        return service::main::<App>();
    }
    match Config::load(&flags) {
        Ok(config) => {
            for warning in config.warnings.iter() {
                eprintln!("warning: {warning}");
            }
            println!("config is valid");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", service::report(&error));
            ExitCode::FAILURE
        }
    }
}
