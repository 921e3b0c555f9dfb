//! The dashboards server: flags → app → exit code.

fn main() -> std::process::ExitCode {
    service::main::<uid::App>()
}
