//! Which blocks are to become one: small and young ones first, into ranges that grow threefold.

use model::Millis;

use crate::block::{BlockMeta, BlockStats, HINT_STALE_SERIES};

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
/// Blocks of stale series are planned by themselves, and only when nothing is due among the others: merged with them, they would no
/// longer be known for what they are (see [`BlockMeta::ends_in_order_samples`]).
pub(crate) fn plan(blocks: &[&BlockMeta], widths: &[Millis]) -> Vec<usize> {
    let (stale, others): (Vec<usize>, Vec<usize>) =
        (0..blocks.len()).partition(|at| blocks[*at].compaction.has_hint(HINT_STALE_SERIES));
    for class in [others, stale] {
        let members: Vec<&BlockMeta> = class.iter().map(|at| blocks[*at]).collect();
        let planned = plan_class(&members, widths);
        if !planned.is_empty() {
            return planned.into_iter().map(|at| class[at]).collect();
        }
    }
    Vec::new()
}

/// Overlapping blocks come first. Otherwise the newest block is left alone, since others may still join its range; of the others, those
/// are taken that fill a range or will get no more neighbours, and if there are none, one with many deletions.
fn plan_class(blocks: &[&BlockMeta], widths: &[Millis]) -> Vec<usize> {
    if let Some(run) = overlapping(blocks) {
        return run;
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

/// The first run of blocks that share time and of which none failed before. (Prometheus tries a failed run again in every round.)
fn overlapping(blocks: &[&BlockMeta]) -> Option<Vec<usize>> {
    let usable = |run: &Vec<usize>| run.len() > 1 && run.iter().all(|at| !blocks[*at].compaction.failed);
    let mut run: Vec<usize> = Vec::new();
    let mut end = Millis::MIN;
    for (at, block) in blocks.iter().enumerate() {
        if block.min_time >= end {
            if usable(&run) {
                return Some(run);
            }
            run.clear();
        }
        run.push(at);
        end = end.max(block.max_time);
    }
    Some(run).filter(usable)
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

/// The youngest block that should be written anew without what its deletions hide: a large one with many, or one of which nothing is
/// left.
///
/// Prometheus looks no further than to the youngest block that is too small; here older ones get their turn as well.
fn worth_cleaning(blocks: &[&BlockMeta], widths: &[Millis]) -> Option<usize> {
    let large = widths.get(widths.len() / 2).copied().unwrap_or(Millis::MAX);
    blocks.iter().rposition(|block| {
        let BlockStats { num_tombstones, num_series, .. } = block.stats;
        let share = num_tombstones as f64 / (num_series as f64 + 1.0);
        let is_large = block.max_time.saturating_sub(block.min_time) >= large;
        // One deletion a series: most likely of all its samples.
        let is_gone = num_tombstones > 0 && num_tombstones >= num_series;
        (is_gone || is_large && share > DELETED_SHARE) && !block.compaction.failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockCompaction;

    const WIDTHS: [Millis; 5] = [20, 60, 180, 540, 1620];

    /// A block, and by a short name what is special about it.
    fn block(min_time: Millis, max_time: Millis, special: &str) -> BlockMeta {
        let mut compaction = BlockCompaction::default();
        let mut num_tombstones = 0;
        let mut num_series = 10;
        match special {
            "" => {}
            "failed" => compaction.failed = true,
            "stale" => compaction.hints.push(HINT_STALE_SERIES.to_owned()),
            "some deleted" => num_tombstones = 3,
            "all deleted" => num_tombstones = 10,
            "empty" => num_series = 0,
            other => panic!("no {other} block"),
        }
        let stats = BlockStats { num_series, num_tombstones, ..BlockStats::default() };
        BlockMeta { ulid: String::new(), min_time, max_time, stats, compaction, version: 1 }
    }

    /// One line a case: blocks as `(start, end, what is special)` in order of their start, and the planned ones by their start and end.
    fn check(name: &str, blocks: &[(Millis, Millis, &str)], want: &[(Millis, Millis)]) {
        let metas: Vec<_> = blocks.iter().map(|(min, max, special)| block(*min, *max, special)).collect();
        let planned = plan(&metas.iter().collect::<Vec<_>>(), &WIDTHS);
        let planned: Vec<_> = planned.iter().map(|at| (metas[*at].min_time, metas[*at].max_time)).collect();
        assert_eq!(planned, want, "{name}: {blocks:?}");
    }

    fn check_plain(name: &str, blocks: &[(Millis, Millis)], want: &[(Millis, Millis)]) {
        let blocks: Vec<_> = blocks.iter().map(|(min, max)| (*min, *max, "")).collect();
        check(name, &blocks, want);
    }

    #[test]
    fn widths_grow_threefold_up_to_the_largest() {
        assert_eq!(widths(2, 60), [2, 6, 18, 54]);
        assert_eq!(widths(2, 1), [2]);
        assert_eq!(widths(1 << 60, Millis::MAX).len(), 2);
        // Two hours, and a tenth of Prometheus' 15 days: 2, 6 and 18 hours.
        assert_eq!(widths(2, 36), [2, 6, 18]);
        assert_eq!(widths(2, 31 * 24), [2, 6, 18, 54, 162, 486]);
    }

    #[test]
    fn full_ranges_are_merged_once_a_younger_block_is_there() {
        check_plain("none", &[], &[]);
        check_plain("one", &[(0, 20)], &[]);
        check_plain("the second is fresh", &[(0, 20), (20, 40)], &[]);
        check_plain("the third is fresh", &[(0, 20), (20, 40), (40, 60)], &[]);
        check_plain("full", &[(0, 20), (20, 40), (40, 60), (60, 80)], &[(0, 20), (20, 40), (40, 60)]);
        check_plain(
            "a gap, and nothing comes into it",
            &[(0, 20), (40, 60), (60, 80), (80, 100)],
            &[(0, 20), (40, 60)],
        );
        check_plain("the same without a settled younger block", &[(0, 20), (20, 40), (60, 80)], &[]);
        check_plain("alone in its range", &[(0, 20), (60, 80), (80, 100)], &[]);
        check_plain(
            "the next width",
            &[(0, 60), (60, 120), (120, 180), (180, 200)],
            &[(0, 60), (60, 120), (120, 180)],
        );
        check_plain(
            "small ones first",
            &[(0, 20), (20, 40), (40, 60), (60, 120), (120, 180)],
            &[(0, 20), (20, 40), (40, 60)],
        );
        check_plain(
            "different widths in one range",
            &[(20, 40), (60, 120), (120, 180), (720, 960), (960, 980)],
            &[(20, 40), (60, 120), (120, 180)],
        );
        check_plain(
            "what reaches beyond its range",
            &[(0, 360), (360, 420), (420, 540), (540, 560)],
            &[(360, 420), (420, 540)],
        );
        check_plain(
            "before 1970",
            &[(-60, -40), (-40, -20), (-20, 0), (0, 20)],
            &[(-60, -40), (-40, -20), (-20, 0)],
        );
        check_plain("the far future", &[(0, 20), (Millis::MAX - 10, Millis::MAX)], &[]);
    }

    #[test]
    fn overlapping_blocks_come_first() {
        check_plain("at the start", &[(0, 20), (19, 40), (40, 60)], &[(0, 20), (19, 40)]);
        check_plain("also the fresh one", &[(0, 20), (20, 40), (30, 50)], &[(20, 40), (30, 50)]);
        check_plain("a chain", &[(0, 20), (10, 40), (30, 50)], &[(0, 20), (10, 40), (30, 50)]);
        check_plain(
            "one over several",
            &[(0, 360), (340, 560), (360, 420), (420, 540)],
            &[(0, 360), (340, 560), (360, 420), (420, 540)],
        );
        check_plain("one run at a time", &[(0, 10), (9, 20), (30, 40), (39, 50)], &[(0, 10), (9, 20)]);
        check_plain("one within another", &[(0, 60), (20, 40), (60, 80)], &[(0, 60), (20, 40)]);
        check_plain("the same range twice", &[(0, 20), (0, 20)], &[(0, 20), (0, 20)]);
    }

    #[test]
    fn a_failed_block_is_left_alone_and_others_are_not() {
        check("full", &[(0, 20, ""), (20, 40, "failed"), (40, 60, ""), (60, 80, "")], &[]);
        check(
            "the next range",
            &[(0, 20, ""), (20, 40, "failed"), (60, 80, ""), (80, 100, ""), (100, 120, ""), (120, 140, "")],
            &[(60, 80), (80, 100), (100, 120)],
        );
        check(
            "the next overlap",
            &[(0, 10, "failed"), (9, 20, ""), (30, 40, ""), (39, 50, "")],
            &[(30, 40), (39, 50)],
        );
        check("deletions", &[(0, 540, "some deleted"), (540, 560, "")], &[(0, 540)]);
        check("deletions in a failed block", &[(0, 540, "failed"), (540, 560, "")], &[]);
    }

    #[test]
    fn a_block_with_many_deletions_is_written_anew() {
        check("nothing younger", &[(0, 540, "some deleted")], &[]);
        check("large", &[(0, 540, "some deleted"), (540, 560, "")], &[(0, 540)]);
        check("small", &[(0, 60, "some deleted"), (60, 80, "")], &[]);
        check("small, and all of it", &[(0, 60, "all deleted"), (60, 80, "")], &[(0, 60)]);
        check("behind a small one", &[(0, 540, "some deleted"), (540, 560, ""), (560, 580, "")], &[(0, 540)]);
        check("no series, no deletions", &[(0, 540, "empty"), (540, 560, "")], &[]);
        check(
            "merging comes first",
            &[(0, 540, "some deleted"), (540, 560, ""), (560, 580, ""), (580, 600, ""), (600, 620, "")],
            &[(540, 560), (560, 580), (580, 600)],
        );
    }

    #[test]
    fn blocks_of_stale_series_stay_among_themselves() {
        check(
            "the others first",
            &[(0, 20, ""), (0, 20, "stale"), (20, 40, ""), (40, 60, ""), (60, 80, "")],
            &[(0, 20), (20, 40), (40, 60)],
        );
        let stale = [(0, 20, "stale"), (20, 40, "stale"), (40, 60, "stale"), (60, 80, "stale")];
        check("only such", &stale, &[(0, 20), (20, 40), (40, 60)]);
        let mut with_other = stale.to_vec();
        with_other.insert(0, (0, 20, ""));
        check("nothing due among the others", &with_other, &[(0, 20), (20, 40), (40, 60)]);
    }
}
