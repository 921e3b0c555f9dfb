//! Whatever is in the files of a block: no panic, and an end. Checksums are made to match, so that the decoders behind them are reached.

use std::sync::LazyLock;

use super::{old_indexes::block_of_version, *};
use crate::{
    block::{
        chunk_segments::ChunkSegments, index_format::Toc, index_reader::IndexReader, tombstones::Tombstones,
    },
    merge_blocks::merge_blocks,
};

/// Changes of some bytes: where (as a share of the file) and to what.
type Edits = Vec<(prop::sample::Index, u8)>;

fn edits() -> impl Strategy<Value = Edits> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    prop::collection::vec((any::<prop::sample::Index>(), byte), 1..6)
}

fn edit(bytes: &mut [u8], edits: &Edits) {
    for (at, byte) in edits {
        if !bytes.is_empty() {
            bytes[at.index(bytes.len())] = *byte;
        }
    }
}

/// Small blocks with indexes of each version, made once; tests work on copies.
static TEMPLATES: LazyLock<Vec<(TempDir, std::path::PathBuf)>> = LazyLock::new(|| {
    let some: BTreeMap<_, _> = many().into_iter().step_by(7).collect();
    let template = |version| {
        let dir = TempDir::new().unwrap();
        let path = block_of_version(&dir, version, &some).dir().to_owned();
        (dir, path)
    };
    (1..=3).map(template).collect()
});

/// A copy of a template with a file changed.
fn changed(version: usize, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> (TempDir, std::path::PathBuf) {
    let source = &TEMPLATES[version - 1].1;
    let dir = TempDir::new().unwrap();
    let target = dir.path().join(source.file_name().unwrap());
    fs::create_dir_all(target.join("chunks")).unwrap();
    for folder in ["", "chunks"] {
        for entry in fs::read_dir(source.join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), target.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let mut bytes = fs::read(target.join(file)).unwrap();
    change(&mut bytes);
    fs::remove_file(target.join(file)).unwrap();
    fs::write(target.join(file), bytes).unwrap();
    (dir, target)
}

/// Does with a block whatever one can do with it.
fn use_block(dir: &std::path::Path) {
    let salvage = Salvage::open(dir);
    let _ = (salvage.remains(), salvage.check_lists());
    let Ok(block) = Block::open(dir) else {
        return;
    };
    let block = Arc::new(block);
    use_index(&block.index);
    let querier = BlockQuerier::new(Arc::clone(&block), 0, Millis::MAX);
    let selectors = [
        vec![],
        vec![Matcher::equal("instance", "host-007")],
        vec![Matcher::new(model::MatchOp::Regex, "instance", "host.*1").unwrap()],
        vec![Matcher::equal("job", "")],
    ];
    let mut columns = Columns::default();
    for selector in &selectors {
        for mut series in querier.select(selector, None).into_iter().flatten().flatten() {
            columns.clear();
            let _ = series.samples.read(Millis::MIN, Millis::MAX, &mut columns);
        }
    }
    let query = LabelQuery { selectors: selectors[1..2].to_vec(), limit: 0 };
    let _ = (querier.label_names(&query), querier.label_values("instance", &query));
    let target = TempDir::new().unwrap();
    let _ = merge_blocks(&[block], &(Arc::new(RealFs) as Arc<dyn Fs>), target.path());
}

fn use_index(index: &IndexReader) {
    let mut numbers = index.all().unwrap_or_default();
    let _ = index.each_symbol(|_| {});
    let names: Vec<String> = index.label_names().map(str::to_owned).collect();
    for name in &names {
        let mut lists = Vec::new();
        let _ = index.values(name, "", &mut |value, list| lists.push((value.to_owned(), list)));
        for (value, list) in lists {
            let _ = index.find(name, &value);
            let _ = index.read(list, &mut numbers);
        }
        let _ = index.find(name, "zzz");
    }
    numbers.truncate(1000);
    for number in numbers.into_iter().chain([0, 1, 5, u32::MAX]) {
        let mut chunks = Vec::new();
        let _ = index.series(number, &mut Default::default(), &mut chunks);
        let _ = index.label_symbols(number, &mut chunks, |_| {});
        let _ = index.values_of(&[number], "instance", &mut |_| {});
        let _ = index.symbol_text(number);
    }
}

fn toc(index: &[u8]) -> Toc {
    Toc::decode(&index[index.len() - 52..]).unwrap().unwrap()
}

/// Changes the content of the section at `offset` and makes its checksum match.
fn change_section(index: &mut [u8], offset: usize, change: impl FnOnce(&mut [u8])) {
    let size = u32::from_be_bytes(index[offset..offset + 4].try_into().unwrap()) as usize;
    let (start, end) = (offset + 4, offset + 4 + size);
    change(&mut index[start..end]);
    let checksum = crc32c::crc32c(&index[start..end]).to_be_bytes();
    index[end..end + 4].copy_from_slice(&checksum);
}

/// Where the content of each series is.
fn series_contents(version: usize, index: &[u8]) -> Vec<(usize, usize)> {
    let toc = toc(index);
    let behind = if toc.label_indices > toc.series { toc.label_indices } else { toc.postings } as usize;
    let mut at = toc.series as usize;
    let mut contents = Vec::new();
    loop {
        if version != 1 {
            at = at.next_multiple_of(16);
        }
        if at + 8 > behind {
            return contents;
        }
        // No series of these is longer than 127 bytes.
        let size = usize::from(index[at]);
        contents.push((at + 1, at + 1 + size));
        at += 1 + size + 4;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_instead_of_an_index(bytes in prop::collection::vec(any::<u8>(), 0..400), version in 0u8..5) {
        let (_dir, path) = changed(2, "index", |index| {
            *index = [&[0xba, 0xaa, 0xd7, 0x00, version], bytes.as_slice()].concat();
        });
        use_block(&path);
    }

    #[test]
    fn an_index_with_other_bytes(version in 1usize..=3, edits in edits()) {
        let (_dir, path) = changed(version, "index", |index| edit(index, &edits));
        use_block(&path);
    }

    #[test]
    fn an_index_that_is_cut(version in 1usize..=3, at in any::<prop::sample::Index>()) {
        let (_dir, path) = changed(version, "index", |index| index.truncate(at.index(index.len())));
        use_block(&path);
    }

    #[test]
    fn sections_with_other_bytes_and_right_checksums(
        version in 1usize..=3,
        section in 0usize..4,
        edits in edits(),
        near_start in any::<bool>(),
    ) {
        let (_dir, path) = changed(version, "index", |index| {
            let toc = toc(index);
            // In version 1 the first list is not that of all series.
            let offset = [toc.symbols, toc.postings, toc.postings_table, toc.label_indices_table][section];
            change_section(index, offset as usize, |content| {
                // Counts are at the start.
                let size = if near_start { content.len().min(24) } else { content.len() };
                edit(&mut content[..size], &edits);
            });
        });
        use_block(&path);
    }

    #[test]
    fn series_with_other_bytes_and_right_checksums(
        version in 1usize..=3,
        series in any::<prop::sample::Index>(),
        edits in edits(),
    ) {
        let (_dir, path) = changed(version, "index", |index| {
            let (start, end) = *series.get(&series_contents(version, index));
            edit(&mut index[start..end], &edits);
            let checksum = crc32c::crc32c(&index[start..end]).to_be_bytes();
            index[end..end + 4].copy_from_slice(&checksum);
        });
        use_block(&path);
    }

    #[test]
    fn a_table_of_contents_that_points_anywhere(
        version in 1usize..=3,
        section in 0usize..6,
        offset in prop_oneof![Just(0), Just(5), Just(u64::MAX), 0u64..9000, any::<u64>()],
    ) {
        let (_dir, path) = changed(version, "index", |index| {
            let mut toc = toc(index);
            let sections = [
                &mut toc.symbols,
                &mut toc.series,
                &mut toc.label_indices,
                &mut toc.label_indices_table,
                &mut toc.postings,
                &mut toc.postings_table,
            ];
            *sections.into_iter().nth(section).unwrap() = offset;
            let start = index.len() - 52;
            index.splice(start.., toc.encode());
        });
        use_block(&path);
    }

    #[test]
    fn chunks_with_other_bytes(edits in edits(), with_checksum in any::<bool>()) {
        let (_dir, path) = changed(2, "chunks/000001", |chunks| {
            edit(chunks, &edits);
            if with_checksum {
                // The first chunk, as long as its length says.
                let end = 8 + 1 + 1 + usize::from(chunks[8] & 0x7f);
                if let Some(content) = chunks.get(9..end) {
                    let checksum = crc32c::crc32c(content).to_be_bytes();
                    if let Some(place) = chunks.get_mut(end..end + 4) {
                        place.copy_from_slice(&checksum);
                    }
                }
            }
        });
        use_block(&path);
    }

    #[test]
    fn any_segment_of_chunks(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        references in prop::collection::vec(any::<u64>(), 0..20),
        header in any::<bool>(),
    ) {
        let dir = TempDir::new().unwrap();
        let head: &[u8] = if header { &[0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0] } else { &[] };
        fs::write(dir.path().join("000001"), [head, bytes.as_slice()].concat()).unwrap();
        let (readable, _) = ChunkSegments::open_readable(dir.path());
        for segments in ChunkSegments::open(dir.path()).into_iter().chain([readable]) {
            for reference in references.iter().copied().chain(0..220) {
                let _ = segments.chunk(reference);
            }
        }
    }

    #[test]
    fn any_description(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), Just(b"[".repeat(10_000))],
        edits in edits(),
        mutate in any::<bool>(),
    ) {
        let (_dir, path) = changed(2, "meta.json", |meta| {
            if mutate {
                edit(meta, &edits);
            } else {
                *meta = bytes;
            }
        });
        use_block(&path);
    }

    #[test]
    fn any_deletions(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (_dir, path) = changed(2, "tombstones", |stones| {
            *stones = vec![0x01, 0x30, 0xba, 0x30, 1];
            stones.extend_from_slice(&bytes);
            stones.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        });
        use_block(&path);
        let _ = Tombstones::read(&path.join("tombstones")).map(|stones| stones.count());
    }
}
