//! `stackctl tsdb list`.

use std::path::Path;

use anyhow::Context;
use tsdb::{ListedBlock, list_blocks};

use super::print::{bytes, duration, table, time};

const HEADER: [&str; 8] =
    ["BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"];

pub(super) fn run(dir: &Path, human_readable: bool) -> anyhow::Result<bool> {
    let listing = list_blocks(dir).with_context(|| format!("cannot read `{}`", dir.display()))?;
    let mut rows = vec![HEADER.map(str::to_owned).to_vec()];
    rows.extend(listing.blocks.iter().map(|block| row(block, human_readable)));
    print!("{}", table(&rows));
    for block in &listing.unreadable {
        eprintln!("cannot open block `{}`: {}", block.dir.display(), block.reason);
    }
    Ok(listing.unreadable.is_empty())
}

fn row(ListedBlock { meta, size }: &ListedBlock, human_readable: bool) -> Vec<String> {
    let shown = |millis: i64| if human_readable { time(millis) } else { millis.to_string() };
    vec![
        meta.ulid.clone(),
        shown(meta.min_time),
        shown(meta.max_time),
        duration(meta.max_time.saturating_sub(meta.min_time)),
        meta.stats.num_samples.to_string(),
        meta.stats.num_chunks.to_string(),
        meta.stats.num_series.to_string(),
        if human_readable { bytes(*size) } else { size.to_string() },
    ]
}
