//! Blocks written and read back, damaged, and in older versions of the format.

mod fuzz;
mod old_indexes;
mod salvage;

use std::{collections::BTreeMap, fs, sync::Arc};

use disk::{
    Fs, RealFs,
    fault::{Fault, FaultyFs},
};
use model::{Columns, Labels, Matcher, Millis};
use proptest::prelude::*;
use storage::{LabelQuery, Series};
use tempfile::TempDir;

use super::*;
use crate::{
    chunk::{Encoding, XorEncoder},
    encoding::put_uvarint,
    head::ClosedChunk,
    head_chunks::ChunkData,
    query::{Part, PostingsSource, matching},
};

type Samples = Vec<(Millis, f64)>;

fn chunk(samples: &[(Millis, f64)]) -> ClosedChunk {
    let mut encoder = XorEncoder::new();
    for (timestamp, value) in samples {
        encoder.append(*timestamp, *value);
    }
    ClosedChunk {
        min_time: samples[0].0,
        max_time: samples[samples.len() - 1].0,
        encoding: Encoding::Xor,
        data: ChunkData::Memory(encoder.bytes().into()),
    }
}

fn meta() -> BlockMeta {
    let ulid = new_ulid();
    BlockMeta {
        ulid: ulid.clone(),
        min_time: 0,
        max_time: 1_000_000,
        stats: BlockStats::default(),
        compaction: BlockCompaction { level: 1, sources: vec![ulid], ..BlockCompaction::default() },
        version: 1,
    }
}

fn texts(all: &BTreeMap<Labels, Vec<Samples>>) -> Texts<'_> {
    all.keys().flat_map(|labels| labels.iter()).flat_map(|(name, value)| [name, value]).collect()
}

fn write(dir: &TempDir, fs: Arc<dyn Fs>, all: &BTreeMap<Labels, Vec<Samples>>) -> Result<Block, BlockError> {
    let mut writer = BlockWriter::create(fs, dir.path(), meta(), texts(all))?;
    writer.set_segment_size(2000);
    for (labels, chunks) in all {
        let chunks: Vec<_> = chunks.iter().map(|samples| chunk(samples)).collect();
        let chunks: Vec<_> = chunks.iter().map(BlockChunk::closed).collect();
        writer.add_series(labels, &chunks)?;
    }
    writer.finish()
}

fn read(set: impl Iterator<Item = Result<Series, storage::QueryError>>) -> BTreeMap<Labels, Samples> {
    let mut all = BTreeMap::new();
    let mut last: Option<Labels> = None;
    for series in set {
        let mut series = series.unwrap();
        assert!(last.as_ref().is_none_or(|last| *last < series.labels), "sorted");
        let mut columns = Columns::default();
        series.samples.read(Millis::MIN, Millis::MAX, &mut columns).unwrap();
        all.insert(series.labels.clone(), columns.timestamps.into_iter().zip(columns.values).collect());
        last = Some(series.labels);
    }
    all
}

/// Enough series that symbols and the postings table are sampled.
fn many() -> BTreeMap<Labels, Vec<Samples>> {
    (0..300u32)
        .map(|number| {
            let name = format!("metric_{}", number % 7);
            let instance = format!("host-{number:03}");
            let labels =
                Labels::from_pairs([("__name__", name.as_str()), ("instance", &instance), ("job", "x")]);
            let first = (0..20).map(|i| (i * 1000 + i64::from(number), f64::from(number))).collect();
            let second = (20..40).map(|i| (i * 1000, i as f64)).collect();
            (labels, vec![first, second])
        })
        .collect()
}

fn flat(all: &BTreeMap<Labels, Vec<Samples>>) -> BTreeMap<Labels, Samples> {
    all.iter().map(|(labels, chunks)| (labels.clone(), chunks.concat())).collect()
}

#[test]
fn what_is_written_is_read() {
    let dir = TempDir::new().unwrap();
    let all = many();
    let block = Arc::new(write(&dir, Arc::new(RealFs), &all).unwrap());
    let stats = block.meta().stats;
    assert_eq!((stats.num_series, stats.num_chunks, stats.num_samples), (300, 600, 12_000));
    assert!(block.dir().join("chunks/000002").is_file(), "chunks go into as many files as they need");

    let querier = BlockQuerier::new(Arc::clone(&block), Millis::MIN, Millis::MAX);
    assert_eq!(read(querier.select(&[], None).unwrap()), flat(&all));
    let wanted = ["instance".to_owned(), "absent".to_owned()];
    let few: Vec<_> =
        querier.select(&[], Some(&wanted)).unwrap().map(|series| series.unwrap().labels).collect();
    let want: Vec<_> = all.keys().map(|labels| labels.filter(|name| name == "instance")).collect();
    assert_eq!(few, want, "labels that nobody looks at are left out, in the order of all");
    for number in [0, 1, 31, 32, 33, 299] {
        let host = format!("host-{number:03}");
        let found = read(querier.select(&[Matcher::equal("instance", &host)], None).unwrap());
        assert_eq!(found.len(), 1, "{host}");
    }
    for absent in ["", "host", "host-000a", "host-300", "zzz"] {
        let matcher = Matcher::equal("instance", absent);
        assert_eq!(read(querier.select(&[matcher], None).unwrap()).len(), 0, "{absent}");
    }
    let late = BlockQuerier::new(Arc::clone(&block), 38_000, Millis::MAX);
    let late = read(late.select(&[], None).unwrap());
    assert_eq!(late.len(), 300);
    assert_eq!(read(BlockQuerier::new(block, 39_001, 50_000).select(&[], None).unwrap()).len(), 0);
}

#[test]
fn names_and_values_are_known() {
    let dir = TempDir::new().unwrap();
    let block = Arc::new(write(&dir, Arc::new(RealFs), &many()).unwrap());
    let querier = BlockQuerier::new(block, Millis::MIN, Millis::MAX);
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts
    };
    let all = LabelQuery::default();
    assert_eq!(sorted(querier.label_names(&all).unwrap()), ["__name__", "instance", "job"]);
    assert_eq!(querier.label_values("instance", &all).unwrap().len(), 300);
    assert!(querier.label_values("absent", &all).unwrap().is_empty());
    let some = LabelQuery {
        selectors: vec![
            vec![Matcher::equal("instance", "host-003")],
            vec![Matcher::equal("instance", "host-011")],
        ],
        limit: 0,
    };
    assert_eq!(sorted(querier.label_values("__name__", &some).unwrap()), ["metric_3", "metric_4"]);
    assert_eq!(querier.label_names(&some).unwrap().len(), 3);
}

#[test]
fn files_begin_as_prometheus_expects() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    let index = fs::read(block.dir().join("index")).unwrap();
    assert_eq!(index[..5], [0xba, 0xaa, 0xd7, 0x00, 2]);
    let chunks = fs::read(block.dir().join("chunks/000001")).unwrap();
    assert_eq!(chunks[..8], [0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0]);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(block.dir().join("meta.json")).unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["compaction"]["sources"][0], json["ulid"]);
    assert_eq!(json["stats"]["numSeries"], 300);
    assert!(block.dir().join("tombstones").is_file());
}

#[test]
fn tombstones_hide_samples() {
    let dir = TempDir::new().unwrap();
    let all = many();
    let block = write(&dir, Arc::new(RealFs), &all).unwrap();
    let mut numbers = Vec::new();
    block.index.read(block.index.find("instance", "host-005").unwrap().unwrap(), &mut numbers).unwrap();
    let mut bytes = vec![0x01, 0x30, 0xba, 0x30, 1];
    put_uvarint(&mut bytes, u64::from(numbers[0]));
    bytes.extend_from_slice(&[0, 0xe0, 0xd4, 3]); // 0 … 30 000
    let checksum = crc32c::crc32c(&bytes[5..]);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    fs::write(block.dir().join("tombstones"), bytes).unwrap();
    let block = Arc::new(Block::open(block.dir()).unwrap());
    let found = read(
        BlockQuerier::new(block, 0, Millis::MAX)
            .select(&[Matcher::equal("instance", "host-005")], None)
            .unwrap(),
    );
    let times: Vec<_> = found.values().next().unwrap().iter().map(|(timestamp, _)| *timestamp).collect();
    assert_eq!(times, (31..40).map(|i| i * 1000).collect::<Vec<_>>());
}

#[test]
fn no_step_that_fails_leaves_half_a_block() {
    let all = many();
    for fault in
        [Fault::Create, Fault::Full { after: 100 }, Fault::Full { after: 9_000 }, Fault::Sync, Fault::Rename]
    {
        let dir = TempDir::new().unwrap();
        let faulty = FaultyFs::default();
        faulty.inject(fault);
        assert!(write(&dir, Arc::new(faulty), &all).is_err(), "{fault:?}");
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.iter().all(|path| disk::is_temporary(path)), "{fault:?}: {left:?}");
    }
}

#[test]
fn damage_is_named_and_never_a_panic() {
    let dir = TempDir::new().unwrap();
    let all: BTreeMap<_, _> = many().into_iter().take(40).collect();
    let block = write(&dir, Arc::new(RealFs), &all).unwrap();
    let want = flat(&all);
    for name in ["index", "chunks/000001", "meta.json"] {
        let path = block.dir().join(name);
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::remove_file(&path).unwrap();
            fs::write(&path, &damaged).unwrap();
            let Ok(block) = Block::open(block.dir()) else { continue };
            let querier = BlockQuerier::new(Arc::new(block), Millis::MIN, Millis::MAX);
            let Ok(set) = querier.select(&[], None) else { continue };
            for series in set {
                let Ok(mut series) = series else { break };
                let mut columns = Columns::default();
                if series.samples.read(Millis::MIN, Millis::MAX, &mut columns).is_ok() {
                    let samples: Samples = columns.timestamps.into_iter().zip(columns.values).collect();
                    assert_eq!(want.get(&series.labels), Some(&samples), "{name} byte {at}");
                }
            }
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, &whole).unwrap();
    }
}

/// The checksum of a long list is looked at once only, but not forgotten where it does not match.
#[test]
fn a_damaged_list_is_refused_each_time() {
    let dir = TempDir::new().unwrap();
    let series = (0..3000).map(|number| {
        let job = if number % 3 == 0 { "y" } else { "x" };
        let labels = Labels::from_pairs([("job", job.to_owned()), ("n", format!("{number:04}"))]);
        (labels, vec![vec![(0, 1.0)]])
    });
    let block = write(&dir, Arc::new(RealFs), &series.collect()).unwrap();
    let list = block.index.find("job", "x").unwrap().unwrap() as usize;
    let path = block.dir().join("index");
    let mut index = fs::read(&path).unwrap();
    index[list + 8 + 4 * 1500] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, &index).unwrap();
    let block = Block::open(block.dir()).unwrap();
    for _ in 0..2 {
        let found = |job| matching(&block.index, &[Matcher::equal("job", job)]);
        assert!(matches!(found("x"), Err(BlockError::Checksum { section: "postings", .. })));
        assert_eq!(found("y").unwrap().len(), 1000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_series_come_back(
        names in prop::collection::btree_set("[a-c]{1,3}", 1..60),
        length in 1usize..30,
    ) {
        let dir = TempDir::new().unwrap();
        let all: BTreeMap<_, _> = names
            .iter()
            .map(|name| {
                let labels = Labels::from_pairs([("__name__", name.as_str()), ("len", if name.len() > 1 { "long" } else { "" })]);
                let samples = (0..length as i64).map(|i| (i * 10, i as f64)).collect();
                (labels, vec![samples])
            })
            .collect();
        let block = Arc::new(write(&dir, Arc::new(RealFs), &all).unwrap());
        let querier = BlockQuerier::new(block, Millis::MIN, Millis::MAX);
        prop_assert_eq!(read(querier.select(&[], None).unwrap()), flat(&all));
        for name in &names {
            let found = read(querier.select(&[Matcher::equal("__name__", name)], None).unwrap());
            prop_assert_eq!(found.len(), 1);
        }
        let short = read(querier.select(&[Matcher::equal("len", "")], None).unwrap());
        prop_assert_eq!(short.len(), names.iter().filter(|name| name.len() == 1).count());
    }
}
