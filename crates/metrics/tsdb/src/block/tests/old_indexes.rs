//! Indexes of versions that are read and not written, made by a writer of their own.
//!
//! Version 1: symbols and series are named by their offsets, series are not aligned, the table of lists is in no order. Version 3 is
//! version 2 with room for other kinds of lists; what there is of it has the same. Both carry sections that nobody reads any more.

use super::*;
use crate::{
    block::index_format::{HEADER, Toc},
    encoding::{put_str, put_varint},
    merge_blocks::merge_blocks,
};

type IndexedSeries = (Labels, Vec<ChunkMeta>);

/// Bytes of an index file, section by section.
pub(super) struct OldIndex {
    version: u8,
    pub(super) file: Vec<u8>,
    toc: Toc,
    symbols: BTreeMap<String, u64>,
    /// Series by their number.
    series: Vec<(u32, Labels)>,
}

impl OldIndex {
    pub(super) fn write(version: u8, series: &[IndexedSeries]) -> Vec<u8> {
        let mut file = vec![0xba, 0xaa, 0xd7, 0x00, version];
        file.reserve(1 << 16);
        let mut index =
            Self { version, file, toc: Toc::default(), symbols: BTreeMap::new(), series: Vec::new() };
        index.write_symbols(series);
        index.write_series(series);
        index.write_label_indices();
        index.write_postings();
        let toc = index.toc.encode();
        index.file.extend_from_slice(&toc);
        index.file
    }

    /// A section behind its length, with its checksum.
    fn section(&mut self, content: &[u8]) -> u64 {
        let start = self.file.len() as u64;
        self.file.extend_from_slice(&(content.len() as u32).to_be_bytes());
        self.file.extend_from_slice(content);
        self.file.extend_from_slice(&crc32c::crc32c(content).to_be_bytes());
        start
    }

    fn align(&mut self, alignment: usize) {
        if self.version != 1 {
            self.file.resize(self.file.len().next_multiple_of(alignment), 0);
        }
    }

    fn write_symbols(&mut self, series: &[IndexedSeries]) {
        let texts =
            series.iter().flat_map(|(labels, _)| labels.iter()).flat_map(|(name, value)| [name, value]);
        self.symbols = texts.map(|text| (text.to_owned(), 0)).collect();
        let mut content = (self.symbols.len() as u32).to_be_bytes().to_vec();
        for (number, (text, symbol)) in self.symbols.iter_mut().enumerate() {
            *symbol = if self.version == 1 { (HEADER + 4 + content.len()) as u64 } else { number as u64 };
            put_str(&mut content, text);
        }
        self.toc.symbols = self.section(&content);
    }

    fn write_series(&mut self, series: &[IndexedSeries]) {
        self.align(16);
        self.toc.series = self.file.len() as u64;
        for (labels, chunks) in series {
            self.align(16);
            let at = self.file.len();
            let number = if self.version == 1 { at } else { at / 16 };
            self.series.push((number as u32, labels.clone()));
            let mut entry = Vec::new();
            put_uvarint(&mut entry, labels.len() as u64);
            for (name, value) in labels.iter() {
                put_uvarint(&mut entry, self.symbols[name]);
                put_uvarint(&mut entry, self.symbols[value]);
            }
            put_uvarint(&mut entry, chunks.len() as u64);
            let mut last = None;
            for chunk in chunks {
                match last {
                    None => put_varint(&mut entry, chunk.min_time),
                    Some((end, _)) => put_uvarint(&mut entry, (chunk.min_time - end) as u64),
                }
                put_uvarint(&mut entry, (chunk.max_time - chunk.min_time) as u64);
                match last {
                    None => put_uvarint(&mut entry, chunk.reference),
                    Some((_, before)) => put_varint(&mut entry, chunk.reference.wrapping_sub(before) as i64),
                }
                last = Some((chunk.max_time, chunk.reference));
            }
            put_uvarint(&mut self.file, entry.len() as u64);
            self.file.extend_from_slice(&entry);
            self.file.extend_from_slice(&crc32c::crc32c(&entry).to_be_bytes());
        }
    }

    /// The values of each name, and where they are; nobody has read them since version 2.
    fn write_label_indices(&mut self) {
        let mut values: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (_, labels) in &self.series {
            for (name, value) in labels.iter() {
                values.entry(name.to_owned()).or_default().push(self.symbols[value]);
            }
        }
        self.align(4);
        self.toc.label_indices = self.file.len() as u64;
        let mut table = (values.len() as u32).to_be_bytes().to_vec();
        for (name, mut symbols) in values {
            symbols.sort_unstable();
            symbols.dedup();
            let mut content = 1u32.to_be_bytes().to_vec();
            content.extend_from_slice(&(symbols.len() as u32).to_be_bytes());
            symbols.iter().for_each(|symbol| content.extend_from_slice(&(*symbol as u32).to_be_bytes()));
            self.align(4);
            let at = self.section(&content);
            table.push(1);
            put_str(&mut table, &name);
            put_uvarint(&mut table, at);
        }
        self.toc.label_indices_table = self.section(&table);
    }

    fn write_postings(&mut self) {
        let mut lists: BTreeMap<(String, String), Vec<u32>> = BTreeMap::new();
        for (number, labels) in &self.series {
            lists.entry(Default::default()).or_default().push(*number);
            for (name, value) in labels.iter() {
                lists.entry((name.to_owned(), value.to_owned())).or_default().push(*number);
            }
        }
        let mut lists: Vec<_> = lists.into_iter().collect();
        if self.version == 1 {
            // In no order: even the lists of one name are apart.
            lists.sort_by_key(|((name, value), _)| crc32c::crc32c(format!("{name}{value}").as_bytes()));
        }
        self.align(4);
        self.toc.postings = self.file.len() as u64;
        let mut table = (lists.len() as u32).to_be_bytes().to_vec();
        for ((name, value), list) in lists {
            let mut content = (list.len() as u32).to_be_bytes().to_vec();
            list.iter().for_each(|number| content.extend_from_slice(&number.to_be_bytes()));
            self.align(4);
            let at = self.section(&content);
            table.push(2);
            put_str(&mut table, &name);
            put_str(&mut table, &value);
            put_uvarint(&mut table, at);
        }
        self.toc.postings_table = self.section(&table);
    }
}

/// What the index of a block has.
fn series_of(block: &Block) -> Vec<IndexedSeries> {
    let mut cache = Default::default();
    let series = |number: &u32| {
        let mut chunks = Vec::new();
        let labels = block.index.series(*number, &mut cache, &mut chunks).unwrap();
        (labels, chunks)
    };
    block.index.all().unwrap().iter().map(series).collect()
}

/// A block with an index of another version.
pub(super) fn block_of_version(dir: &TempDir, version: u8, all: &BTreeMap<Labels, Vec<Samples>>) -> Block {
    let block = write(dir, Arc::new(RealFs), all).unwrap();
    let index = OldIndex::write(version, &series_of(&block));
    // Not in place: the old one is mapped.
    fs::remove_file(block.dir().join("index")).unwrap();
    fs::write(block.dir().join("index"), index).unwrap();
    Block::open(block.dir()).unwrap()
}

#[test]
fn the_fixtures_are_what_is_written_today() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    let fixture = OldIndex::write(2, &series_of(&block));
    let written = fs::read(block.dir().join("index")).unwrap();
    // The same up to the end of the series; today's has no label indices behind them.
    let end =
        u64::from_be_bytes(fixture[fixture.len() - 36..fixture.len() - 28].try_into().unwrap()) as usize;
    assert_eq!(fixture[..end], written[..end]);
}

#[test]
fn old_and_new_versions_are_read_alike() {
    let all = many();
    for version in 1..=3 {
        let dir = TempDir::new().unwrap();
        let block = Arc::new(block_of_version(&dir, version, &all));
        let first = block.index.all().unwrap()[0];
        assert_eq!(first > 1000, version == 1, "version 1 has plain offsets");
        let querier = BlockQuerier::new(Arc::clone(&block), Millis::MIN, Millis::MAX);
        assert_eq!(read(querier.select(&[], None).unwrap()), flat(&all), "version {version}");
        for (matcher, count) in [
            (Matcher::equal("instance", "host-017"), 1),
            (Matcher::equal("instance", "host-300"), 0),
            (Matcher::equal("absent", ""), 300),
            (Matcher::new(model::MatchOp::Regex, "__name__", "metric_[0-2]").unwrap(), 129),
            (Matcher::new(model::MatchOp::NotRegex, "instance", "host-0.*").unwrap(), 200),
            (Matcher::new(model::MatchOp::NotEqual, "job", "x").unwrap(), 0),
        ] {
            let found = read(querier.select(std::slice::from_ref(&matcher), None).unwrap());
            assert_eq!(found.len(), count, "version {version}, {matcher}");
        }
        let mut names = querier.label_names(&LabelQuery::default()).unwrap();
        names.sort();
        assert_eq!(names, ["__name__", "instance", "job"], "version {version}");
        assert_eq!(querier.label_values("instance", &LabelQuery::default()).unwrap().len(), 300);
    }
}

#[test]
fn deletions_and_merges_know_old_versions() {
    let all = many();
    for version in [1, 3] {
        let dir = TempDir::new().unwrap();
        let block = block_of_version(&dir, version, &all);
        let selector = [vec![Matcher::equal("__name__", "metric_4")]];
        let (block, met) = block.delete(&RealFs, &selector, Millis::MIN, Millis::MAX).unwrap().unwrap();
        assert_eq!(met, 43);
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let other = TempDir::new().unwrap();
        let parts = [Arc::new(block), Arc::new(write(&other, Arc::new(RealFs), &all).unwrap())];
        let mut want = flat(&all);
        let merged = merge_blocks(&parts, &fs, dir.path()).unwrap().unwrap();
        let read_all = |block| {
            let querier = BlockQuerier::new(Arc::new(block), Millis::MIN, Millis::MAX);
            read(querier.select(&[], None).unwrap())
        };
        assert_eq!(fs::read(merged.dir().join("index")).unwrap()[4], 2, "what is written is of version 2");
        assert_eq!(read_all(merged), want, "the other block still has what was deleted of one");
        want.retain(|labels, _| labels.metric_name() != "metric_4");
        let cleaned = merge_blocks(&parts[..1], &fs, dir.path()).unwrap().unwrap();
        assert_eq!(read_all(cleaned), want);
    }
}

#[test]
fn a_version_that_does_not_exist_yet_is_refused() {
    let dir = TempDir::new().unwrap();
    let block = write(&dir, Arc::new(RealFs), &many()).unwrap();
    for version in [0, 4, 255] {
        let mut index = OldIndex::write(2, &series_of(&block));
        index[4] = version;
        let path = dir.path().join(format!("index-{version}"));
        fs::write(&path, index).unwrap();
        let error = index_reader::IndexReader::open(&path).err().unwrap();
        assert!(error.to_string().contains(&format!("version {version} is not a known kind")), "{error}");
    }
}
