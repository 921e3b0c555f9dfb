//! Damage in a folder is found, mended, and found no more.

use std::{fs, sync::Arc};

use disk::{
    Fs, RealFs,
    fault::{Fault, FaultyFs},
};
use model::{Labels, Millis};
use prometheus_client::registry::Registry;
use storage::{Appendable, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;

use super::*;
use crate::{Compression, Db, DbOptions};

fn open(dir: &TempDir) -> Db {
    let mut options = DbOptions::new(dir.path());
    options.wal_segment_size = 32 << 10;
    options.wal_compression = Compression::None;
    Db::open(options, &mut Registry::default()).unwrap()
}

/// Seven hours: two blocks, and a log of several segments.
fn database() -> TempDir {
    let dir = TempDir::new().unwrap();
    let db = open(&dir);
    for minute in 0..7 * 60 {
        let mut appender = db.appender();
        for series in 0..10 {
            let labels = Labels::from_pairs([("__name__", "m"), ("n", &format!("{series}"))]);
            appender.append(SeriesRef::UNKNOWN, &labels, minute * 60_000, minute as f64).unwrap();
        }
        appender.commit().unwrap();
    }
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 2);
    dir
}

fn samples(dir: &TempDir) -> usize {
    let db = open(dir);
    let querier = db.querier(Millis::MIN, Millis::MAX).unwrap();
    let mut set = querier.select(&SelectHints::default(), &[]).unwrap();
    let all = collect(&mut *set, Millis::MIN, Millis::MAX).unwrap();
    all.iter().map(|(_, columns)| columns.len()).sum()
}

fn real() -> Arc<dyn Fs> {
    Arc::new(RealFs)
}

#[test]
fn a_folder_without_damage_has_no_findings() {
    let dir = database();
    let examination = examine(dir.path()).unwrap();
    assert!(examination.findings.is_empty(), "{examination:?}");
    assert_eq!(examination.healthy_blocks.len(), 2);
    assert!(examination.healthy_segments >= 2);
    assert!(repair(dir.path(), &real()).unwrap().is_empty());
    examine(&dir.path().join("nothing")).unwrap_err();
}

#[test]
fn each_kind_of_damage_has_its_remedy() {
    let dir = database();
    let before = samples(&dir);
    let listing = list_blocks(dir.path()).unwrap();
    let block = |at: usize| dir.path().join(&listing.blocks[at].meta.ulid);
    // A chunk, a whole index, a torn log, a damaged log, and leftovers.
    let chunks = block(0).join("chunks/000001");
    let mut bytes = fs::read(&chunks).unwrap();
    bytes[12] ^= 1;
    fs::write(&chunks, bytes).unwrap();
    fs::write(block(1).join("index"), b"").unwrap();
    // Each start begins a segment, and few write to it.
    let (segments, empty): (Vec<_>, Vec<_>) =
        segments(dir.path()).into_iter().partition(|path| fs::metadata(path).unwrap().len() > 0);
    empty.iter().for_each(|path| fs::remove_file(path).unwrap());
    let (first, last) = (&segments[segments.len() - 2], &segments[segments.len() - 1]);
    for (path, at) in [(first, 5000), (last, 3000)] {
        let mut bytes = fs::read(path).unwrap();
        let at = at.min(bytes.len() / 2);
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    fs::create_dir(dir.path().join("01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp-for-creation")).unwrap();

    let examination = examine(dir.path()).unwrap();
    let remedies: Vec<_> = examination.findings.iter().map(|finding| &finding.remedy).collect();
    let [Remedy::Remove, Remedy::Rebuild(remains), Remedy::SetAside, first_cut, last_cut] = &remedies[..]
    else {
        panic!("{examination:#?}");
    };
    assert_eq!((remains.series, remains.lost_chunks), (9, 0), "the first chunk is all that its series has");
    assert!(matches!(first_cut, Remedy::Cut { keep_copy: true, .. }), "{first_cut:?}");
    assert!(matches!(last_cut, Remedy::Cut { keep_copy: false, .. }), "{last_cut:?}");
    assert_eq!(examine(dir.path()).unwrap(), examination, "looking changes nothing");

    let done = repair(dir.path(), &real()).unwrap();
    assert!(done.iter().all(|one| one.failure().is_none()), "{done:#?}");
    let examination = examine(dir.path()).unwrap();
    assert!(examination.findings.is_empty(), "{examination:#?}");
    assert!(block(0).with_extension("damaged").is_dir() && block(1).with_extension("damaged").is_dir());
    let after = samples(&dir);
    assert!(after < before && after >= 9 * 120, "{before} {after}");
    assert_eq!(list_blocks(dir.path()).unwrap().unreadable, []);
}

/// The segments of a log, in order.
fn segments(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let layout = crate::wal::WalLayout::read(&dir.join("wal")).unwrap();
    layout.segments.into_iter().map(|(_, path)| path).collect()
}

#[test]
fn a_repair_that_fails_leaves_the_damaged_block() {
    let dir = database();
    let path = dir.path().join(&list_blocks(dir.path()).unwrap().blocks[0].meta.ulid);
    fs::remove_file(path.join("meta.json")).unwrap();
    for fault in [Fault::Create, Fault::Full { after: 300 }, Fault::Rename] {
        let faulty = FaultyFs::default();
        faulty.inject(fault);
        let done = repair(dir.path(), &(Arc::new(faulty) as Arc<dyn Fs>)).unwrap();
        assert!(done.iter().any(|one| one.failure().is_some()), "{fault:?}");
        assert!(path.is_dir(), "{fault:?}");
    }
    repair(dir.path(), &real()).unwrap();
    assert_eq!(samples(&dir), 10 * 7 * 60);
}

#[test]
fn a_folder_in_use_is_not_repaired() {
    let dir = database();
    let db = open(&dir);
    assert!(matches!(repair(dir.path(), &real()), Err(RepairError::Lock(_))));
    drop(db);
    repair(dir.path(), &real()).unwrap();
}

#[test]
fn a_sandbox_has_everything_and_vanishes() {
    let dir = database();
    let db = open(&dir);
    let before: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let sandbox = Sandbox::open(dir.path(), dir.path()).unwrap();
    assert_eq!(sandbox.db().blocks(), db.blocks());
    assert_eq!(sandbox.db().time_range(), db.time_range());
    drop(sandbox);
    let after: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(before, after);
}

#[test]
fn an_analysis_counts_labels_and_churn() {
    let dir = database();
    let analysis = analyze_block(dir.path(), None, &[], 3).unwrap();
    assert_eq!(
        (analysis.matched, analysis.label_names, analysis.label_pairs, analysis.entries),
        (10, 2, 11, 20)
    );
    let stat = |name: &str, value| crate::Stat { name: name.to_owned(), value };
    assert_eq!(analysis.value_counts, [stat("n", 10), stat("__name__", 1)]);
    assert_eq!(analysis.metric_names, [stat("m", 10)]);
    assert_eq!(analysis.common_pairs[0], stat("__name__=m", 10));
    assert_eq!(analysis.common_pairs.len(), 3);
    // Each series lacks the last minute of two hours.
    assert_eq!(analysis.churning_names[0].value, 0);
    let one = analyze_block(dir.path(), None, &[model::Matcher::equal("n", "3")], 3).unwrap();
    assert_eq!((one.matched, one.label_pairs), (1, 2));
    let error = analyze_block(dir.path(), Some("nothing"), &[], 3).unwrap_err();
    assert!(error.to_string().starts_with("no block nothing in"), "{error}");
}
