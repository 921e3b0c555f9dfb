//! Every way to find series gives what looking at each of them would: in the head, and in a block.

mod cost;

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use disk::RealFs;
use model::{Labels, MatchOp, Matcher};
use proptest::prelude::*;
use storage::LabelQuery;
use tempfile::TempDir;

use super::{PostingsSource, label_query::label_values, matching};
use crate::{
    block::{Block, BlockChunk, BlockCompaction, BlockMeta, BlockStats, BlockWriter, new_ulid},
    chunk::{Encoding, XorEncoder},
    head::{HeadIndex, MemSeries},
};

/// Series as they come; `n` is each one's own.
fn fleet(seed: u32, count: usize) -> Vec<Labels> {
    let mut state = seed;
    let mut pick = |values: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % values
    };
    (0..count)
        .map(|number| {
            let few = ["", "x", "y", "xy", "x1", "x2", "long value"][pick(7) as usize];
            let some = pick(60);
            Labels::from_pairs([
                ("few", few.to_owned()),
                ("most", if pick(50) == 0 { String::new() } else { "x".to_owned() }),
                ("runs", format!("x{}", number / 300)),
                ("some", if some < 10 { String::new() } else { format!("x{some}") }),
                ("all", "x".to_owned()),
                ("n", format!("x{number}")),
            ])
        })
        .collect()
}

fn head_of(series: &[Labels]) -> HeadIndex {
    let mut index = HeadIndex::default();
    for (number, labels) in series.iter().enumerate() {
        index.insert(Arc::new(MemSeries::new(number as u64, labels.clone())));
    }
    index
}

/// Writes series that are sorted.
fn block_of(dir: &TempDir, series: &[Labels]) -> Block {
    let ulid = new_ulid();
    let meta = BlockMeta {
        ulid: ulid.clone(),
        min_time: 0,
        max_time: 1_000,
        stats: BlockStats::default(),
        compaction: BlockCompaction { level: 1, sources: vec![ulid], ..BlockCompaction::default() },
        version: 1,
    };
    let texts = series.iter().flat_map(|labels| labels.iter()).flat_map(|(name, value)| [name, value]);
    let mut writer = BlockWriter::create(Arc::new(RealFs), dir.path(), meta, texts.collect()).unwrap();
    let mut encoder = XorEncoder::new();
    encoder.append(1, 1.0);
    for labels in series {
        let chunk = BlockChunk::encoded(1, 1, Encoding::Xor, encoder.bytes().to_vec());
        writer.add_series(labels, &[chunk]).unwrap();
    }
    writer.finish().unwrap()
}

/// `series` are those of the source in its order.
fn check<S: PostingsSource>(source: &S, series: &[Labels], selector: &[Matcher]) -> Result<(), TestCaseError>
where
    S::Error: Debug,
{
    let satisfies =
        |labels: &Labels| selector.iter().all(|matcher| matcher.matches(labels.value(matcher.name())));
    let numbers = matching(source, &[]).unwrap();
    prop_assert_eq!(numbers.len(), series.len());
    let want = numbers.iter().zip(series).filter(|(_, labels)| satisfies(labels));
    let (want, labels): (Vec<u32>, Vec<&Labels>) = want.unzip();
    prop_assert_eq!(matching(source, selector).unwrap(), want, "{:?}", selector);
    let query = LabelQuery { selectors: vec![selector.to_vec()], limit: 0 };
    let values: BTreeSet<_> = label_values(source, "some", &query).unwrap().into_iter().collect();
    let want: BTreeSet<_> =
        labels.iter().filter_map(|labels| labels.get("some")).map(str::to_owned).collect();
    prop_assert_eq!(values, want, "{:?}", selector);
    Ok(())
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let op = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
    let text = prop::sample::select(vec![
        "",
        "x",
        "nothing",
        "x|y",
        "x.*",
        ".*",
        ".+",
        "x[0-9]",
        "(x|)",
        "|",
        ".*1",
        "x|",
        "xy?",
        "x1",
        "x17",
        "x1|x2|x33",
        "x3.*",
        "x.+7",
        "y.*|x4.*",
        "nothing.*",
        "x|x",
    ]);
    let name = prop::sample::select(vec!["few", "most", "runs", "some", "all", "n", "absent"]);
    (op, name, text).prop_map(|(op, name, text)| Matcher::new(op, name, text).expect("a valid expression"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lists_find_what_a_scan_finds(
        seed in any::<u32>(),
        count in prop_oneof![0usize..60, 1000usize..2500],
        selectors in prop::collection::vec(prop::collection::vec(matcher(), 0..5), 20),
    ) {
        let mut series = fleet(seed, count);
        let head = head_of(&series);
        for selector in &selectors {
            check(&head, &series, selector)?;
        }
        series.sort();
        let dir = TempDir::new().unwrap();
        let block = block_of(&dir, &series);
        for selector in &selectors {
            check(block.index(), &series, selector)?;
        }
    }
}

/// Several threads make the lists then, and compress them.
#[test]
fn series_that_come_at_once_are_found_as_well() {
    let series = fleet(7, 12_000);
    let (first, rest) = series.split_at(1000);
    let mut head = head_of(first);
    head.insert_all(rest.iter().map(|labels| Arc::new(MemSeries::new(0, labels.clone()))).collect());
    for (name, value) in [("all", "x"), ("few", "xy"), ("runs", "x3"), ("some", "x17"), ("n", "x11999")] {
        check(&head, &series, &[Matcher::equal(name, value)]).unwrap();
        check(&head, &series, &[Matcher::new(MatchOp::NotEqual, name, value).unwrap()]).unwrap();
    }
}
