//! `stackd`: all six daemons in one process, for one machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    stackd::main()
}
