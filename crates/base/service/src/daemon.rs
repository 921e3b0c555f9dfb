//! From the command line to the exit code.

use std::{future::Future, process::ExitCode, time::Duration};

use clap::Parser;
use tracing::{Instrument, error, info, info_span};

use crate::{
    LogOptions, LogTarget, Metrics, Readiness, Reload, Signals, Stop, init_logging, normalize_arguments,
    report,
};

/// An error that ends a daemon or refuses a reload; [`report`] prints it with its causes.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How long a daemon may take to finish what it has begun before it is cut off.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(30);

/// What a daemon gets from the program that runs it. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The daemon's own metrics.
    pub metrics: Metrics,
    /// What it waits for before it is ready.
    pub readiness: Readiness,
    /// What it does at a reload.
    pub reload: Reload,
}

/// One daemon: built from its flags, then run until told to stop.
pub trait Daemon: Sized + Send + 'static {
    /// The program's name, also the `component` of its log lines.
    const NAME: &'static str;

    /// Its command line.
    type Flags: Parser + Send;

    /// Where and how it logs.
    fn log_options(flags: &Self::Flags) -> LogOptions;

    /// Reads the configuration, opens storage, binds sockets. Nothing runs yet, but clients can connect and wait.
    fn build(flags: Self::Flags, frame: Frame) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Serves until `stop` is requested; then stops taking, finishes what was taken, flushes, and returns.
    fn run(self, stop: Stop) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The whole of a daemon's `main`.
pub fn main<D: Daemon>() -> ExitCode {
    let flags = D::Flags::parse_from(normalize_arguments(std::env::args_os()));
    if let Err(error) = init_logging(&D::log_options(&flags), LogTarget::Stderr) {
        eprintln!("{}: {}", D::NAME, report(&error));
        return ExitCode::FAILURE;
    }
    // The one place where a process chooses its cryptography; a second call would only say that it was chosen already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!(%error, "cannot start the runtime");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime
        .block_on(run_until_signalled::<D>(flags).instrument(info_span!("daemon", component = D::NAME)));
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(component = D::NAME, error = report(&*error), "stopped with an error");
            ExitCode::FAILURE
        }
    }
}

async fn run_until_signalled<D: Daemon>(flags: D::Flags) -> Result<(), Error> {
    info!(version = crate::Version::NUMBER, "starting");
    let frame = Frame::default();
    let (readiness, reload) = (frame.readiness.clone(), frame.reload.clone());
    let signals = Signals::listen();
    let stop = signals.stop();
    let app = tokio::select! {
        app = D::build(flags, frame) => app?,
        () = stop.requested() => return Ok(()),
    };
    signals.reload_at_hangup(vec![reload]);
    let mut serving = std::pin::pin!(app.run(stop.clone()));
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        () = stop.requested() => {
            readiness.set_stopping();
            match tokio::time::timeout(SHUTDOWN_DEADLINE, serving).await {
                Ok(outcome) => outcome,
                Err(_) => Err(format!("did not finish within {} seconds and was cut off", SHUTDOWN_DEADLINE.as_secs()).into()),
            }
        }
    };
    signals.end().await;
    info!("stopped");
    outcome
}
