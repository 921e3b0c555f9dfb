//! Which blocks are to go: beyond what is to be kept, or replaced by others. Prometheus' rules.
//!
//! No clock is asked: how old a block is, the newest one says. So a wrong clock removes nothing by itself; only samples that came with
//! its time can, once they are in a block.

use std::{cmp::Reverse, collections::HashSet};

use model::Millis;

use crate::block::BlockMeta;

/// How much may be kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Retention {
    /// Milliseconds; 0 for no limit.
    pub(crate) time: Millis,
    /// Bytes of blocks and everything else; 0 for no limit.
    pub(crate) size: u64,
}

/// Why a block goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Time,
    Size,
    Replaced,
}

/// Bytes that may be kept: a share of the file system (percent, of `total` bytes) where one is set and known, else `size`.
pub(crate) fn size_limit(size: u64, percentage: f64, total: Option<u64>) -> u64 {
    match total {
        Some(total) if percentage > 0.0 => (total as f64 * percentage / 100.0) as u64,
        _ => size,
    }
}

/// The blocks that are to go, as positions in `blocks` (each with its size in bytes), and why. `other_bytes` count towards the size.
pub(crate) fn unwanted(
    blocks: &[(&BlockMeta, u64)],
    retention: Retention,
    other_bytes: u64,
) -> Vec<(usize, Reason)> {
    let replaced = replaced(blocks.iter().map(|(meta, _)| *meta));
    let mut newest_first: Vec<usize> = (0..blocks.len()).collect();
    newest_first.sort_by_key(|at| Reverse(blocks[*at].0.max_time));
    let newest = newest_first.first().map_or(0, |at| blocks[*at].0.max_time);
    let mut bytes = other_bytes;
    let mut unwanted = Vec::new();
    for at in newest_first {
        let (meta, size) = blocks[at];
        bytes = bytes.saturating_add(size);
        let reason = if meta.compaction.deletable || replaced.contains(meta.ulid.as_str()) {
            Reason::Replaced
        } else if retention.time > 0 && newest.saturating_sub(meta.max_time) >= retention.time {
            Reason::Time
        } else if retention.size > 0 && bytes > retention.size {
            Reason::Size
        } else {
            continue;
        };
        unwanted.push((at, reason));
    }
    unwanted
}

/// Names of the blocks that others were made of: a crash may have come between writing the one and removing the others.
pub(crate) fn replaced<'a>(blocks: impl Iterator<Item = &'a BlockMeta>) -> HashSet<&'a str> {
    blocks.flat_map(|meta| &meta.compaction.parents).map(|parent| parent.ulid.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockCompaction, BlockDescription, BlockStats};

    const DAY: Millis = 24 * 3_600_000;
    /// 2026-01-01.
    const NOW: Millis = 1_767_225_600_000;

    fn block(ulid: &str, max_time: Millis) -> BlockMeta {
        BlockMeta {
            ulid: ulid.to_owned(),
            min_time: max_time.saturating_sub(7_200_000),
            max_time,
            stats: BlockStats::default(),
            compaction: BlockCompaction::default(),
            version: 1,
        }
    }

    /// One line a case: the ends of blocks of 100 bytes, the limits, and the ends of the blocks that go, newest first.
    fn check(name: &str, ends: &[Millis], time: Millis, size: u64, want: &[(Millis, Reason)]) {
        let metas: Vec<_> = ends.iter().map(|end| block(&end.to_string(), *end)).collect();
        let blocks: Vec<_> = metas.iter().map(|meta| (meta, 100)).collect();
        let found = unwanted(&blocks, Retention { time, size }, 50);
        let found: Vec<_> = found.into_iter().map(|(at, reason)| (ends[at], reason)).collect();
        assert_eq!(found, want, "{name}");
    }

    #[test]
    fn the_oldest_go() {
        use Reason::{Size, Time};
        let days = [NOW - 20 * DAY, NOW - 15 * DAY, NOW - 15 * DAY + 1, NOW];
        check("no limit", &days, 0, 0, &[]);
        check("time", &days, 15 * DAY, 0, &[(NOW - 15 * DAY, Time), (NOW - 20 * DAY, Time)]);
        check("size, with what is not in blocks", &days, 0, 350, &[(NOW - 20 * DAY, Size)]);
        check("exactly the size", &days, 0, 450, &[]);
        check("both", &days, 20 * DAY, 250, &[(NOW - 15 * DAY, Size), (NOW - 20 * DAY, Time)]);
        check("size, to the last one", &[NOW], 0, 149, &[(NOW, Size)]);
        check("time never takes the last one", &[0], 1, 0, &[]);
        check("no block", &[], DAY, 1, &[]);
    }

    /// A clock that was wrong for a while leaves blocks in another century. What happens to the others is what Prometheus does.
    #[test]
    fn clocks_that_jump() {
        use Reason::Time;
        let future = NOW + 174 * 365 * DAY;
        check("no block of the wrong time, nothing goes", &[NOW - DAY, NOW], 15 * DAY, 0, &[]);
        check("a block of the past goes alone", &[0, NOW - DAY, NOW], 15 * DAY, 0, &[(0, Time)]);
        check("a block of the future is the newest", &[NOW, future], 15 * DAY, 0, &[(NOW, Time)]);
        check("extremes", &[Millis::MIN, Millis::MAX], 15 * DAY, 0, &[(Millis::MIN, Time)]);
    }

    #[test]
    fn what_others_were_made_of_goes_whatever_its_age() {
        let mut merged = block("merged", NOW);
        let parent = |ulid: &str| BlockDescription { ulid: ulid.to_owned(), min_time: 0, max_time: NOW };
        merged.compaction.parents = vec![parent("a"), parent("gone already")];
        let mut empty = block("empty", NOW + 1);
        empty.compaction.deletable = true;
        let (a, b) = (block("a", NOW), block("b", NOW));
        let blocks = [(&a, 1), (&b, 1), (&empty, 1), (&merged, 1)];
        let mut found = unwanted(&blocks, Retention::default(), 0);
        found.sort_by_key(|(at, _)| *at);
        assert_eq!(found, [(0, Reason::Replaced), (2, Reason::Replaced)]);
    }

    #[test]
    fn a_share_of_the_disk_comes_before_a_size() {
        assert_eq!(size_limit(7, 0.0, Some(1000)), 7);
        assert_eq!(size_limit(7, 12.5, Some(1000)), 125);
        assert_eq!(size_limit(7, 12.5, None), 7);
        assert_eq!(size_limit(0, 100.0, Some(u64::MAX)), u64::MAX);
    }
}
