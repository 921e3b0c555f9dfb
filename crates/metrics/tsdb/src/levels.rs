//! Which blocks are to become one: small and young ones first, into ranges that grow threefold.

use model::Millis;

use crate::block::BlockMeta;

/// Widths grow by this factor.
const GROWTH: Millis = 3;
/// Most widths there are.
const MOST_WIDTHS: usize = 10;
/// A block is written anew when it has more deletions than this share of its series.
const DELETED_SHARE: f64 = 0.05;

/// The widths of blocks, ascending: `first`, three times that, and so on up to `most` (milliseconds).
pub(crate) fn widths(first: Millis, most: Millis) -> Vec<Millis> {
    std::iter::successors(Some(first.max(1)), |width| width.checked_mul(GROWTH))
        .take(MOST_WIDTHS)
        .enumerate()
        .take_while(|(level, width)| *level == 0 || *width <= most)
        .map(|(_, width)| width)
        .collect()
}

/// The next blocks to merge, as positions in `blocks`; empty when nothing is due. `blocks` are in order of their start.
///
/// Overlapping blocks come first. Otherwise the newest block is left alone, since others may still join its range; of the others, those
/// are taken that fill a range or will get no more neighbours.
pub(crate) fn plan(blocks: &[&BlockMeta], widths: &[Millis]) -> Vec<usize> {
    let overlapping = overlapping(blocks);
    if !overlapping.is_empty() {
        return overlapping;
    }
    let Some((_, settled)) = blocks.split_last() else {
        return Vec::new();
    };
    for width in widths.iter().skip(1) {
        if let Some(found) = in_one_range(settled, *width) {
            return found;
        }
    }
    worth_cleaning(settled, widths).into_iter().collect()
}

/// The first run of blocks that share time.
fn overlapping(blocks: &[&BlockMeta]) -> Vec<usize> {
    let mut run: Vec<usize> = Vec::new();
    let mut end = Millis::MIN;
    for (at, block) in blocks.iter().enumerate() {
        if block.min_time < end {
            run.push(at);
        } else if run.len() > 1 {
            break;
        } else {
            run = vec![at];
        }
        end = end.max(block.max_time);
    }
    let usable = run.len() > 1 && run.iter().all(|at| !blocks[*at].compaction.failed);
    if usable { run } else { Vec::new() }
}

/// The first blocks that lie in one aligned range of `width` and fill it, or lie before the youngest of all.
fn in_one_range(blocks: &[&BlockMeta], width: Millis) -> Option<Vec<usize>> {
    let youngest = blocks.last()?.min_time;
    let range_of = |block: &BlockMeta| {
        let start = block.min_time.div_euclid(width);
        // A block that reaches beyond its range belongs to none.
        (block.max_time <= start.saturating_add(1).saturating_mul(width)).then_some(start)
    };
    let positions: Vec<usize> = (0..blocks.len()).filter(|at| range_of(blocks[*at]).is_some()).collect();
    positions
        .chunk_by(|a, b| range_of(blocks[*a]) == range_of(blocks[*b]))
        .find(|part| {
            let members = || part.iter().map(|at| blocks[*at]);
            let start = members().map(|block| block.min_time).min().unwrap_or_default();
            let end = members().map(|block| block.max_time).max().unwrap_or_default();
            let settled = end.saturating_sub(start) == width || end <= youngest;
            part.len() > 1 && settled && members().all(|block| !block.compaction.failed)
        })
        .map(<[usize]>::to_vec)
}

/// A large block with so many deletions that it should be written anew without what they hide.
fn worth_cleaning(blocks: &[&BlockMeta], widths: &[Millis]) -> Option<usize> {
    let large = widths.get(widths.len() / 2).copied().unwrap_or(Millis::MAX);
    blocks.iter().rposition(|block| {
        let stats = block.stats;
        let share = stats.num_tombstones as f64 / (stats.num_series as f64 + 1.0);
        block.max_time.saturating_sub(block.min_time) >= large
            && share > DELETED_SHARE
            && !block.compaction.failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockCompaction, BlockStats};

    fn block(min_time: Millis, max_time: Millis) -> BlockMeta {
        BlockMeta {
            ulid: String::new(),
            min_time,
            max_time,
            stats: BlockStats { num_series: 10, ..BlockStats::default() },
            compaction: BlockCompaction::default(),
            version: 1,
        }
    }

    fn check(ranges: &[(Millis, Millis)], want: &[usize]) {
        let blocks: Vec<_> = ranges.iter().map(|(min, max)| block(*min, *max)).collect();
        let blocks: Vec<_> = blocks.iter().collect();
        assert_eq!(plan(&blocks, &[20, 60, 180]), want, "{ranges:?}");
    }

    #[test]
    fn widths_grow_threefold_up_to_the_largest() {
        assert_eq!(widths(2, 60), [2, 6, 18, 54]);
        assert_eq!(widths(2, 1), [2]);
        assert_eq!(widths(1 << 60, Millis::MAX).len(), 2);
    }

    #[test]
    fn full_ranges_are_merged_once_a_younger_block_is_there() {
        check(&[], &[]);
        check(&[(0, 20)], &[]);
        check(&[(0, 20), (20, 40)], &[]);
        check(&[(0, 20), (20, 40), (40, 60)], &[]);
        check(&[(0, 20), (20, 40), (40, 60), (60, 80)], &[0, 1, 2]);
        // With a gap, but nothing can come into it any more.
        check(&[(0, 20), (40, 60), (60, 80), (80, 100)], &[0, 1]);
        check(&[(0, 20), (60, 80), (80, 100)], &[]);
        check(&[(0, 60), (60, 120), (120, 180), (180, 200)], &[0, 1, 2]);
        check(&[(0, 60), (60, 80), (80, 100), (100, 120), (120, 140)], &[1, 2, 3]);
        check(&[(0, 60), (60, 120), (120, 140), (140, 160)], &[]);
    }

    #[test]
    fn overlapping_blocks_come_first() {
        check(&[(0, 20), (20, 40), (19, 39), (40, 60)], &[1, 2]);
        check(&[(0, 20), (10, 30), (25, 40), (40, 60)], &[0, 1, 2]);
    }

    #[test]
    fn a_failed_block_is_left_alone() {
        let mut blocks = [block(0, 20), block(20, 40), block(40, 60), block(60, 80)];
        blocks[1].compaction.failed = true;
        assert!(plan(&blocks.iter().collect::<Vec<_>>(), &[20, 60]).is_empty());
    }

    #[test]
    fn a_large_block_with_many_deletions_is_written_anew() {
        let mut blocks = [block(0, 60), block(60, 120), block(120, 140)];
        blocks[0].stats.num_tombstones = 3;
        assert_eq!(plan(&blocks.iter().collect::<Vec<_>>(), &[20, 60]), [0]);
    }
}
