//! Chores of the repository: `cargo run -p xtask -- codegen [--check]`, `cargo run -p xtask -- layers`.

mod codegen;
mod layers;

use std::process::ExitCode;

const USAGE: &str = "usage: xtask codegen [--check]   generate crates/platform/wire/src/generated from proto/
       xtask layers             check that dependencies point down only";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["codegen"] => codegen::generate(),
        ["codegen", "--check"] => codegen::check(),
        ["layers"] => layers::check(),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
