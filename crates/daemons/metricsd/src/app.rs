//! The daemon: built, run, and ended in order.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use config::ByteSize;
use parking_lot::RwLock;
use prometheus_client::registry::Registry;
use promql::{Engine, EngineOptions};
use rules::{Manager as RuleManager, ManagerOptions, Notifier, NotifierOptions};
use scrape::Manager as ScrapeManager;
use service::{
    Daemon, Error, Frame, HttpOptions, HttpServer, Latch, LogOptions, ReloadMetrics, Stop, Tasks, report,
    spawn_blocking,
};
use tracing::{error, info, warn};
use tsdb::{Db, DbOptions, ReplayProgress};

use crate::{
    Config, Flags,
    api::{self, ApiState, FederationMetrics},
    evaluator::RuleEvaluator,
    notifications::{Notifications, RELOAD_FAILED, STARTING, STOPPING},
    queries::Queries,
    query_log::{QueryLog, QueuedLines, write_until},
    reload::{Parts, Reloader},
};

/// How often the database looks for work.
const MAINTAIN_INTERVAL: Duration = Duration::from_secs(60);
/// How often full chunks are moved from memory to files; costs nothing where there are none.
const MAP_INTERVAL: Duration = Duration::from_secs(1);
/// How often the progress of reading the log is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);
/// How often it is logged.
const SAY_INTERVAL: Duration = Duration::from_secs(10);
/// How long each part may take to end.
const PART_DEADLINE: Duration = Duration::from_secs(20);

/// How the daemon is started: its flags, and what a program that runs it with others decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The command line.
    pub flags: Flags,
}

/// Everything the daemon is made of, bound and not running yet.
pub struct App {
    flags: Flags,
    frame: Frame,
    config: Config,
    engine: Arc<Engine>,
    notifier: Arc<Notifier>,
    reload_metrics: ReloadMetrics,
    query_log: (Arc<QueryLog>, QueuedLines),
    federation: FederationMetrics,
    notifications: Arc<Notifications>,
    server: HttpServer,
    request_metrics: service::RequestMetrics,
}

impl Daemon for App {
    const NAME: &'static str = "metricsd";
    type Flags = Flags;

    fn log_options(flags: &Flags) -> LogOptions {
        flags.log_options()
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, Error> {
        Self::new(Options { flags }, frame).await
    }

    async fn run(self, stop: Stop) -> Result<(), Error> {
        self.serve(stop).await
    }
}

impl App {
    /// Reads the configuration and binds the socket.
    pub async fn new(options: Options, frame: Frame) -> Result<Self, Error> {
        let Options { flags } = options;
        let config = Config::load(&flags.config_file)?;
        for warning in config.warnings.iter() {
            warn!(key = warning.key, "{}", warning.text);
        }
        for name in &flags.enable_feature {
            if !api::is_known_feature(name) {
                warn!(feature = name, "unknown option for --enable-feature");
            }
        }
        for (flag, text) in flags.without_effect() {
            warn!(flag, "{text}");
        }
        let (engine, notifier, reload_metrics, request_metrics, query_log, federation, notifications) = {
            let mut registry = frame.metrics.registry();
            register_build_info(&mut registry);
            (
                Arc::new(Engine::new(engine_options(&flags, &config), &mut registry)),
                Notifier::new(notifier_options(&flags), &mut registry),
                ReloadMetrics::register(&mut registry, "prometheus"),
                service::RequestMetrics::register(&mut registry, "prometheus"),
                QueryLog::new(&mut registry),
                FederationMetrics::register(&mut registry),
                Notifications::new(flags.max_notifications_subscribers, &mut registry),
            )
        };
        crate::reload::check_rule_files(&config, &engine)?;
        reload_metrics.record(true);
        let server = HttpServer::bind(HttpOptions {
            address: flags.listen_address.clone(),
            web_config: flags.web_config_file.clone(),
            max_connections: flags.max_connections,
        })
        .await?;
        Ok(Self {
            flags,
            frame,
            config,
            engine,
            notifier,
            reload_metrics,
            query_log,
            federation,
            notifications,
            server,
            request_metrics,
        })
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.server.local_address()
    }

    async fn serve(self, stop: Stop) -> Result<(), Error> {
        let Self {
            flags,
            frame,
            config,
            engine,
            notifier,
            reload_metrics,
            query_log: (query_log, queued_lines),
            federation,
            notifications,
            server,
            request_metrics,
        } = self;
        // Sources stop first, storage last: scraping and rules, then the API, then what waits for Alertmanagers and the query log, then
        // the database.
        let quit = stop.child();
        let stop = quit.token();
        let opening = frame.readiness.wait_for("write-ahead log replay");
        let db_options = db_options(&flags, &config);
        let state = Arc::new(ApiState {
            flags: flags.clone(),
            engine: engine.clone(),
            notifier: notifier.clone(),
            readiness: frame.readiness.clone(),
            replay: db_options.replay_progress.clone(),
            config: RwLock::new(Arc::new(config.clone())),
            db: OnceLock::new(),
            scrape: OnceLock::new(),
            rules: OnceLock::new(),
            queries: Queries::new(flags.max_concurrency),
            remote_reads: Arc::new(tokio::sync::Semaphore::new(flags.remote_read_concurrent_limit.max(1))),
            started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            reload: reload_metrics.clone(),
            metrics: frame.metrics.clone(),
            query_log: query_log.clone(),
            federation,
            notifications: notifications.clone(),
        });
        notifications.add(STARTING, api::now());
        let routes = api::router(state.clone(), &frame, &quit, request_metrics);
        let serving = Tasks::new(&Stop::never());
        serving.spawn("http server", server.serve(routes, serving.stop()));
        let logging = Tasks::new(&Stop::never());
        logging.spawn("query log", write_until(query_log.clone(), queued_lines, logging.stop()));

        let progress = db_options.replay_progress.clone();
        let opened = tokio::select! {
            opened = spawn_blocking(move || start(db_options)) => opened,
            () = stop.requested() => return Ok(()),
        };
        let (db, registry) = opened??;
        let db = Arc::new(db);
        frame.metrics.add(registry);
        // From here on samples are taken and blocks are searched, while the log is read.
        let _ = state.db.set(db.clone());

        let evaluator =
            Arc::new(RuleEvaluator::new(engine.clone(), db.clone(), state.queries.clone(), query_log));
        let (scraping, evaluating) = {
            let mut registry = frame.metrics.registry();
            let user_agent = user_agent();
            (
                Arc::new(ScrapeManager::new(db.clone(), &mut registry, user_agent, &stop)),
                Arc::new(RuleManager::new(
                    evaluator,
                    notifier.clone(),
                    manager_options(&flags),
                    &mut registry,
                    &stop,
                )),
            )
        };
        let _ = state.scrape.set(scraping.clone());
        let _ = state.rules.set(evaluating.clone());
        let parts = Parts {
            db: db.clone(),
            scraping,
            evaluating,
            notifier: notifier.clone(),
            external_url: external_url(&flags),
        };
        let reloader = Arc::new(Reloader::new(flags, engine, parts, state.clone(), reload_metrics));
        reloader.apply(config)?;
        let handler = reloader.clone();
        frame
            .reload
            .on_reload(move || {
                let (reloader, notifications) = (handler.clone(), state.notifications.clone());
                async move {
                    let outcome = reloader.reload().await;
                    match outcome.is_ok() {
                        true => notifications.remove(RELOAD_FAILED),
                        false => notifications.add(RELOAD_FAILED, api::now()),
                    }
                    outcome
                }
            })
            .await;
        let maintaining = Tasks::new(&stop);
        maintaining.spawn("head chunks", map_chunks(db.clone(), maintaining.stop()));
        let replayed = tokio::select! {
            replayed = replay(db.clone(), &progress, &opening) => replayed,
            () = stop.requested() => Ok(()),
        };
        if replayed.is_ok() && !stop.is_requested() {
            maintaining.spawn("database maintenance", maintain(db.clone(), maintaining.stop()));
            // Not before: on half of the samples they would say what is not so.
            reloader.start_rules();
            notifications.remove(STARTING);
            drop(opening);
            info!("ready");
            stop.requested().await;
        }
        frame.readiness.set_stopping();
        notifications.add(STOPPING, api::now());
        notifications.close();
        let ended = [
            reloader.parts.scraping.stop(PART_DEADLINE).await,
            reloader.parts.evaluating.stop(PART_DEADLINE).await,
            maintaining.finish(PART_DEADLINE).await,
            serving.finish(PART_DEADLINE).await,
            notifier.finish(PART_DEADLINE).await,
            logging.finish(PART_DEADLINE).await,
        ];
        for late in ended.into_iter().filter_map(Result::err) {
            warn!(error = %late, "a part did not end in time");
        }
        spawn_blocking(move || db.close()).await??;
        replayed
    }
}

fn start(options: DbOptions) -> Result<(Db, Registry), tsdb::OpenError> {
    let mut registry = Registry::default();
    let db = Db::start(options, &mut registry)?;
    Ok((db, registry))
}

/// Reads the log, and tells those who ask whether the daemon is ready how far that is.
async fn replay(db: Arc<Db>, progress: &ReplayProgress, opening: &Latch) -> Result<(), Error> {
    let mut replaying = std::pin::pin!(spawn_blocking(move || db.replay()));
    let mut said = Instant::now();
    loop {
        tokio::select! {
            outcome = &mut replaying => return Ok(outcome??),
            () = tokio::time::sleep(PROGRESS_INTERVAL) => {}
        }
        let (first, last, current) = progress.get();
        let text = format!(
            "write-ahead log replay, segment {} of {}; samples are taken and older blocks are searched",
            current.saturating_sub(first) + 1,
            last.saturating_sub(first) + 1
        );
        if said.elapsed() >= SAY_INTERVAL {
            info!("{text}");
            said = Instant::now();
        }
        opening.update(text);
    }
}

async fn maintain(db: Arc<Db>, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(MAINTAIN_INTERVAL) => {}
        }
        let db = db.clone();
        match spawn_blocking(move || db.maintain()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                error!(error = report(&error), "database maintenance failed, it is tried again")
            }
            Err(error) => error!(%error, "BUG: database maintenance panicked"),
        }
    }
}

/// Full chunks leave memory soon after they are full, and not by one great batch a minute.
async fn map_chunks(db: Arc<Db>, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(MAP_INTERVAL) => {}
        }
        let db = db.clone();
        if let Err(error) = spawn_blocking(move || db.map_chunks()).await {
            error!(%error, "BUG: moving head chunks to files panicked");
        }
    }
}

/// Zero is no bound, as with other sizes.
fn most_bytes(size: ByteSize) -> usize {
    if size.0 == 0 { usize::MAX } else { usize::try_from(size.0).unwrap_or(usize::MAX) }
}

fn engine_options(flags: &Flags, config: &Config) -> EngineOptions {
    EngineOptions {
        lookback_delta: flags.lookback_delta.0,
        max_samples: flags.max_samples,
        max_bytes: flags.query_max_bytes.map_or(usize::MAX, most_bytes),
        timeout: flags.query_timeout.0,
        default_subquery_step: config.evaluation_interval,
        delayed_name_removal: flags.enable_feature.iter().any(|name| name == "promql-delayed-name-removal"),
        // The storage does not keep them.
        use_start_timestamps: false,
        syntax: api::syntax_features(&flags.enable_feature),
        ..EngineOptions::default()
    }
}

fn notifier_options(flags: &Flags) -> NotifierOptions {
    NotifierOptions {
        queue_capacity: flags.notification_queue_capacity,
        batch_size: flags.notification_batch_size,
        user_agent: user_agent(),
        metric_prefix: "prometheus",
    }
}

fn manager_options(flags: &Flags) -> ManagerOptions {
    ManagerOptions {
        outage_tolerance: flags.for_outage_tolerance.0,
        grace_period: flags.for_grace_period.0,
        resend_delay: flags.resend_delay.0,
        max_concurrent: flags.max_concurrent_evals,
        metric_prefix: "prometheus",
    }
}

fn db_options(flags: &Flags, config: &Config) -> DbOptions {
    let mut options = DbOptions::new(&flags.storage_path);
    // The file comes before the flag, which Prometheus has deprecated for it.
    if let Some(time) = config.retention_time.or(flags.retention_time.map(|set| set.0)) {
        options.retention_time = time;
    }
    if let Some(size) = config.retention_size.or(flags.retention_size.map(|set| set.0)) {
        options.retention_size = size;
    }
    options.retention_percentage = config.retention_percentage.unwrap_or_default();
    options.min_block_duration = flags.min_block_duration.0;
    if let Some(size) = flags.wal_segment_size {
        options.wal_segment_size = size.0;
    }
    if let Some(duration) = flags.max_block_duration {
        options.max_block_duration = duration.0;
    }
    options.wal_compression = flags.wal_compression();
    options.no_lockfile = flags.no_lockfile;
    if flags.keeps_exemplars() {
        options.max_exemplars = config.max_exemplars;
    }
    options.max_series = flags.max_series;
    options.out_of_order_time_window = config.out_of_order_time_window;
    options.float_encoding = config.float_encoding;
    options
}

pub(crate) fn external_url(flags: &Flags) -> String {
    if flags.external_url.is_empty() {
        let port = flags.listen_address.rsplit(':').next().unwrap_or("9090");
        return format!("http://localhost:{port}");
    }
    flags.external_url.trim_end_matches('/').to_owned()
}

fn user_agent() -> String {
    format!("metricsd/{}", service::Version::NUMBER)
}

fn register_build_info(registry: &mut Registry) {
    let labels = vec![("version", service::Version::NUMBER)];
    registry.register(
        "prometheus_build",
        "A metric with a constant '1' value labeled by version",
        prometheus_client::metrics::info::Info::new(labels),
    );
}
