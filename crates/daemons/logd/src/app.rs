//! The daemon: built, run, and ended in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use logql::engine::{Engine, EngineOptions};
use prometheus_client::{metrics::info::Info, registry::Registry};
use service::{
    Daemon, Error, Frame, GrpcServer, HttpOptions, HttpServer, LogOptions, RequestMetrics, Stop, Tasks,
    spawn_blocking,
};
use tracing::{info, warn};

use crate::{
    Config, Flags,
    api::{self, ApiState, RequestDurations},
    config::log_options,
    grpc,
    ingest::{IngestMetrics, Ingester},
    maintenance,
    queries::QueryGate,
    tenants::Tenants,
};

/// How long each part may take to end.
const PART_DEADLINE: Duration = Duration::from_secs(20);

/// How the daemon is started: its flags, and what a program that runs it with others decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The command line.
    pub flags: Flags,
    /// The configuration's text; without it, the file is read that the flags name.
    pub config: Option<String>,
}

/// Everything the daemon is made of, bound and not running yet.
pub struct App {
    frame: Frame,
    state: Arc<ApiState>,
    http: HttpServer,
    grpc: Option<GrpcServer>,
    requests: RequestMetrics,
    durations: RequestDurations,
}

impl Daemon for App {
    const NAME: &'static str = "logd";
    type Flags = Flags;

    fn log_options(flags: &Flags) -> LogOptions {
        log_options(flags, None)
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, Error> {
        Self::new(Options { flags, config: None }, frame).await
    }

    async fn run(self, stop: Stop) -> Result<(), Error> {
        self.serve(stop).await
    }
}

impl App {
    /// Reads the configuration and binds the sockets.
    pub async fn new(options: Options, frame: Frame) -> Result<Self, Error> {
        let Options { flags, config } = options;
        let log_level = log_options(&flags, config.as_deref()).level;
        let config = match config {
            Some(text) => Config::from_text(&text, &flags)?,
            None => Config::load(&flags)?,
        };
        for warning in config.warnings.iter() {
            warn!(key = warning.key, "{}", warning.text);
        }
        if flags.print_config_stderr {
            eprintln!("---\n# Loki Config\n{}", config.shown);
        }
        let http = HttpServer::bind(HttpOptions {
            address: config.http_address.clone(),
            web_config: None,
            max_connections: config.http_max_connections,
        })
        .await?;
        let grpc = match &config.grpc_address {
            Some(address) => Some(GrpcServer::bind(address).await?),
            None => None,
        };
        let (store_metrics, ingest_metrics, requests, durations) = {
            let mut registry = frame.metrics.registry();
            register_build_info(&mut registry);
            (
                logstore::Metrics::new(&mut registry),
                IngestMetrics::register(&mut registry),
                RequestMetrics::register(&mut registry, "loki"),
                RequestDurations::register(&mut registry),
            )
        };
        let config = Arc::new(config);
        let state = Arc::new(ApiState {
            tenants: Arc::new(Tenants::new(config.clone(), store_metrics)),
            ingester: Arc::new(Ingester::new(&config, ingest_metrics)),
            engine: Arc::new(Engine::new(engine_options(&config))),
            queries: QueryGate::new(config.max_concurrent_queries, config.max_outstanding_queries),
            readiness: frame.readiness.clone(),
            room: Default::default(),
            log_level,
            config,
        });
        Ok(Self { frame, state, http, grpc, requests, durations })
    }

    /// Where the HTTP API listens.
    pub fn address(&self) -> SocketAddr {
        self.http.local_address()
    }

    /// Where gRPC listens, if it does.
    pub fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc.as_ref().map(GrpcServer::local_address)
    }

    async fn serve(self, stop: Stop) -> Result<(), Error> {
        let Self { frame, state, http, grpc, requests, durations } = self;
        // Sources stop first, storage last: the servers, then what looks after the stores, then the stores.
        let quit = stop.child();
        let stop = quit.token();
        let opening = frame.readiness.wait_for("write-ahead log replay");
        let serving = Tasks::new(&Stop::never());
        let routes = api::router(state.clone(), &frame, &quit, requests, durations.clone());
        serving.spawn("http server", http.serve(routes, serving.stop()));
        if let Some(server) = grpc {
            let (services, stop) = (grpc::routes(state.clone(), durations), serving.stop());
            serving.spawn("grpc server", async move {
                server.serve(services, &[wire::loki::DESCRIPTORS], stop).await;
            });
        }
        frame
            .reload
            .on_reload(|| async {
                Err("not supported yet: reloading; restart to change the configuration".into())
            })
            .await;

        let tenants = state.tenants.clone();
        let opened = tokio::select! {
            opened = spawn_blocking({ let tenants = tenants.clone(); move || tenants.open_existing() }) => Some(opened),
            () = stop.requested() => None,
        };
        let failed = match opened {
            Some(Ok(Ok(()))) => None,
            Some(Ok(Err(error))) => Some(Error::from(error)),
            Some(Err(error)) => Some(Error::from(error)),
            None => None,
        };
        let looking_after = Tasks::new(&stop);
        if failed.is_none() && !stop.is_requested() {
            let interval = state.config.compaction_interval;
            looking_after.spawn("store ticks", maintenance::tick(tenants.clone(), looking_after.stop()));
            looking_after.spawn(
                "store compaction",
                maintenance::compact(tenants.clone(), interval, looking_after.stop()),
            );
            drop(opening);
            info!("ready");
            stop.requested().await;
        }
        frame.readiness.set_stopping();
        let ended = [serving.finish(PART_DEADLINE).await, looking_after.finish(PART_DEADLINE).await];
        for late in ended.into_iter().filter_map(Result::err) {
            warn!(error = %late, "a part did not end in time");
        }
        spawn_blocking(move || tenants.close()).await?;
        failed.map_or(Ok(()), Err)
    }
}

fn engine_options(config: &Config) -> EngineOptions {
    let limits = &config.limits;
    EngineOptions {
        max_entries_limit: limits.max_entries_limit_per_query,
        max_series: limits.max_query_series,
        max_range: i64::try_from(limits.max_query_range.0.as_nanos()).unwrap_or(i64::MAX),
        variants: limits.enable_multi_variant_queries,
        align_steps: config.align_steps,
        ..EngineOptions::default()
    }
}

fn register_build_info(registry: &mut Registry) {
    registry.register(
        "loki_build",
        "A metric with a constant '1' value labeled by version",
        Info::new(vec![("version", service::Version::NUMBER)]),
    );
}
