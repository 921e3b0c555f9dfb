//! What is left of damaged blocks.

use super::{old_indexes::block_of_version, *};

/// Each place of an index by its name.
fn places(index: &[u8]) -> Vec<(&'static str, usize)> {
    let toc = &index[index.len() - 52..];
    let section =
        |number: usize| u64::from_be_bytes(toc[number * 8..number * 8 + 8].try_into().unwrap()) as usize;
    vec![
        ("magic", 0),
        ("symbols", section(0) + 12),
        ("a series", section(1) + 16),
        ("a list", section(4) + 20),
        ("the table of lists", section(5) + 12),
        ("the table of contents", index.len() - 30),
    ]
}

fn damage(block: &Block, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = block.dir().join(file);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
}

/// What a block has that was written anew from what is left.
fn rebuilt(block: &Block) -> Option<(Block, BTreeMap<Labels, Samples>)> {
    let salvage = Salvage::open(block.dir());
    let new = salvage.rebuild(&(Arc::new(RealFs) as Arc<dyn Fs>)).unwrap()?;
    let again = Salvage::open(new.dir());
    assert!(again.problems().is_empty() && again.remains().is_whole(), "{:?}", again.problems());
    again.check_lists().unwrap();
    let querier = BlockQuerier::new(Arc::new(Block::open(new.dir()).unwrap()), Millis::MIN, Millis::MAX);
    let all = read(querier.select(&[], None).unwrap());
    Some((new, all))
}

#[test]
fn a_healthy_block_has_all_and_no_problem() {
    for version in 1..=3 {
        let dir = TempDir::new().unwrap();
        let block = block_of_version(&dir, version, &many());
        let salvage = Salvage::open(block.dir());
        let remains = salvage.remains();
        assert_eq!(
            (remains.series, remains.chunks, remains.samples),
            (300, 600, 12_000),
            "version {version}"
        );
        assert!(remains.is_whole() && salvage.problems().is_empty(), "version {version}: {remains:?}");
        salvage.check_lists().unwrap();
    }
}

#[test]
fn all_but_the_damaged_series_is_saved() {
    for version in 1..=3 {
        let all = many();
        let template = TempDir::new().unwrap();
        let block = block_of_version(&template, version, &all);
        for (place, at) in places(&fs::read(block.dir().join("index")).unwrap()) {
            let dir = TempDir::new().unwrap();
            let block = block_of_version(&dir, version, &all);
            damage(&block, "index", |index| index[at] ^= 0x40);
            let salvage = Salvage::open(block.dir());
            let is_known = !salvage.problems().is_empty()
                || !salvage.remains().is_whole()
                || salvage.check_lists().is_err();
            assert!(is_known, "version {version}: {place}");
            let Some((new, found)) = rebuilt(&block) else {
                assert_eq!(place, "symbols");
                continue;
            };
            let lost = usize::from(place == "a series");
            assert_eq!(found.len(), 300 - lost, "version {version}: {place}");
            assert_eq!(salvage.remains().lost_series, lost as u64, "version {version}: {place}");
            let want = flat(&all);
            assert!(found.iter().all(|(labels, samples)| want[labels] == *samples));
            let old = block.meta();
            assert_eq!((new.meta().min_time, new.meta().max_time), (old.min_time, old.max_time));
            assert_eq!(new.meta().compaction.sources, old.compaction.sources);
            assert_eq!(new.meta().compaction.parents[0].ulid, old.ulid);
        }
    }
}

#[test]
fn a_truncated_index_keeps_the_series_before_the_cut() {
    let all = many();
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &all).unwrap();
    let whole = fs::read(block.dir().join("index")).unwrap();
    let mut counts = Vec::new();
    for size in (0..whole.len()).step_by(whole.len() / 40) {
        damage(&block, "index", |index| *index = whole[..size].to_vec());
        let remains = Salvage::open(block.dir()).remains();
        assert_eq!(remains.series + remains.lost_series, 300, "cut at {size}");
        counts.push(remains.series);
    }
    assert!(counts.is_sorted() && counts[0] == 0 && counts.contains(&300), "{counts:?}");
}

#[test]
fn chunks_that_cannot_be_read_are_left_out() {
    let all = many();
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &all).unwrap();
    let segments = fs::read_dir(block.dir().join("chunks")).unwrap().count();
    damage(&block, "chunks/000001", |chunks| chunks[20] ^= 1);
    damage(&block, "chunks/000002", |chunks| chunks.truncate(chunks.len() / 2));
    damage(&block, "chunks/000003", |chunks| chunks[0] ^= 1);
    fs::remove_file(block.dir().join("chunks/000004")).unwrap();
    assert!(segments > 5);
    let remains = Salvage::open(block.dir()).remains();
    assert!(remains.lost_chunks > 0 && remains.lost_series > 0, "{remains:?}");
    let (_, found) = rebuilt(&block).unwrap();
    assert_eq!(found.len() as u64, remains.series);
    let want = flat(&all);
    for (labels, samples) in &found {
        assert!(samples.iter().all(|sample| want[labels].contains(sample)));
    }
    assert_eq!(found.values().map(Vec::len).sum::<usize>() as u64, remains.samples);
}

#[test]
fn a_lost_description_is_made_anew_and_deletions_move_along() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    let selector = [vec![Matcher::equal("instance", "host-007")]];
    let (block, _) = block.delete(&RealFs, &selector, 0, 10_000).unwrap().unwrap();
    fs::remove_file(block.dir().join("meta.json")).unwrap();
    // The first series goes, so that all others get new numbers.
    let start = places(&fs::read(block.dir().join("index")).unwrap())[2].1 - 16;
    damage(&block, "index", |index| index[start.next_multiple_of(16) + 3] ^= 1);
    let (new, found) = rebuilt(&block).unwrap();
    assert_eq!((new.meta().min_time, new.meta().max_time), (1, 39_001), "the lost one had the first");
    assert_eq!(new.meta().stats.num_tombstones, 1);
    assert_eq!(found.len(), 299);
    for (labels, samples) in found {
        let want = if labels.value("instance") == "host-007" { 30 } else { 40 };
        assert_eq!(samples.len(), want, "{labels}");
    }
}

#[test]
fn damaged_deletions_are_named() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    damage(&block, "tombstones", |bytes| bytes.push(0));
    let salvage = Salvage::open(block.dir());
    assert!(salvage.problems()[0].contains("what was deleted comes back"), "{:?}", salvage.problems());
    assert_eq!(rebuilt(&block).unwrap().1, flat(&many()));
}

/// Prometheus 2.1 wrote version 2 into the description and version 1 into the index.
#[test]
fn a_description_with_the_version_of_the_index_is_put_right() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    damage(&block, "index", |index| index[4] = 1);
    let text = fs::read_to_string(block.dir().join("meta.json")).unwrap();
    fs::write(block.dir().join("meta.json"), text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    Block::open(block.dir()).err().unwrap();
    let salvage = Salvage::open(block.dir());
    assert!(!salvage.is_from_later_version());
    assert_eq!(rebuilt(&block).unwrap().1, flat(&many()));
}

#[test]
fn what_a_later_version_wrote_is_no_damage() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    damage(&block, "index", |index| index[4] = 9);
    assert!(Salvage::open(block.dir()).is_from_later_version());
}

#[test]
fn chunks_of_a_kind_that_is_not_known_are_no_damage() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    damage(&block, "chunks/000001", |chunks| {
        // Behind the header: length, kind, data, checksum of the last two.
        let end = 10 + usize::from(chunks[8]);
        chunks[9] = 99;
        let checksum = crc32c::crc32c(&chunks[9..end]).to_be_bytes();
        chunks[end..end + 4].copy_from_slice(&checksum);
    });
    let remains = Salvage::open(block.dir()).remains();
    assert_eq!((remains.unknown_chunks, remains.lost_chunks), (1, 1));
}
