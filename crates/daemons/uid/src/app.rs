//! The daemon: built from options, run until told to stop.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use config::Secret;
use disk::{RealFs, write_atomic};
use service::{
    Access, Daemon, Frame, HttpOptions, HttpServer, LogOptions, RequestMetrics, Stop, Stopper, Tasks,
    common_layers, frame_routes, report,
};
use state::{SledOptions, SledStore, StateError, StateStore};
use tracing::{error, info, warn};

use crate::{
    Flags,
    api::{self, Shared},
    auth::Authenticator,
    clock::Clock,
    config::{Log, Settings, SettingsError, Sources},
    metrics,
    model::random_token,
    provisioning::{BundledDashboard, BundledDataSource, Provisioning, ProvisioningError, log_warnings},
    query::QueryRunner,
    store::Stores,
    sub_path,
    upstream::Upstreams,
    web_app::{self, WebApp},
};

/// The state store, within the data folder.
const STATE_DIR: &str = "state";
/// Where the first user's password is written when it was made up.
const PASSWORD_FILE: &str = "initial-admin-password";
/// Length of a made-up password, in characters: 96 bits.
const PASSWORD_CHARS: usize = 24;
/// bcrypt's cost of new password hashes.
const HASH_COST: u32 = 10;
/// How often the state store is backed up, if it changed or not: it is small.
const BACKUP_EVERY: Duration = Duration::from_secs(15 * 60);
/// How often sessions that are over are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How long background work may take to end.
const TASKS_DEADLINE: Duration = Duration::from_secs(10);

/// What a daemon is built from. Nothing else is read: no flags, no environment of the process.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where settings come from, the environment among them.
    pub sources: Sources,
    /// `host:port` that wins over the settings.
    pub listen_address: Option<String>,
    /// Data sources that are there unless a file says otherwise.
    pub data_sources: Vec<BundledDataSource>,
    /// Dashboards that are there unless a file has the same uid.
    pub dashboards: Vec<BundledDashboard>,
    /// bcrypt's cost for passwords; tests take a low one.
    pub hash_cost: u32,
    /// What time it is.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sources: Sources::default(),
            listen_address: None,
            data_sources: Vec::new(),
            dashboards: Vec::new(),
            hash_cost: HASH_COST,
            clock: Clock::system(),
        }
    }
}

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A setting does not hold.
    #[error("settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The data folder cannot be made.
    #[error("cannot make the data folder `{}`", .path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The state store does not open.
    #[error("cannot open the state store")]
    State(#[from] StateError),
    /// A provisioning file does not hold.
    #[error("provisioning failed")]
    Provisioning(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The first user cannot be made.
    #[error("cannot create the first user")]
    FirstUser(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The socket cannot be bound.
    #[error(transparent)]
    Bind(#[from] service::BindError),
}

/// The daemon, ready to run: clients can connect and wait.
pub struct App {
    server: HttpServer,
    routes: Router,
    shared: Arc<Shared>,
    state: Arc<SledStore>,
    initial_admin_password: Option<Secret>,
}

impl App {
    /// Reads settings and provisioning files, opens the state store, binds the socket.
    pub async fn new(options: Options, frame: &Frame) -> Result<Self, BuildError> {
        let Options { sources, listen_address, data_sources, dashboards, hash_cost, clock } = options;
        let (settings, mut warnings) = Settings::load(&sources)?;
        let state = open_state(&settings.paths.data)?;
        let store: Arc<dyn StateStore> = state.clone();
        let stores = Arc::new(Stores::open(&store, &clock).map_err(first_user)?);
        let authenticator =
            Authenticator::new(stores.clone(), &settings, clock.clone(), hash_cost).map_err(first_user)?;
        let initial_admin_password = create_first_user(&settings, &stores, &authenticator).await?;

        let provisioning = Arc::new(Provisioning::new(
            settings.paths.provisioning.clone(),
            sources.environment,
            data_sources,
            stores.clone(),
        ));
        let failed = |error: ProvisioningError| BuildError::Provisioning(error.into());
        provisioning.warn_of_other_sections(&mut warnings);
        warnings.extend("", provisioning.load_data_sources().map_err(failed)?);
        warnings.extend("", provisioning.load_dashboards().map_err(failed)?);
        provisioning.load_bundled_dashboards(&dashboards);
        log_warnings(&warnings);

        let address = listen_address.unwrap_or_else(|| settings.server.listen_address.clone());
        let server = HttpServer::bind(HttpOptions::new(address)).await?;
        let upstreams = Arc::new(Upstreams::new(settings.data_proxy_timeout));
        let runner = QueryRunner::new(stores.clone(), upstreams.clone());
        let shared = Arc::new(Shared {
            settings,
            stores: stores.clone(),
            authenticator,
            provisioning: provisioning.clone(),
            upstreams,
            runner,
            clock,
        });
        let request_metrics = {
            let mut registry = frame.metrics.registry();
            metrics::register(&mut registry, &stores);
            RequestMetrics::register(&mut registry, "grafana")
        };
        // The frame may live longer than the daemon and must not keep the state store open.
        let provisioning = Arc::downgrade(&provisioning);
        frame
            .reload
            .on_reload(move || {
                let provisioning = provisioning.clone();
                async move {
                    let Some(provisioning) = provisioning.upgrade() else { return Err("stopped".into()) };
                    service::spawn_blocking(move || provisioning.reload()).await?.map_err(Into::into)
                }
            })
            .await;
        let routes = routes(&shared, frame, request_metrics);
        Ok(Self { server, routes, shared, state, initial_admin_password })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.server.local_address()
    }

    /// The address people use.
    pub fn root_url(&self) -> &str {
        self.shared.settings.server.root_url.as_str()
    }

    /// The first user's name, and the password if this start made it up. It is not kept: show it once.
    pub fn initial_admin_password(&self) -> Option<(&str, &Secret)> {
        let password = self.initial_admin_password.as_ref()?;
        Some((&self.shared.settings.security.admin_user, password))
    }

    /// Serves until the stop.
    pub async fn serve(self, stop: Stop) -> Result<(), service::Error> {
        let Self { server, routes, shared, state, .. } = self;
        let tasks = Tasks::new(&stop);
        shared.provisioning.watch(&tasks);
        tasks.spawn("session sweeper", sweep(shared.clone(), tasks.stop()));
        tasks.spawn("state backup", back_up(state.clone(), tasks.stop()));
        server.serve(routes, stop).await;
        // Requests first, then what they may have used, then the last words to the disk.
        tasks.finish(TASKS_DEADLINE).await?;
        service::spawn_blocking(move || {
            state.flush()?;
            state.write_backup()
        })
        .await??;
        Ok(())
    }
}

impl Daemon for App {
    const NAME: &'static str = "uid";

    type Flags = Flags;

    fn log_options(flags: &Flags) -> LogOptions {
        Log::load(&flags.sources(process_environment())).0
    }

    async fn build(flags: Flags, frame: Frame) -> Result<Self, service::Error> {
        let options = Options {
            sources: flags.sources(process_environment()),
            listen_address: flags.listen_address,
            ..Options::default()
        };
        Ok(Self::new(options, &frame).await?)
    }

    async fn run(self, stop: Stop) -> Result<(), service::Error> {
        self.serve(stop).await
    }
}

/// The one place that reads it, for a daemon that is a process of its own.
fn process_environment() -> std::collections::BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn open_state(data: &Path) -> Result<Arc<SledStore>, BuildError> {
    std::fs::create_dir_all(data).map_err(|source| BuildError::Data { path: data.to_owned(), source })?;
    if data.join("grafana.db").exists() {
        warn!(
            path = %data.join("grafana.db").display(),
            "not supported yet: a Grafana's database lies in the data folder and is not read; export its dashboards as JSON"
        );
    }
    let opened = SledStore::open(&SledOptions::new(data.join(STATE_DIR)))?;
    for repair in &opened.repairs {
        error!(repair, "state store was repaired");
    }
    Ok(Arc::new(opened.store))
}

/// At the first start only: later changes of the setting change nothing, as in Grafana. Returns the password if it was made up.
async fn create_first_user(
    settings: &Settings,
    stores: &Arc<Stores>,
    authenticator: &Authenticator,
) -> Result<Option<Secret>, BuildError> {
    let security = &settings.security;
    if !stores.users.is_empty() || security.disable_initial_admin_creation {
        return Ok(None);
    }
    let made_up = security.admin_password.is_none();
    let password = security
        .admin_password
        .clone()
        .unwrap_or_else(|| Secret::new(random_token().chars().take(PASSWORD_CHARS).collect::<String>()));
    let hash = authenticator.passwords().hash(password.expose()).await.map_err(first_user)?;
    if made_up {
        let path = settings.paths.data.join(STATE_DIR).join(PASSWORD_FILE);
        write_atomic(&RealFs, &path, format!("{}\n", password.expose()).as_bytes()).map_err(first_user)?;
        warn!(
            user = security.admin_user, path = %path.display(),
            "the first user's password was made up, it is in this file; change it, then remove the file"
        );
    }
    stores.users.create_admin(&security.admin_user, &security.admin_email, hash).map_err(first_user)?;
    info!(user = security.admin_user, "first user created");
    Ok(made_up.then_some(password))
}

fn first_user(error: impl std::error::Error + Send + Sync + 'static) -> BuildError {
    BuildError::FirstUser(error.into())
}

fn routes(shared: &Arc<Shared>, frame: &Frame, metrics: RequestMetrics) -> Router {
    let access = Access { title: "Grafana", lifecycle: false, quit: Stopper::new() };
    let frame_routes =
        frame_routes(frame, access).layer(from_fn_with_state(shared.settings.metrics_enabled, hide_metrics));
    let app = WebApp::load(&shared.settings);
    let routes = Router::new()
        .merge(frame_routes)
        .merge(api::routes(shared))
        // The API has the POST; a browser that opens the address wants the app.
        .route("/login", get(web_app::serve).with_state(app.clone()))
        .fallback_service(any(web_app::serve).with_state(app));
    sub_path::wrap(common_layers(routes, metrics), &shared.settings.server.sub_path)
}

async fn hide_metrics(State(enabled): State<bool>, request: Request, next: Next) -> Response {
    if !enabled && request.uri().path() == "/metrics" {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

async fn sweep(shared: Arc<Shared>, stop: Stop) {
    loop {
        let work = shared.clone();
        let swept =
            service::spawn_blocking(move || work.stores.sessions.sweep(work.authenticator.lifetimes()));
        if let Ok(Err(cause)) = swept.await {
            error!(error = report(&cause), "sessions that are over were not removed");
        }
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

async fn back_up(state: Arc<SledStore>, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(BACKUP_EVERY) => {}
        }
        let state = state.clone();
        if let Ok(Err(cause)) = service::spawn_blocking(move || state.write_backup()).await {
            error!(error = report(&cause), "state store was not backed up");
        }
    }
}
