//! `stackctl check …`: what promtool's `check` does, with our own parsers.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use service::report;

#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Check prometheus.yml files and the rule files that they name.
    Config {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Check rule files.
    Rules {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Prints what is right and what is wrong; whether all is right.
pub(crate) fn run(what: &Check) -> anyhow::Result<bool> {
    let mut good = true;
    match what {
        Check::Config { files } => {
            for file in files {
                good &= config(file);
            }
        }
        Check::Rules { files } => {
            for file in files {
                good &= rules(file);
            }
        }
    }
    Ok(good)
}

fn config(file: &Path) -> bool {
    match metricsd::check_config(file) {
        Err(error) => {
            println!("{}: FAILED\n  {}", file.display(), report(&error));
            false
        }
        Ok(checked) => {
            println!(
                "{}: SUCCESS, {} scrape jobs, {} rule files",
                file.display(),
                checked.jobs,
                checked.rule_files.len()
            );
            for warning in checked.warnings.iter() {
                println!("  warning: {warning}");
            }
            checked.rule_files.iter().fold(true, |good, file| rules(file) & good)
        }
    }
}

fn rules(file: &Path) -> bool {
    match metricsd::check_rules(file) {
        Err(error) => {
            println!("{}: FAILED\n  {}", file.display(), report(&error));
            false
        }
        Ok(contents) => {
            let rules: usize = contents.groups.iter().map(|group| group.rules.len()).sum();
            println!("{}: SUCCESS, {rules} rules found", file.display());
            true
        }
    }
}
