//! The agent's program.

fn main() -> std::process::ExitCode {
    service::main::<agentd::App>()
}
