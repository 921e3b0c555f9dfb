//! Checking files without running anything: for the command line.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use config::{SourceFile, Warnings};
use promql::{Engine, EngineOptions, syntax::ParserOptions};
use rules::{RuleFile, RuleFileError, parse_rule_file};

use crate::{Config, LoadError, evaluator::SyntaxOnly};

/// What a good configuration says.
#[derive(Debug)]
pub struct Checked {
    /// Keys that have no effect.
    pub warnings: Warnings,
    /// The rule files that it names.
    pub rule_files: Vec<PathBuf>,
    /// Number of scrape jobs.
    pub jobs: usize,
}

/// Checks a `prometheus.yml`, without the rule files that it names.
pub fn check_config(path: &Path) -> Result<Checked, LoadError> {
    let config = Config::load(path)?;
    Ok(Checked { warnings: config.warnings, rule_files: config.rule_files, jobs: config.jobs.len() })
}

/// Checks a rule file with everything in it.
pub fn check_rules(path: &Path) -> Result<RuleFile, RuleFileError> {
    let options = EngineOptions { syntax: ParserOptions::all(), ..EngineOptions::default() };
    let engine = Engine::new(options, &mut prometheus_client::registry::Registry::default());
    parse_rule_file(&SourceFile::read(path)?, &SyntaxOnly(Arc::new(engine)))
}
