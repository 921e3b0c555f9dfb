//! `metricsd`: Prometheus' stand-in.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main::<metricsd::App>()
}
