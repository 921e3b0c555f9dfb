//! `logd`: Loki's stand-in.

use std::process::ExitCode;

fn main() -> ExitCode {
    logd::main()
}
