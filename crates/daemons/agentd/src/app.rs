//! The daemon: build, run, reload, end.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ::config::SourceFile;
use parking_lot::RwLock;
use service::{
    BindError, Daemon, Error, Frame, HttpOptions, HttpServer, LogOptions, ReloadMetrics, RequestMetrics,
    Stop, Stopper, Tasks,
};
use tokio::sync::{mpsc, oneshot};
use tracing::info;

use crate::{
    Flags, Overrides, Settings,
    api::{self, ApiState, View},
    config::{self, NodeIntegration, load, load_text},
    generation::{Prepared, Shared},
    metrics::AgentMetrics,
    node_integration::NodeMetrics,
};

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file, read again at a reload.
    File {
        /// The file.
        path: PathBuf,
        /// Whether variables of the environment are filled in.
        expand_env: bool,
    },
    /// A text that is there already; a reload takes it again.
    Text(String),
}

/// How to run an agent inside another program.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration.
    pub source: Source,
    /// What differs from it.
    pub overrides: Overrides,
}

/// An agent whose sockets are bound and whose configuration holds.
pub struct App {
    frame: Frame,
    source: Source,
    overrides: Overrides,
    shared: Shared,
    reload_metrics: ReloadMetrics,
    prepared: Option<Prepared>,
    http: Option<HttpServer>,
    node: Option<NodeMetrics>,
    node_server: Option<(HttpServer, axum::Router)>,
    requests: RequestMetrics,
}

/// How long open requests may take at the end, after everything else was finished.
const SERVERS_DEADLINE: Duration = Duration::from_secs(5);

/// A wish to reload, and where the outcome goes.
type ReloadRequest = oneshot::Sender<Result<(), Error>>;

impl Options {
    /// An agent with a configuration as text: what a program that runs several daemons generates.
    pub fn text(config: impl Into<String>) -> Self {
        Self { source: Source::Text(config.into()), overrides: Overrides::default() }
    }

    fn load(source: &Source, overrides: &Overrides) -> Result<Settings, Error> {
        Ok(match source {
            Source::File { path, expand_env } => load(path, *expand_env, overrides)?,
            Source::Text(text) => {
                load_text(SourceFile { path: "agentd".into(), text: text.clone() }, false, overrides)?
            }
        })
    }
}

impl App {
    /// Checks the configuration and binds. Nothing global is touched.
    pub async fn new(options: Options, frame: Frame) -> Result<Self, Error> {
        let Options { source, overrides } = options;
        let settings = Options::load(&source, &overrides)?;
        let (shared, reload_metrics, requests) = {
            let mut registry = frame.metrics.registry();
            let shared = Shared {
                metrics: AgentMetrics::register(&mut registry),
                pipeline_metrics: pipeline::PipelineMetrics::register(&mut registry),
            };
            let reload = ReloadMetrics::register(&mut registry, "promtail");
            (shared, reload, RequestMetrics::register(&mut registry, "promtail"))
        };
        let prepared = Prepared::new(settings, &shared)?;
        let settings = prepared.settings();
        let http = match &settings.server.address {
            Some(address) => Some(HttpServer::bind(HttpOptions::new(address)).await?),
            None => None,
        };
        let node = settings.node.as_ref().map(NodeMetrics::new).transpose()?;
        let node_server = match (&node, &settings.node) {
            (Some(node), Some(config)) => bind_node(node, config).await?,
            _ => None,
        };
        reload_metrics.record(true);
        Ok(Self {
            frame,
            source,
            overrides,
            shared,
            reload_metrics,
            prepared: Some(prepared),
            http,
            node,
            node_server,
            requests,
        })
    }

    /// Where the HTTP server listens, if there is one.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::local_address)
    }

    /// Where the machine's metrics have a port of their own.
    pub fn node_address(&self) -> Option<SocketAddr> {
        self.node_server.as_ref().map(|(server, _)| server.local_address())
    }

    async fn serve(mut self, stop: Stop) -> Result<(), Error> {
        let Some(prepared) = self.prepared.take() else { return Ok(()) };
        let quit = Stopper::new();
        let view = Arc::new(RwLock::new(None));
        let state = ApiState { frame: self.frame.clone(), generation: view.clone() };
        // Servers stop after the jobs: metrics and pages are there until the end.
        let servers = Tasks::new(&Stop::never());
        let lifecycle = prepared.settings().server.enable_reload;
        if let Some(http) = self.http.take() {
            let routes =
                api::routes(state, self.node.as_ref(), lifecycle, quit.clone(), self.requests.clone());
            servers.spawn("http", http.serve(routes, servers.stop()));
        }
        if let Some((server, routes)) = self.node_server.take() {
            servers.spawn("node metrics", server.serve(routes, servers.stop()));
        }
        let (wish, mut wishes) = mpsc::channel::<ReloadRequest>(1);
        self.frame.reload.on_reload(move || ask_for_reload(wish.clone())).await;
        let mut generation = prepared.start(&self.shared)?;
        *view.write() = Some(View::of(&generation));
        let quit = quit.token();
        let outcome = loop {
            let failed = generation.failed();
            tokio::select! {
                () = stop.requested() => break Ok(()),
                () = quit.requested() => break Ok(()),
                () = failed.requested() => break Err("a part of the agent failed, see the log".into()),
                Some(answer) = wishes.recv() => {
                    let prepared = match self.prepare_reload() {
                        Ok(prepared) => prepared,
                        Err(error) => {
                            let _ = answer.send(Err(error));
                            continue;
                        }
                    };
                    // Two generations cannot read the same files: the old one ends first.
                    *view.write() = None;
                    generation.finish().await;
                    generation = prepared.start(&self.shared)?;
                    *view.write() = Some(View::of(&generation));
                    let _ = answer.send(Ok(()));
                }
            }
        };
        self.frame.readiness.set_stopping();
        generation.finish().await;
        let _ = servers.finish(SERVERS_DEADLINE).await;
        outcome
    }

    /// Everything that a new configuration may get wrong, while the old one goes on.
    fn prepare_reload(&self) -> Result<Prepared, Error> {
        let prepared = Options::load(&self.source, &self.overrides)
            .and_then(|settings| Prepared::new(settings, &self.shared))
            .and_then(|prepared| prepared.check_positions().map(|()| prepared));
        self.reload_metrics.record(prepared.is_ok());
        if prepared.is_ok() {
            self.shared.metrics.reload_success.inc();
        } else {
            self.shared.metrics.reload_fail.inc();
        }
        prepared
    }
}

impl Daemon for App {
    const NAME: &'static str = "agentd";
    type Flags = Flags;

    fn log_options(flags: &Flags) -> LogOptions {
        let mut options = LogOptions::default();
        // The level may stand in the file, which is read properly, with its mistakes told, once there is a log.
        let in_file =
            || SourceFile::read(flags.config_path()).ok().and_then(|file| config::log_level(&file.text));
        if let Some(level) = flags.log_level.clone().or_else(in_file) {
            options.level = level;
        }
        if let Some(format) = flags.log_format.as_deref().and_then(|format| format.parse().ok()) {
            options.format = format;
        }
        options
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, Error> {
        for (flag, is_set) in [("-stdin", flags.stdin), ("-inspect", flags.inspect)] {
            if is_set {
                return Err(format!("not supported yet: {flag}").into());
            }
        }
        let source = Source::File { path: flags.config_path(), expand_env: flags.expand_env };
        let mut options = Options { source, overrides: flags.overrides() };
        if flags.check_syntax {
            options.overrides.disable_server = true;
        }
        let mut app = Self::new(options, frame).await?;
        if let Some(prepared) = &app.prepared {
            if flags.print_config_stderr {
                eprintln!("{}", prepared.settings().text);
            }
            if flags.log_config {
                info!(config = prepared.settings().text, "configuration in force");
            }
            if flags.check_syntax {
                for warning in prepared.settings().warnings().iter() {
                    eprintln!("{warning}");
                }
                eprintln!("Valid config file! No syntax issues found");
                app.prepared = None;
            }
        }
        Ok(app)
    }

    async fn run(self, stop: Stop) -> Result<(), Error> {
        self.serve(stop).await
    }
}

async fn ask_for_reload(wish: mpsc::Sender<ReloadRequest>) -> Result<(), Error> {
    let (answer, outcome) = oneshot::channel();
    let gone = || -> Error { "the agent is stopping".into() };
    wish.send(answer).await.map_err(|_| gone())?;
    outcome.await.map_err(|_| gone())?
}

async fn bind_node(
    node: &NodeMetrics,
    config: &NodeIntegration,
) -> Result<Option<(HttpServer, axum::Router)>, BindError> {
    let bound = node.bind(config).await?;
    if let Some((server, _)) = &bound {
        info!(address = %server.local_address(), "machine metrics have a port of their own");
    }
    Ok(bound)
}
