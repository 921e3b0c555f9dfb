//! A folder with any bytes changed opens and answers, or says why not, with no more memory than it has use for.
#![allow(unsafe_code)] // counts what the allocator is asked for

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::*;
use model::{Histogram, STALE_NAN};
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use storage::{Appendable, HistogramSample, Queryable, SelectHints, SeriesRef};
use tempfile::TempDir;
use tsdb::{Compression, Db, DbOptions, examine, list_blocks};

/// Remembers the largest single request.
struct Counting;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and `pointer` is from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`, and `pointer` is from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A log in each compression, also of samples out of order, with chunks of those, and two blocks.
static TEMPLATE: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = TempDir::new().unwrap();
    for (round, compression) in (0..).zip([Compression::None, Compression::Snappy, Compression::Zstd]) {
        let mut options = DbOptions::new(dir.path());
        options.wal_compression = compression;
        options.out_of_order_time_window = Duration::from_secs(24 * 3600);
        let db = Db::open(options, &mut Registry::default()).unwrap();
        append_grid(&db, 5, round * 140, (round + 1) * 140, 60_000);
        if round == 2 {
            db.maintain().unwrap();
        }
        append_late(&db, (round + 1) * 140);
        db.map_chunks();
    }
    dir
});

/// Samples between the others, the newest first.
fn append_late(db: &Db, end: i64) {
    for step in (end - 80..end).rev() {
        let mut appender = db.appender();
        let at = step * 60_000 - 30_000;
        appender.append(SeriesRef::UNKNOWN, &labels(0), at, step as f64).unwrap();
        let stale = Histogram { sum: STALE_NAN, ..Histogram::default() };
        appender
            .append_histogram(SeriesRef::UNKNOWN, &labels(7), at, HistogramSample::Integer(&stale))
            .unwrap();
        appender.commit().unwrap();
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push(entry.path()),
        }
    }
    all.sort();
    all
}

fn use_folder(dir: &Path) {
    let _ = (list_blocks(dir), examine(dir));
    let Ok(db) = Db::open(DbOptions::new(dir), &mut Registry::default()) else {
        return;
    };
    let use_db = |db: &Db| {
        let querier = db.querier(i64::MIN, i64::MAX).unwrap();
        let Ok(mut set) = querier.select(&SelectHints::default(), &[]) else {
            return;
        };
        let mut columns = model::Columns::default();
        while let Some(Ok(mut series)) = set.next() {
            columns.clear();
            let _ = series.samples.read(i64::MIN, i64::MAX, &mut columns);
        }
    };
    use_db(&db);
    let _ = db.maintain();
    use_db(&db);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_change_to_any_file(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let dir = copy(TEMPLATE.path());
        let all = files(dir.path());
        let path = file.get(&all);
        let mut bytes = fs::read(path).unwrap();
        for (at, byte) in edits {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        fs::write(path, bytes).unwrap();
        LARGEST.store(0, Ordering::Relaxed);
        use_folder(dir.path());
        // Buffers for writing have a mebibyte; nothing that is read here is nearly as large.
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= 2 << 20, "{} bytes at once", LARGEST.load(Ordering::Relaxed));
    }
}
