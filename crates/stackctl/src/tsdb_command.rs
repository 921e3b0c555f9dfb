//! `stackctl tsdb …`: looks at, copies out of and mends the folder of a metrics database.

mod dump;
mod listing;
mod print;
mod repair;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use model::Matcher;
use tsdb::analyze_block;

/// What promtool has as well.
#[derive(Debug, Subcommand)]
pub(crate) enum Reading {
    /// List the blocks: time range, samples, chunks, series and size of each.
    ///
    /// A block holds the samples of a stretch of time, two hours at first; older ones are merged into larger ones. Blocks that cannot be
    /// opened are named on standard error, and the command fails: `stackctl tsdb repair` shows what can be saved of them.
    List(List),
    /// Tell where the series of a block come from: which labels have most values, which come and go.
    ///
    /// "Churning" labels are those whose series do not last: the figure is how many times the whole block's time is missing. Few series
    /// that live long cost less than many that live shortly; a label with a high figure (a pod, a version, an id) is where to look.
    Analyze(Analyze),
    /// Print all samples as `{labels} value timestamp`, one a line, those in the write-ahead log too.
    ///
    /// Works on a copy in which blocks are links, so that a server may have the folder open meanwhile.
    Dump(Dump),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tsdb {
    #[command(flatten)]
    Reading(Reading),
    /// Find damage, and mend what can be mended. Without --write, only say what would be done.
    ///
    /// Reads every series and every chunk of all blocks, and all of the write-ahead log.
    ///
    /// A damaged block is written anew with the series and chunks that can be read, and gets a new index. The old one stays beside it as
    /// `<ULID>.damaged`, for you to remove. A block of which nothing can be read only gets that name.
    ///
    /// The log is cut where it is damaged. Unless that is the torn end of the last segment, the whole segment stays as `….corrupt`.
    ///
    /// What an earlier run left unfinished is removed.
    ///
    /// A server starts with any of this damage: it leaves out the blocks that it cannot open. Stop it before you use --write.
    Repair(Repair),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print times and sizes for people.
    #[arg(short = 'r', long)]
    human_readable: bool,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// How many items each list gets.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Only series that satisfy this selector, as `{job="node"}`.
    #[arg(long = "match", value_name = "SELECTOR")]
    selector: Option<String>,
    #[command(flatten)]
    folder: Folder,
    /// The block; by default the one made last.
    #[arg(value_name = "BLOCK ID")]
    block: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// The oldest time to print, milliseconds since 1970.
    #[arg(long, default_value_t = i64::MIN, allow_negative_numbers = true)]
    min_time: i64,
    /// The newest time to print, milliseconds since 1970.
    #[arg(long, default_value_t = i64::MAX, allow_negative_numbers = true)]
    max_time: i64,
    /// Only series that satisfy one of these selectors.
    #[arg(long = "match", value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Where the copy is made; by default the folder itself, where blocks take no room.
    #[arg(long, value_name = "FOLDER")]
    sandbox_dir_root: Option<PathBuf>,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// Do it.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
struct Folder {
    /// The data folder.
    #[arg(value_name = "DB PATH", default_value = "data/")]
    path: PathBuf,
}

/// Does it; whether all is well.
pub(crate) fn run(what: &Tsdb) -> anyhow::Result<bool> {
    match what {
        Tsdb::Reading(reading) => read(reading),
        Tsdb::Repair(Repair { write, folder }) => repair::run(&folder.path, *write),
    }
}

/// Does what promtool does as well; whether all is well.
pub(crate) fn read(what: &Reading) -> anyhow::Result<bool> {
    match what {
        Reading::List(List { human_readable, folder }) => listing::run(&folder.path, *human_readable),
        Reading::Analyze(Analyze { limit, selector, folder, block }) => {
            let matchers = selector.as_deref().map(matchers).transpose()?;
            let found = analyze_block(
                &folder.path,
                block.as_deref(),
                matchers.as_deref().unwrap_or_default(),
                *limit,
            )?;
            print!("{}", print::analysis(&found, selector.as_deref()));
            Ok(true)
        }
        Reading::Dump(dump) => dump::run(dump),
    }
}

fn matchers(selector: &str) -> anyhow::Result<Vec<Matcher>> {
    promql::syntax::parse_selector(selector).with_context(|| format!("cannot parse `{selector}`"))
}
