//! Where the series of a block come from: what `promtool tsdb analyze` tells.

use std::{
    cmp::Reverse,
    io,
    path::{Path, PathBuf},
};

use model::{METRIC_NAME, Matcher};
use rustc_hash::FxHashMap;

use crate::{
    BlockError, BlockMeta, Stat,
    block::{Block, IndexReader},
    blocks::block_dirs,
    query::matching,
};

/// Figures of one block. Lists begin with the largest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockAnalysis {
    /// What the block says about itself.
    pub meta: BlockMeta,
    /// Series that the figures are about.
    pub matched: u64,
    /// Number of label names.
    pub label_names: u64,
    /// Number of label pairs.
    pub label_pairs: u64,
    /// Labels of all series together.
    pub entries: u64,
    /// Label pairs by the time that their series do not last, in times of the block.
    pub churning_pairs: Vec<Stat>,
    /// Label names by the same.
    pub churning_names: Vec<Stat>,
    /// Label pairs by series.
    pub common_pairs: Vec<Stat>,
    /// Label names by the bytes of all their values.
    pub value_bytes: Vec<Stat>,
    /// Label names by the number of their values.
    pub value_counts: Vec<Stat>,
    /// Metric names by series.
    pub metric_names: Vec<Stat>,
}

/// Why a block could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The folder could not be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is none, or not the one that was asked for.
    #[error("no block {} in `{}`", .ulid.as_deref().unwrap_or("at all"), .path.display())]
    NoBlock {
        /// The block that was asked for.
        ulid: Option<String>,
        /// The folder.
        path: PathBuf,
    },
    /// The block could not be read.
    #[error("cannot read the block")]
    Block(#[from] BlockError),
}

/// Analyses the block `ulid` of the database in `dir`, or the one that was made last; of its series those that satisfy all matchers.
/// Lists get `limit` entries.
pub fn analyze_block(
    dir: &Path,
    ulid: Option<&str>,
    matchers: &[Matcher],
    limit: usize,
) -> Result<BlockAnalysis, AnalyzeError> {
    let dirs = block_dirs(dir).map_err(|source| AnalyzeError::Read { path: dir.to_owned(), source })?;
    let name_of = |dir: &Path| dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = match ulid {
        Some(ulid) => dirs.into_iter().find(|dir| name_of(dir) == ulid),
        // Names begin with the time at which a block was made.
        None => dirs.into_iter().next_back(),
    };
    let path =
        path.ok_or_else(|| AnalyzeError::NoBlock { ulid: ulid.map(str::to_owned), path: dir.to_owned() })?;
    let block = Block::open(&path)?;
    Ok(analyze(&block, matchers, limit)?)
}

fn analyze(block: &Block, matchers: &[Matcher], limit: usize) -> Result<BlockAnalysis, BlockError> {
    let (index, meta) = (block.index(), block.meta());
    let series = matching(index, matchers)?;
    let figures = Figures::count(index, meta, &series)?;
    let length = figures.length as f64;
    let in_blocks = |uncovered: u64| (uncovered as f64 / length) as u64;
    let pair_name = |(name, value)| Ok(format!("{}={}", index.symbol_text(name)?, index.symbol_text(value)?));
    let name = |symbol| index.symbol_text(symbol).map(str::to_owned);
    let pairs = || figures.pairs.iter();
    let names = || figures.names.iter();
    let mut metrics = Vec::new();
    for ((label, value), figures) in pairs() {
        if index.symbol_text(*label)? == METRIC_NAME {
            metrics.push((figures.series, *value));
        }
    }
    Ok(BlockAnalysis {
        meta: meta.clone(),
        matched: series.len() as u64,
        label_names: figures.names.len() as u64,
        label_pairs: figures.pairs.len() as u64,
        entries: pairs().map(|(_, figures)| figures.series).sum(),
        churning_pairs: largest(pairs().map(|(key, of)| (in_blocks(of.uncovered), *key)), limit, pair_name)?,
        churning_names: largest(names().map(|(key, of)| (in_blocks(of.uncovered), *key)), limit, name)?,
        common_pairs: largest(pairs().map(|(key, of)| (of.series, *key)), limit, pair_name)?,
        value_bytes: largest(names().map(|(key, of)| (of.value_bytes, *key)), limit, name)?,
        value_counts: largest(names().map(|(key, of)| (of.values, *key)), limit, name)?,
        metric_names: largest(metrics.into_iter(), limit, name)?,
    })
}

/// What is counted, by symbols.
struct Figures {
    /// Of the block, milliseconds.
    length: u64,
    pairs: FxHashMap<(u32, u32), PairFigures>,
    names: FxHashMap<u32, NameFigures>,
}

/// What is counted of a label pair.
#[derive(Default)]
struct PairFigures {
    series: u64,
    /// Milliseconds of the block that its series do not last, summed.
    uncovered: u64,
}

/// What is counted of a label name.
#[derive(Default)]
struct NameFigures {
    uncovered: u64,
    values: u64,
    value_bytes: u64,
}

// === impl Figures ===

impl Figures {
    fn count(index: &IndexReader, meta: &BlockMeta, series: &[u32]) -> Result<Self, BlockError> {
        let length = meta.max_time.wrapping_sub(meta.min_time) as u64;
        let mut pairs: FxHashMap<(u32, u32), PairFigures> = FxHashMap::default();
        let mut labels = Vec::new();
        let mut chunks = Vec::new();
        for number in series {
            chunks.clear();
            labels.clear();
            index.label_symbols(*number, &mut chunks, |label| labels.push(label))?;
            let covered = match (chunks.first(), chunks.last()) {
                (Some(first), Some(last)) => last.max_time.wrapping_sub(first.min_time) as u64,
                _ => 0,
            };
            for label in &labels {
                let figures = pairs.entry(*label).or_default();
                figures.series += 1;
                figures.uncovered = figures.uncovered.saturating_add(length.saturating_sub(covered));
            }
        }
        let mut names: FxHashMap<u32, NameFigures> = FxHashMap::default();
        for ((name, value), figures) in &pairs {
            let of_name = names.entry(*name).or_default();
            of_name.uncovered = of_name.uncovered.saturating_add(figures.uncovered);
            of_name.values += 1;
            of_name.value_bytes += index.symbol_text(*value)?.len() as u64;
        }
        Ok(Self { length, pairs, names })
    }
}

/// The largest figures with their names; equal ones by the order of their symbols, which is that of their texts.
fn largest<K: Ord + Copy>(
    figures: impl Iterator<Item = (u64, K)>,
    limit: usize,
    name: impl Fn(K) -> Result<String, BlockError>,
) -> Result<Vec<Stat>, BlockError> {
    let mut sorted: Vec<_> = figures.map(|(value, key)| (Reverse(value), key)).collect();
    sorted.sort_unstable();
    let first = sorted.into_iter().take(limit);
    first.map(|(Reverse(value), key)| Ok(Stat { name: name(key)?, value })).collect()
}
