//! `stackctl promql …`: printing queries in canonical form, and running test scripts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use promql::{
    syntax::{ParserOptions, parse},
    testscript::{self, Outcome},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Promql {
    /// Print a query in canonical form.
    Format {
        /// The query.
        query: String,
    },
    /// Run test scripts in Prometheus' format (load, eval, expect).
    Test {
        /// The scripts.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Prints the outcome; whether all tests passed.
pub(crate) fn run(what: &Promql) -> anyhow::Result<bool> {
    match what {
        Promql::Format { query } => {
            println!("{}", parse(query, ParserOptions::all())?);
            Ok(true)
        }
        Promql::Test { files } => {
            let mut good = true;
            for file in files {
                good &= test(file)?;
            }
            Ok(good)
        }
    }
}

fn test(file: &Path) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let script = match testscript::parse(&text) {
        Ok(script) => script,
        Err(error) => bail!("{}: {error}", file.display()),
    };
    let mut failed = 0;
    let reports = testscript::run(&script);
    for case in &reports {
        let why = match &case.outcome {
            Outcome::Passed => continue,
            Outcome::Failed(why) => why.clone(),
            Outcome::NotSupported(what) => format!("not supported yet: {what}"),
        };
        failed += 1;
        println!("{}:{}: {}\n  {why}", file.display(), case.line, case.query);
    }
    println!("{}: {} passed, {failed} failed", file.display(), reports.len() - failed);
    Ok(failed == 0)
}
