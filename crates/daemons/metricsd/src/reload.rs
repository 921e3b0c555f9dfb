//! Putting a configuration in force: at the start and at every reload.

use std::{io, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use promql::Engine;
use rules::{ExpandContext, Manager as RuleManager, Notifier, RuleFileError, load_rule_files};
use scrape::Manager as ScrapeManager;
use service::{Error, ReloadMetrics};
use tracing::warn;
use tsdb::Db;

use crate::{Config, Flags, api::ApiState, evaluator::SyntaxOnly, query_log::QueryLog};

/// `global.query_log_file` cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the query log `{}`", .path.display())]
struct OpenQueryLogError {
    path: PathBuf,
    source: io::Error,
}

/// What a configuration is put in force on.
pub(crate) struct Parts {
    pub db: Arc<Db>,
    pub scraping: Arc<ScrapeManager>,
    pub evaluating: Arc<RuleManager>,
    pub notifier: Arc<Notifier>,
    pub external_url: String,
}

pub(crate) struct Reloader {
    flags: Flags,
    engine: Arc<Engine>,
    pub parts: Parts,
    state: Arc<ApiState>,
    metrics: ReloadMetrics,
    rules: Mutex<Rules>,
}

/// Rules wait until the database has all its samples.
enum Rules {
    /// What is to be put in force then.
    Waiting(Option<Box<dyn FnOnce() + Send>>),
    InForce,
}

/// Whether all rule files hold.
pub(crate) fn check_rule_files(config: &Config, engine: &Arc<Engine>) -> Result<(), RuleFileError> {
    load_rule_files(&config.rule_files, &SyntaxOnly(engine.clone())).map(drop)
}

impl Reloader {
    pub fn new(
        flags: Flags,
        engine: Arc<Engine>,
        parts: Parts,
        state: Arc<ApiState>,
        metrics: ReloadMetrics,
    ) -> Self {
        Self { flags, engine, parts, state, metrics, rules: Mutex::new(Rules::Waiting(None)) }
    }

    /// Evaluates rules from now on.
    pub fn start_rules(&self) {
        // Locked until they are in force: a reload at the same moment comes after them, not before.
        let mut rules = self.rules.lock();
        if let Rules::Waiting(Some(apply)) = std::mem::replace(&mut *rules, Rules::InForce) {
            apply();
        }
    }

    /// Reads the files again. What does not hold leaves everything as it was.
    pub async fn reload(self: Arc<Self>) -> Result<(), Error> {
        let metrics = self.metrics.clone();
        let outcome = match service::spawn_blocking(move || self.load_and_apply()).await {
            Ok(outcome) => outcome,
            Err(error) => Err(error.into()),
        };
        metrics.record(outcome.is_ok());
        outcome
    }

    fn load_and_apply(&self) -> Result<(), Error> {
        let config = Config::load(&self.flags.config_file)?;
        for warning in config.warnings.iter() {
            warn!(key = warning.key, "{}", warning.text);
        }
        self.apply(config)
    }

    /// Checks what is left to check, then changes all parts; the checks come before the first change.
    pub fn apply(&self, config: Config) -> Result<(), Error> {
        let files = load_rule_files(&config.rule_files, &SyntaxOnly(self.engine.clone()))?;
        let Parts { db, scraping, evaluating, notifier, external_url } = &self.parts;
        let query_log = match &config.query_log_file {
            None => None,
            Some(path) => Some(QueryLog::open(path).map_err(|source| {
                let path = path.clone();
                OpenQueryLogError { path, source }
            })?),
        };
        // The last part of it that may fail: before it nothing has changed.
        db.set_out_of_order_window(config.out_of_order_time_window)?;
        db.set_float_encoding(config.float_encoding);
        self.state.query_log.write_to(query_log);
        *self.state.config.write() = Arc::new(config.clone());
        notifier.apply(config.notifier, config.external_labels.clone());
        scraping.apply(config.jobs);
        let context =
            ExpandContext { external_labels: config.external_labels, external_url: external_url.clone() };
        let evaluating = evaluating.clone();
        let apply =
            move || evaluating.apply(files, config.evaluation_interval, config.rule_query_offset, context);
        match &mut *self.rules.lock() {
            Rules::InForce => apply(),
            Rules::Waiting(waiting) => *waiting = Some(Box::new(apply)),
        }
        Ok(())
    }
}
