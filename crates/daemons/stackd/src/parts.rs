//! Building the daemons, running them side by side, and ending them in order.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use clap::Parser;
use service::{Daemon, Error, Frame, Reload, Stop, Stopper, normalize_arguments, report};
use tokio::task::JoinHandle;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{
    flags::{Flags, Ports},
    generate::{ALERTMANAGER, LOKI, PROMETHEUS, PROMTAIL, PROVISIONING, TRAEFIK},
    layout::Layout,
};

/// How long one daemon may take to end.
const DEADLINE: Duration = Duration::from_secs(30);

type Running = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A daemon that is built: it listens, and runs once it is given a stop.
struct Part {
    name: &'static str,
    frame: Frame,
    run: Box<dyn FnOnce(Stop) -> Running + Send>,
}

/// A daemon that runs.
struct Started {
    name: &'static str,
    frame: Frame,
    stopper: Stopper,
    handle: JoinHandle<Result<(), Error>>,
}

/// All daemons, in the order in which they end: first those that take from outside, last those that keep.
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    /// Builds all daemons. Fails with the name of the first that cannot be built.
    pub async fn build(
        flags: &Flags,
        ports: &Ports,
        layout: &Layout,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let host = &flags.host;
        let path = |path: std::path::PathBuf| path.display().to_string();
        let logging =
            [format!("--log.level={}", flags.log_level), format!("--log.format={}", flags.log_format)];
        let logd = part::<logd::App>(&[format!("-config.file={}", path(layout.configuration(LOKI)))]).await?;
        let alertd = part::<alertd::App>(&[
            format!("--config.file={}", path(layout.configuration(ALERTMANAGER))),
            format!("--storage.path={}", path(layout.of("alertd"))),
            format!("--web.listen-address={host}:{}", ports.alertd),
        ])
        .await?;
        let metricsd = part::<metricsd::App>(&[
            format!("--config.file={}", path(layout.configuration(PROMETHEUS))),
            format!("--storage.tsdb.path={}", path(layout.of("metricsd"))),
            format!("--web.listen-address={host}:{}", ports.metricsd),
            "--web.enable-lifecycle".into(),
            "--web.enable-remote-write-receiver".into(),
            logging[0].clone(),
            logging[1].clone(),
        ])
        .await?;
        let agentd =
            part::<agentd::App>(&[format!("-config.file={}", path(layout.configuration(PROMTAIL)))]).await?;
        let uid = uid(environment, host, ports, layout).await?;
        let proxyd = part::<proxyd::App>(&[
            format!("--configFile={}", path(layout.configuration(TRAEFIK))),
            format!("--dataDir={}", path(layout.of("proxyd"))),
        ])
        .await?;
        Ok(Self(vec![proxyd, uid, agentd, metricsd, alertd, logd]))
    }

    /// What a reload asks for, daemon by daemon.
    pub fn reloads(&self) -> Vec<Reload> {
        self.0.iter().map(|part| part.frame.reload.clone()).collect()
    }

    /// Runs all until the stop, or until one of them ends by itself; then ends the others in order.
    pub async fn run(self, stop: Stop) -> Result<(), Error> {
        let any_ended = Stopper::new();
        let mut running = Vec::new();
        for Part { name, frame, run } in self.0 {
            let stopper = Stopper::new();
            let (future, ended) = (run(stopper.token()), any_ended.clone());
            let task = async move {
                let outcome = future.await;
                ended.stop();
                outcome
            };
            let handle = tokio::spawn(task.instrument(info_span!("daemon", component = name)));
            running.push(Started { name, frame, stopper, handle });
        }
        let ended = any_ended.token();
        tokio::select! {
            () = stop.requested() => {}
            () = ended.requested() => error!("a daemon ended by itself, stopping the others"),
        }
        for Started { frame, .. } in &running {
            frame.readiness.set_stopping();
        }
        let mut first_error = None;
        for Started { name, stopper, mut handle, .. } in running {
            stopper.stop();
            let outcome = match tokio::time::timeout(DEADLINE, &mut handle).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panic)) => Err(panic.into()),
                Err(_) => {
                    handle.abort();
                    Err(format!("did not end within {} seconds", DEADLINE.as_secs()).into())
                }
            };
            match outcome {
                Ok(()) => info!(component = name, "ended"),
                Err(error) => {
                    warn!(component = name, error = report(&*error), "ended with an error");
                    first_error.get_or_insert_with(|| Error::from(format!("{name}: {}", report(&*error))));
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

/// Builds a daemon from the command line it would have by itself.
async fn part<D: Daemon>(arguments: &[String]) -> Result<Part, Error> {
    let arguments = std::iter::once(D::NAME.to_owned()).chain(arguments.iter().cloned()).map(Into::into);
    let flags = D::Flags::try_parse_from(normalize_arguments(arguments))
        .map_err(|error| named(D::NAME, &error.into()))?;
    let frame = Frame::default();
    let built = D::build(flags, frame.clone()).instrument(info_span!("daemon", component = D::NAME)).await;
    let app = built.map_err(|error| named(D::NAME, &error))?;
    Ok(of(app, frame))
}

fn of<D: Daemon>(app: D, frame: Frame) -> Part {
    Part { name: D::NAME, frame, run: Box::new(move |stop| Box::pin(app.run(stop))) }
}

fn named(name: &str, error: &Error) -> Error {
    format!("{name}: {}", report(&**error)).into()
}

async fn uid(
    mut environment: BTreeMap<String, String>,
    host: &str,
    ports: &Ports,
    layout: &Layout,
) -> Result<Part, Error> {
    let mut default = |name: &str, value: String| {
        environment.entry(name.to_owned()).or_insert(value);
    };
    default("GF_SERVER_HTTP_ADDR", host.to_owned());
    default("GF_SERVER_HTTP_PORT", ports.uid.to_string());
    default("GF_PATHS_DATA", layout.of("uid").display().to_string());
    default("GF_PATHS_PROVISIONING", layout.configuration(PROVISIONING).display().to_string());
    let frame = Frame::default();
    let options = uid::Options {
        sources: uid::Sources { environment, ..uid::Sources::default() },
        ..uid::Options::default()
    };
    let built = uid::App::new(options, &frame).instrument(info_span!("daemon", component = "uid")).await;
    let app = built.map_err(|error| named("uid", &error.into()))?;
    Ok(of(app, frame))
}
