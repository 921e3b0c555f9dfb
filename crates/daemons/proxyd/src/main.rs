//! Flags → App → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main::<proxyd::App>()
}
