//! `alertd`: Alertmanager's stand-in.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main::<alertd::App>()
}
