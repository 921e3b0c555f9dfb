//! What the files keep, what they survive, and what they give up.

use disk::{
    RealFs,
    fault::{Fault, FaultyFs},
};
use prometheus_client::registry::Registry;
use tempfile::TempDir;

use super::*;
use crate::metrics::Metrics;

/// Number of the series, times of the first and the last sample.
type Described = (u64, Millis, Millis);

fn metrics() -> HeadChunkMetrics {
    Metrics::new(&mut Registry::default()).head_chunks
}

fn open(dir: &Path) -> (HeadChunks, FoundChunks) {
    HeadChunks::open(Arc::new(RealFs), dir, metrics()).unwrap()
}

/// Chunk number `n` has its samples in `[100 n, 100 n + 99]`, and is of one of three series.
fn described(n: usize) -> Described {
    (n as u64 % 3 + 1, n as Millis * 100, n as Millis * 100 + 99)
}

/// As long as chunks are; the first two bytes are the number of samples.
fn data(n: usize) -> Vec<u8> {
    let mut data = vec![0, 120];
    data.extend((0..20 + n % 7).map(|at| (n * 31 + at) as u8));
    data
}

fn write(chunks: &HeadChunks, n: usize) -> io::Result<ChunkRef> {
    let (series_ref, min_time, max_time) = described(n);
    chunks.write(&NewChunk { series_ref, min_time, max_time, encoding: 1, data: &data(n) })
}

/// Writes chunks `0..count`, some hundred bytes a file.
fn fill(dir: &Path, count: usize) -> Vec<ChunkRef> {
    let (chunks, _) = open(dir);
    chunks.set_max_file_bytes(600);
    let references = (0..count).map(|n| write(&chunks, n).unwrap()).collect();
    chunks.flush().unwrap();
    references
}

fn list(found: &FoundChunks) -> Vec<Described> {
    found.chunks.iter().map(|(series, chunk)| (*series, chunk.min_time(), chunk.max_time())).collect()
}

fn files_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Opens the folder, and checks that it has the first `n` chunks and takes more.
fn check_goes_on(dir: &Path) -> usize {
    let (chunks, found) = open(dir);
    let count = found.chunks.len();
    assert_eq!(list(&found), (0..count).map(described).collect::<Vec<_>>());
    for (n, (_, chunk)) in found.chunks.iter().enumerate() {
        assert_eq!(&*chunks.files().read(chunk.reference()).unwrap(), data(n));
    }
    write(&chunks, count).unwrap();
    chunks.flush().unwrap();
    drop(chunks);
    assert_eq!(open(dir).1.chunks.len(), count + 1);
    count
}

#[test]
fn chunks_are_read_from_the_buffer_the_file_and_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (chunks, found) = open(dir.path());
    assert!(found.chunks.is_empty());
    let early = write(&chunks, 0).unwrap();
    let files = chunks.files();
    assert_eq!(&*files.read(early).unwrap(), data(0));
    assert!(!files.has_flushed(early));
    chunks.flush().unwrap();
    assert!(files.has_flushed(early));
    let late = write(&chunks, 1).unwrap();
    assert_eq!(&*files.read(early).unwrap(), data(0));
    assert_eq!(&*files.read(late).unwrap(), data(1), "of a file that was taken before");
    chunks.flush().unwrap();
    assert_eq!(&*files.read(late).unwrap(), data(1), "the map follows the file");
    assert_eq!((early.to_u64(), late.file()), (1 << 32 | 8, 1));
    assert!(matches!(files.read(ChunkRef::new(2, 8)), Err(HeadChunkError::Missing { .. })));
    assert!(matches!(files.read(ChunkRef::new(1, 9)), Err(HeadChunkError::Damaged { .. })));
    assert!(matches!(files.read(ChunkRef::new(1, 1 << 20)), Err(HeadChunkError::Damaged { .. })));
    drop(chunks);
    let (chunks, found) = open(dir.path());
    assert_eq!(list(&found), [described(0), described(1)]);
    assert_eq!(found.chunks[1].1.reference(), late);
    assert_eq!(found.chunks[1].1.samples(), 120);
    assert_eq!(&*chunks.files().read(late).unwrap(), data(1));
    assert_eq!(write(&chunks, 2).unwrap(), ChunkRef::new(2, 8), "an old file is left as it is");
}

#[test]
fn files_follow_each_other_and_the_old_ones_go() {
    let dir = TempDir::new().unwrap();
    let references = fill(dir.path(), 60);
    let names = files_in(dir.path());
    assert!(names.len() > 5 && names[0] == "000001", "{names:?}");
    assert!(names.iter().all(|name| fs::metadata(dir.path().join(name)).unwrap().len() <= 600));
    let (chunks, found) = open(dir.path());
    assert_eq!(found.chunks.len(), 60);
    let before = chunks.files();
    chunks.truncate_before(30 * 100).unwrap();
    let kept = references[30].file();
    assert_eq!(files_in(dir.path())[0], format!("{kept:06}"));
    assert_eq!(&*before.read(references[0]).unwrap(), data(0), "who took the files reads on");
    assert!(chunks.files().read(references[0]).is_err());
    assert_eq!(&*chunks.files().read(references[30]).unwrap(), data(30));
    // A truncation ends the file, so that it can go once it is old.
    let first = write(&chunks, 60).unwrap();
    chunks.truncate_before(30 * 100).unwrap();
    let second = write(&chunks, 61).unwrap();
    assert_eq!((second.file(), second.offset()), (first.file() + 1, 8));
    chunks.flush().unwrap();
    chunks.truncate_before(Millis::MAX).unwrap();
    assert!(files_in(dir.path()).is_empty());
    assert_eq!(write(&chunks, 62).unwrap().file(), second.file() + 1);
}

#[test]
fn a_torn_file_keeps_its_whole_chunks_and_goes_on() {
    let dir = TempDir::new().unwrap();
    fill(dir.path(), 20);
    let last = dir.path().join(files_in(dir.path()).last().unwrap());
    let whole = fs::read(&last).unwrap();
    let mut counts = Vec::new();
    for size in whole.len().saturating_sub(200)..whole.len() {
        fs::write(&last, &whole[..size]).unwrap();
        for later in files_in(dir.path()).iter().map(|name| dir.path().join(name)).filter(|path| *path > last)
        {
            fs::remove_file(later).unwrap();
        }
        counts.push(check_goes_on(dir.path()));
    }
    assert!(counts.is_sorted() && counts.last() == Some(&19) && counts[0] < 18, "{counts:?}");
}

#[test]
fn any_flipped_bit_costs_at_most_what_follows() {
    let dir = TempDir::new().unwrap();
    fill(dir.path(), 20);
    let names = files_in(dir.path());
    for (at, name) in names.iter().enumerate() {
        let whole = fs::read(dir.path().join(name)).unwrap();
        for byte in (0..whole.len()).filter(|byte| !(5..8).contains(byte)) {
            let copy = TempDir::new().unwrap();
            for name in &names {
                fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
            }
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << (byte % 8);
            fs::write(copy.path().join(name), flipped).unwrap();
            let metrics = metrics();
            drop(HeadChunks::open(Arc::new(RealFs), copy.path(), metrics.clone()).unwrap());
            assert_eq!(metrics.corruptions.get(), 1, "file {name}, byte {byte}");
            let left = files_in(copy.path()).len();
            assert!(left == at || (left == at + 1 && left == names.len()), "file {name}, byte {byte}");
            check_goes_on(copy.path());
        }
    }
}

#[test]
fn a_missing_file_costs_those_behind_it() {
    let dir = TempDir::new().unwrap();
    let references = fill(dir.path(), 60);
    fs::remove_file(dir.path().join("000003")).unwrap();
    let (_, found) = open(dir.path());
    assert_eq!(files_in(dir.path()), ["000001", "000002"]);
    assert_eq!(found.chunks.len(), references.iter().filter(|chunk| chunk.file() < 3).count());
}

#[test]
fn chunks_of_a_series_that_overlap_are_damage() {
    let dir = TempDir::new().unwrap();
    let (chunks, _) = open(dir.path());
    for n in [0, 1, 0, 2] {
        write(&chunks, n).unwrap();
    }
    chunks.flush().unwrap();
    assert_eq!(check_goes_on(dir.path()), 2);
}

#[test]
fn zeros_behind_the_chunks_are_no_damage() {
    let dir = TempDir::new().unwrap();
    fill(dir.path(), 20);
    // Prometheus makes files longer than what is in them, and may leave an empty one.
    for name in files_in(dir.path()) {
        let path = dir.path().join(name);
        let size = fs::metadata(&path).unwrap().len();
        fs::File::options().write(true).open(path).unwrap().set_len(size + 5000).unwrap();
    }
    fs::write(dir.path().join(format!("{:06}", files_in(dir.path()).len() + 1)), [0; 100]).unwrap();
    let metrics = metrics();
    drop(HeadChunks::open(Arc::new(RealFs), dir.path(), metrics.clone()).unwrap());
    assert_eq!(metrics.corruptions.get(), 0);
    assert_eq!(check_goes_on(dir.path()), 20);
}

#[test]
fn out_of_order_chunks_are_shown_apart_and_kept_until_released() {
    let dir = TempDir::new().unwrap();
    let (chunks, _) = open(dir.path());
    write(&chunks, 5).unwrap();
    let new = NewChunk {
        series_ref: 9,
        min_time: 1,
        max_time: 700,
        encoding: 1 | format::OUT_OF_ORDER,
        data: &[0, 1, 2],
    };
    let reference = chunks.write(&new).unwrap();
    chunks.flush().unwrap();
    drop(chunks);
    let (chunks, found) = open(dir.path());
    assert_eq!((list(&found), found.last_ref), (vec![described(5)], 9));
    let late: Vec<_> =
        found.out_of_order.iter().map(|(series, chunk)| (*series, chunk.reference())).collect();
    assert_eq!(late, [(9, reference)]);
    assert_eq!(&*chunks.files().read(reference).unwrap(), [0, 1, 2]);
    chunks.truncate_before(700).unwrap();
    assert_eq!(files_in(dir.path()).len(), 1);
    chunks.truncate_before(701).unwrap();
    assert_eq!(files_in(dir.path()).len(), 1, "someone may need it");
    chunks.release_out_of_order(1);
    chunks.truncate_before(701).unwrap();
    assert_eq!(files_in(dir.path()).len(), 1);
    chunks.release_out_of_order(2);
    chunks.truncate_before(701).unwrap();
    assert!(files_in(dir.path()).is_empty());
}

#[test]
fn a_failed_write_leaves_nothing_half_done() {
    for fault in
        [Fault::Create, Fault::Full { after: 0 }, Fault::Full { after: 50 }, Fault::Full { after: 100 }]
    {
        let dir = TempDir::new().unwrap();
        let faulty = FaultyFs::default();
        let (chunks, _) = HeadChunks::open(Arc::new(faulty.clone()), dir.path(), metrics()).unwrap();
        faulty.inject(fault);
        let written = write(&chunks, 0).and_then(|_| write(&chunks, 1)).and_then(|_| chunks.flush());
        written.expect_err("the fault shows");
        faulty.heal();
        for n in 0..5 {
            write(&chunks, n).unwrap();
        }
        chunks.flush().unwrap();
        faulty.inject(Fault::Full { after: 50 });
        let reference = write(&chunks, 5).unwrap();
        chunks.flush().expect_err("the fault shows");
        assert!(!chunks.files().has_flushed(reference));
        faulty.heal();
        assert!(!chunks.is_broken());
        assert_eq!(write(&chunks, 5).unwrap(), reference, "the place is free again");
        chunks.flush().unwrap();
        drop(chunks);
        assert_eq!(check_goes_on(dir.path()), 6, "{fault:?}");
    }
}

#[test]
fn nothing_is_written_behind_what_nobody_knows() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let (chunks, _) = HeadChunks::open(Arc::new(faulty.clone()), dir.path(), metrics()).unwrap();
    let first = write(&chunks, 0).unwrap();
    chunks.flush().unwrap();
    faulty.inject(Fault::Full { after: 50 });
    faulty.inject(Fault::Truncate);
    write(&chunks, 1).unwrap();
    chunks.flush().expect_err("the fault shows");
    faulty.heal();
    assert!(chunks.is_broken());
    write(&chunks, 1).expect_err("until the next start");
    assert_eq!(&*chunks.files().read(first).unwrap(), data(0));
    drop(chunks);
    assert_eq!(check_goes_on(dir.path()), 1);
}
