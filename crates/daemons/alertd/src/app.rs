//! The daemon: put together, served, reloaded, stopped.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use config::ConfigError;
use disk::{DirLock, LockError};
use notify::{DirSnapshots, Engine, EngineOptions, OpenError};
use parking_lot::RwLock;
use prometheus_client::metrics::gauge::Gauge;
use routing::MatcherMode;
use service::{
    Access, BindError, Daemon, Error, Frame, HttpOptions, HttpServer, Latch, LogOptions, ReloadMetrics,
    RequestMetrics, Stop, Tasks, Version, common_layers, frame_routes,
};
use tracing::{info, warn};

use crate::{
    Config, ConfigSource, Flags, Options,
    api::{self, Api},
    external_url::{self, ExternalUrlError},
};

/// The prefix of metrics, as the original has it.
const METRICS_PREFIX: &str = "alertmanager";
/// The file that keeps a second process out of the folder.
const LOCK_FILE: &str = "alertd.lock";
/// How long parts may take to end once all were told to.
const FINISH_DEADLINE: Duration = Duration::from_secs(20);

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A flag.
    #[error("{0}")]
    Flags(&'static str),
    /// The configuration.
    #[error("loading configuration file failed")]
    Config(#[source] ConfigError),
    /// The address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The external URL.
    #[error(transparent)]
    ExternalUrl(#[from] ExternalUrlError),
    /// The storage folder.
    #[error("cannot use the storage folder `{}`", .path.display())]
    Storage {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("cannot use the storage folder")]
    Lock(#[from] LockError),
    /// What is stored in it.
    #[error(transparent)]
    State(#[from] OpenError),
}

/// Alertmanager's stand-in.
pub struct App {
    engine: Engine,
    servers: Vec<HttpServer>,
    api: Arc<Api>,
    frame: Frame,
    route_prefix: String,
    get_concurrency: usize,
    reloader: Arc<Reloader>,
    starting: Latch,
    _lock: DirLock,
}

/// Puts configurations in force.
struct Reloader {
    source: ConfigSource,
    mode: MatcherMode,
    engine: Engine,
    current: Arc<RwLock<Arc<Config>>>,
    reloads: ReloadMetrics,
    gauges: ConfigGauges,
}

/// What metrics tell about the configuration in force.
#[derive(Debug, Clone, Default)]
struct ConfigGauges {
    hash: Gauge<f64, AtomicU64>,
    receivers: Gauge,
}

impl Daemon for App {
    const NAME: &'static str = "alertd";

    type Flags = Flags;

    fn log_options(flags: &Flags) -> LogOptions {
        flags.log_options()
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, Error> {
        for warning in flags.warnings().iter() {
            warn!(%warning, "flag");
        }
        let options = flags.into_options().map_err(StartError::Flags)?;
        Ok(Self::with_options(options, frame).await?)
    }

    async fn run(self, stop: Stop) -> Result<(), Error> {
        self.serve(stop).await;
        Ok(())
    }
}

impl App {
    /// Reads the configuration and the state, and binds. Nothing is sent before [`Daemon::run`].
    pub async fn with_options(options: Options, frame: Frame) -> Result<Self, StartError> {
        let starting = frame.readiness.wait_for("the first configuration");
        let reloads = ReloadMetrics::register(&mut frame.metrics.registry(), METRICS_PREFIX);
        let gauges = ConfigGauges::register(&frame);
        let config = Config::load(&options.config, options.matcher_mode).map_err(StartError::Config)?;
        let mut servers = Vec::new();
        for address in &options.listen_addresses {
            let web_config = options.web_config_file.clone();
            let http = HttpOptions { web_config, ..HttpOptions::new(address) };
            servers.push(HttpServer::bind(http).await?);
        }
        let port = servers.first().map_or(0, |server| server.local_address().port());
        let (external_url, external_path) = external_url::resolve(&options.external_url, port)?;
        let path = &options.storage_path;
        let snapshots =
            DirSnapshots::open(path).map_err(|source| StartError::Storage { path: path.clone(), source })?;
        let lock = DirLock::acquire(path, LOCK_FILE)?;
        warn_of_original_state(path);
        let engine_options = EngineOptions {
            clock: options.clock.clone(),
            snapshots: Arc::new(snapshots),
            retention: options.retention,
            alert_gc_interval: options.alert_gc_interval,
            per_alertname_limit: options.per_alertname_limit,
            silence_limits: options.silence_limits,
            mode: options.matcher_mode,
            start_delay: options.start_delay,
            external_url: external_url.into(),
        };
        let engine = Engine::open(engine_options, &mut frame.metrics.registry())?;
        let current = Arc::new(RwLock::new(Arc::new(config)));
        let api = Api::new(engine.clone(), Arc::clone(&current), &mut frame.metrics.registry());
        let reloader = Reloader {
            source: options.config,
            mode: options.matcher_mode,
            engine: engine.clone(),
            current,
            reloads,
            gauges,
        };
        Ok(Self {
            engine,
            servers,
            api: Arc::new(api),
            frame,
            route_prefix: external_url::route_prefix(options.route_prefix.as_deref(), &external_path),
            get_concurrency: options.get_concurrency,
            reloader: Arc::new(reloader),
            starting,
            _lock: lock,
        })
    }

    /// Where it listens, in the order of the addresses.
    pub fn local_addresses(&self) -> Vec<std::net::SocketAddr> {
        self.servers.iter().map(HttpServer::local_address).collect()
    }

    /// The path before all routes: empty, or with a slash at its start and none at its end.
    pub fn route_prefix(&self) -> &str {
        &self.route_prefix
    }

    async fn serve(self, stop: Stop) {
        let Self { engine, servers, api, frame, route_prefix, get_concurrency, reloader, starting, _lock } =
            self;
        let first = Arc::clone(&*reloader.current.read());
        if let Err(error) = reloader.put_in_force(first).await {
            // It was built once when it was read: a certificate file has changed since.
            warn!(error = service::report(&error), "the configuration does not hold any more");
        }
        frame
            .reload
            .on_reload({
                let reloader = Arc::clone(&reloader);
                move || {
                    let reloader = Arc::clone(&reloader);
                    async move { reloader.reload().await.map_err(Into::into) }
                }
            })
            .await;
        let quit = stop.child();
        let access = Access { title: "Alertmanager", lifecycle: true, quit: quit.clone() };
        let routes = api::routes(api, get_concurrency).merge(frame_routes(&frame, access));
        let routes = api::under_prefix(routes, &route_prefix);
        let metrics = RequestMetrics::register(&mut frame.metrics.registry(), METRICS_PREFIX);
        let routes = common_layers(routes, metrics);
        // Sources end first: alerts that were taken are handed on before the engine stops.
        let serving = Tasks::new(&quit.token());
        for server in servers {
            serving.spawn("http server", server.serve(routes.clone(), serving.stop()));
        }
        let working = Tasks::new(&Stop::never());
        working.spawn("engine", {
            let (engine, stop, quit) = (engine.run(working.stop()), stop.clone(), quit.clone());
            async move {
                engine.await;
                // It ends by itself only when it is broken; then the daemon must not go on taking alerts.
                if !stop.is_requested() {
                    quit.stop();
                }
            }
        });
        drop(starting);
        // A part that panics stops its group, and with it the daemon.
        let (quit, served, worked) = (quit.token(), serving.stop(), working.stop());
        tokio::select! {
            () = quit.requested() => {}
            () = served.requested() => {}
            () = worked.requested() => {}
        }
        for tasks in [serving, working] {
            if let Err(error) = tasks.finish(FINISH_DEADLINE).await {
                warn!(%error, "some parts did not end in time");
            }
        }
    }
}

impl Reloader {
    /// Reads the configuration again and puts it in force; one that does not hold leaves the old one there.
    async fn reload(&self) -> Result<(), ConfigError> {
        let outcome = match Config::load(&self.source, self.mode) {
            Ok(config) => self.put_in_force(Arc::new(config)).await,
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            self.reloads.record(false);
        }
        outcome
    }

    async fn put_in_force(&self, config: Arc<Config>) -> Result<(), ConfigError> {
        let setup = config.setup(&format!("Alertmanager/{}", Version::NUMBER))?;
        for warning in config.warnings.iter() {
            warn!(%warning, "configuration");
        }
        self.gauges.show(&config);
        *self.current.write() = config;
        self.engine.apply(setup).await;
        self.reloads.record(true);
        info!("configuration in force");
        Ok(())
    }
}

impl ConfigGauges {
    fn register(frame: &Frame) -> Self {
        let gauges = Self::default();
        let mut registry = frame.metrics.registry();
        registry.register(
            "alertmanager_config_hash",
            "Hash of the currently loaded alertmanager configuration",
            gauges.hash.clone(),
        );
        registry.register(
            "alertmanager_receivers",
            "Number of configured receivers",
            gauges.receivers.clone(),
        );
        gauges
    }

    fn show(&self, config: &Config) {
        let mut hasher = DefaultHasher::new();
        config.shown.hash(&mut hasher);
        // What a float holds exactly, as the original shows.
        self.hash.set((hasher.finish() & 0xffff_ffff_ffff) as f64);
        self.receivers.set(config.receivers.len() as i64);
    }
}

/// The original's own files in the folder are left alone, but people should know that they do not count.
fn warn_of_original_state(folder: &Path) {
    for name in ["silences", "nflog"] {
        if folder.join(name).is_file() {
            warn!(
                file = %folder.join(name).display(),
                "not supported yet: reading state that Alertmanager wrote; silences have to be made again"
            );
        }
    }
}
