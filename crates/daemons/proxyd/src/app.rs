//! The daemon: built from its options, run until it is told to stop.

mod collector;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use balance::Tunnels;
use service::{Daemon, Error, Frame, LogOptions, Stop, Stopper, Tasks};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tracing::{error, info, warn};

use crate::{
    Flags, Options,
    config::settings::Settings,
    entry_point::Listener,
    observe::{AccessLog, ProxyMetrics},
    shared::{Parts, Shared},
};
use collector::RuntimeCollector;

/// How long the last lines of the access log may take.
const LOG_DEADLINE: Duration = Duration::from_secs(5);
/// How long tunnels may take to notice that they are cut.
const TUNNEL_DEADLINE: Duration = Duration::from_secs(2);

/// A proxy whose ports are bound.
pub struct App {
    shared: Arc<Shared>,
    listeners: Vec<Listener>,
    tunnels: Tunnels,
    tunnel_stopper: Stopper,
    check_stopper: Stopper,
    log_writer: Option<JoinHandle<()>>,
}

impl App {
    /// Reads the static and the dynamic configuration and binds all entry points.
    ///
    /// # Errors
    /// A static configuration that does not hold, ports that cannot be bound. Mistakes in the dynamic one are logged and shown by the
    /// API.
    pub async fn from_options(options: Options, frame: Frame) -> Result<Self, Error> {
        let latch = frame.readiness.wait_for("configuration");
        let (settings, warnings) = Settings::load(&options, std::env::vars())?;
        for warning in warnings.iter() {
            warn!(key = warning.key, "{}", warning.text);
        }
        let data_dir = settings.data_dir.clone();
        let default_certificate =
            service::spawn_blocking(move || tls::default_certificate(Some(&data_dir))).await??;
        let mut listeners = Vec::new();
        for point in settings.entry_points.values() {
            listeners.push(Listener::bind(point.clone()).await?);
        }
        let metrics = settings
            .prometheus
            .as_ref()
            .map(|options| Arc::new(ProxyMetrics::register(&mut frame.metrics.registry(), options)));
        let mut settings = settings;
        let (access_log, log_writer) = match settings.access_log.take() {
            None => (None, None),
            Some(log) => {
                let (log, writer) = AccessLog::start(log)?;
                (Some(Arc::new(log)), Some(writer))
            }
        };
        let (tunnel_stopper, check_stopper) = (Stopper::new(), Stopper::new());
        let tunnels = Tunnels::new(tunnel_stopper.token());
        let parts = Parts {
            settings,
            frame: frame.clone(),
            metrics,
            access_log,
            tunnels: tunnels.clone(),
            default_certificate,
            stop: check_stopper.token(),
        };
        let shared = service::spawn_blocking(move || Shared::new(parts)).await?;
        if shared.metrics.is_some() {
            let collector = RuntimeCollector::new(Arc::downgrade(&shared));
            frame.metrics.registry().register_collector(Box::new(collector));
        }
        let weak = Arc::downgrade(&shared);
        frame
            .reload
            .on_reload(move || {
                let weak = weak.clone();
                async move {
                    let Some(shared) = weak.upgrade() else { return Ok(()) };
                    service::spawn_blocking(move || shared.reload()).await??;
                    Ok(())
                }
            })
            .await;
        drop(latch);
        Ok(Self { shared, listeners, tunnels, tunnel_stopper, check_stopper, log_writer })
    }

    /// Where each entry point listens, by name; tells the port when 0 was asked for.
    pub fn local_addresses(&self) -> Vec<(String, SocketAddr)> {
        self.listeners.iter().map(|listener| (listener.name().to_owned(), listener.local_address())).collect()
    }

    /// Serves until `stop` is requested; then drains each entry point within its grace time.
    ///
    /// # Errors
    /// None at present; requests that did not end in time are logged.
    pub async fn serve(self, stop: Stop) -> Result<(), Error> {
        let Self { shared, listeners, tunnels, tunnel_stopper, check_stopper, log_writer } = self;
        let readiness = shared.frame.readiness.clone();
        let longest = listeners.iter().map(Listener::longest_stop).max().unwrap_or_default();
        let tasks = Tasks::new(&stop);
        for listener in listeners {
            let (shared, stop) = (shared.clone(), tasks.stop());
            tasks.spawn(format!("entry point {}", listener.name()), listener.serve(shared, stop));
        }
        tasks.spawn("file watcher", shared.clone().watch_files(tasks.stop()));
        tasks.spawn("log reopener", reopen_at_signal(shared.clone(), tasks.stop()));
        // A task that panicked stops the group; then there is nothing left to wait for.
        tasks.stop().requested().await;
        readiness.set_stopping();
        if tunnels.count() > 0 {
            info!(tunnels = tunnels.count(), "open tunnels are cut at the end of the grace time");
        }
        let outcome = tasks.finish(longest + Duration::from_secs(1)).await;
        tunnel_stopper.stop();
        if tokio::time::timeout(TUNNEL_DEADLINE, tunnels.closed()).await.is_err() {
            warn!(tunnels = tunnels.count(), "tunnels still open");
        }
        check_stopper.stop();
        shared.close_access_log();
        drop(shared);
        if let Some(writer) = log_writer
            && tokio::time::timeout(LOG_DEADLINE, writer).await.is_err()
        {
            error!("the access log's last lines were not written in time");
        }
        outcome.map_err(Into::into)
    }
}

impl Daemon for App {
    const NAME: &'static str = "proxyd";

    type Flags = Flags;

    /// The static configuration says how to log. What is wrong with it is said by [`Daemon::build`], once logs go somewhere.
    fn log_options(flags: &Flags) -> LogOptions {
        let settings = Options::parse(&flags.arguments)
            .ok()
            .and_then(|options| Settings::load(&options, std::env::vars()).ok());
        match settings {
            Some((settings, _)) => LogOptions { level: settings.log_level, format: settings.log_format },
            None => LogOptions::default(),
        }
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, Error> {
        Self::from_options(Options::parse(&flags.arguments)?, frame).await
    }

    async fn run(self, stop: Stop) -> Result<(), Error> {
        self.serve(stop).await
    }
}

/// SIGUSR1: the access log was rotated away.
async fn reopen_at_signal(shared: Arc<Shared>, stop: Stop) {
    let mut rotations = match signal(SignalKind::user_defined1()) {
        Ok(rotations) => rotations,
        Err(error) => {
            warn!(%error, "cannot listen for SIGUSR1, the access log cannot be reopened");
            return;
        }
    };
    loop {
        tokio::select! {
            () = stop.requested() => return,
            _ = rotations.recv() => {
                if let Some(log) = shared.access_log() {
                    log.reopen();
                }
            }
        }
    }
}
