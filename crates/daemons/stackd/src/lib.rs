//! All six daemons in one process: the embedded form for one machine.
//!
//! Each daemon is built from the command line that it would have by itself, with a [`service::Frame`] of its own, so that nothing is
//! shared but the process: they talk to each other over the same HTTP interfaces as they would on six machines.

#![forbid(unsafe_code)]

mod flags;
mod generate;
mod layout;
mod parts;
mod secrets;
mod table;

use std::{collections::BTreeMap, process::ExitCode};

use clap::Parser;
use service::{Error, LogOptions, LogTarget, Signals, init_logging, normalize_arguments, report};
use tracing::info;

pub use flags::Flags;

use layout::Layout;
use parts::Parts;
use secrets::{Admin, Password};

/// The whole of the program.
pub fn main() -> ExitCode {
    let flags = Flags::parse_from(normalize_arguments(std::env::args_os()));
    let environment: BTreeMap<String, String> =
        std::env::vars().filter(|(name, _)| name.starts_with("GF_")).collect();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stackd: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(flags, environment));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stackd: {}", report(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags, environment: BTreeMap<String, String>) -> Result<(), Error> {
    let ports = flags.ports(is_root());
    let layout = Layout::create(&flags.data_dir, flags.config_dir.as_deref())
        .map_err(|error| format!("cannot make the data directory `{}`: {error}", flags.data_dir.display()))?;
    let log = LogOptions { level: flags.log_level.clone(), format: flags.log_format };
    init_logging(&log, LogTarget::File(layout.logs().join("stackd.log")))?;
    // A second call would only say that the provider was chosen already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    info!(version = service::Version::NUMBER, data = %layout.data().display(), "starting");
    let value = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let user = value("GF_SECURITY_ADMIN_USER").unwrap_or("admin");
    let admin = Admin::load_or_create(&layout.secrets(), user, value("GF_SECURITY_ADMIN_PASSWORD"))?;
    generate::generate(&flags, &ports, &layout, &admin.htpasswd)?;
    let mut environment = environment.clone();
    if let Password::Random(password) | Password::Given(password) = &admin.password {
        environment.insert("GF_SECURITY_ADMIN_PASSWORD".into(), password.clone());
    }
    environment.insert("GF_SECURITY_ADMIN_USER".into(), admin.user.clone());

    let signals = Signals::listen();
    let stop = signals.stop();
    let parts = tokio::select! {
        parts = Parts::build(&flags, &ports, &layout, environment) => parts?,
        () = stop.requested() => return Ok(()),
    };
    signals.reload_at_hangup(parts.reloads());
    print!("{}", table::table(&flags.host, &ports, &layout, &admin));
    let outcome = parts.run(stop).await;
    signals.end().await;
    info!("stopped");
    outcome
}

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            status
                .lines()
                .find_map(|line| Some(line.strip_prefix("Uid:")?.split_ascii_whitespace().nth(1)? == "0"))
        })
        .unwrap_or(false)
}
