//! What a process does at SIGTERM, SIGINT and SIGHUP.

use std::{io, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info};

use crate::{Reload, Stop, Stopper, Tasks};

/// Listens for the signals of a process, from its first moment on: a signal while storage replays its log must end the process too.
#[derive(Debug)]
pub struct Signals {
    stop: Stop,
    tasks: Tasks,
}

impl Signals {
    /// Listens for SIGTERM and SIGINT, either of which requests the [`Signals::stop`]; a second one ends the process at once.
    pub fn listen() -> Self {
        let (stopper, tasks) = (Stopper::new(), Tasks::new(&Stop::never()));
        let (stop, done) = (stopper.token(), tasks.stop());
        tasks.spawn("stop signals", async move {
            let outcome = tokio::select! {
                outcome = stop_at_signal(&stopper) => outcome,
                () = done.requested() => return,
            };
            if let Err(error) = outcome {
                // Without them nothing could end the process in an orderly way.
                error!(%error, "cannot listen for signals");
                stopper.stop();
            }
        });
        Self { stop, tasks }
    }

    /// What SIGTERM and SIGINT request.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// From now on, reloads at every SIGHUP, one after the other.
    pub fn reload_at_hangup(&self, reloads: Vec<Reload>) {
        let done = self.tasks.stop();
        self.tasks.spawn("reload signals", async move {
            let mut hangups = match signal(SignalKind::hangup()) {
                Ok(hangups) => hangups,
                Err(error) => {
                    error!(%error, "cannot listen for SIGHUP, reload by HTTP only");
                    return;
                }
            };
            loop {
                tokio::select! {
                    () = done.requested() => return,
                    _ = hangups.recv() => for reload in &reloads {
                        // The outcome is logged where it happens.
                        let _ = reload.trigger().await;
                    },
                }
            }
        });
    }

    /// Stops listening.
    pub async fn end(self) {
        let _ = self.tasks.finish(Duration::from_secs(1)).await;
    }
}

/// Requests the stop at the first signal and ends the process at the second.
async fn stop_at_signal(stopper: &Stopper) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let name = either(&mut terminate, &mut interrupt).await;
    info!(signal = name, "shutting down, a second signal ends the process at once");
    stopper.stop();
    either(&mut terminate, &mut interrupt).await;
    std::process::exit(130);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
