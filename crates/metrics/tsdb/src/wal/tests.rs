//! The log: round trips over page and segment edges, torn tails at every byte, failing disks.

mod fuzz;
mod histogram_checkpoint;

use std::{fs, path::Path, sync::Arc};

use disk::{
    Fs, RealFs,
    fault::{Fault, FaultyFs},
};
use model::Labels;
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use storage::{CommitError, Metadata, MetricType};
use tempfile::TempDir;

use super::{
    checkpoint::CheckpointStats,
    page::{HEADER, PAGE},
    record::*,
    writer::SegmentWriter,
    *,
};
use crate::{filenames, metrics::Metrics};

fn plain(record: Vec<u8>) -> WalRecord {
    WalRecord::new(record, Compression::None)
}

/// Bytes that no compression makes smaller.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

fn write(dir: &Path, records: &[Vec<u8>], compression: Compression, segment_size: u64) {
    let mut writer = SegmentWriter::create(Arc::new(RealFs), dir, 0, segment_size).unwrap();
    for record in records {
        writer.append(&[WalRecord::new(record.clone(), compression)]).unwrap();
    }
}

fn read_segment(path: &Path) -> (Vec<Vec<u8>>, Option<ReadError>) {
    let mut reader = SegmentReader::open(path).unwrap();
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record.to_vec()),
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
}

fn read_all(dir: &Path) -> Vec<Vec<u8>> {
    let layout = WalLayout::read(dir).unwrap();
    let mut all = Vec::new();
    for (_, path) in layout.segments {
        let (records, error) = read_segment(&path);
        assert!(error.is_none(), "{error:?}");
        all.extend(records);
    }
    all
}

#[test]
fn a_small_record_is_one_fragment() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), &[b"abc".to_vec()], Compression::None, 1 << 20);
    let bytes = fs::read(filenames::wal_segment(dir.path(), 0)).unwrap();
    let mut want = vec![1, 0, 3];
    want.extend_from_slice(&crc32c::crc32c(b"abc").to_be_bytes());
    want.extend_from_slice(b"abc");
    assert_eq!(bytes, want);
}

#[test]
fn records_cross_pages_at_every_position() {
    let dir = TempDir::new().unwrap();
    // The second record begins at, just before and just behind every place where a page can end.
    for room in 0..=2 * HEADER + 2 {
        let sub = dir.path().join(room.to_string());
        fs::create_dir(&sub).unwrap();
        let records =
            [noise(PAGE - HEADER - room, 1), noise(100, 2), noise(2 * PAGE + 11, 3), Vec::new(), noise(1, 4)];
        write(&sub, &records, Compression::None, 1 << 20);
        assert_eq!(read_all(&sub), records, "room {room}");
    }
}

#[test]
fn every_compression_reads_back() {
    for compression in [Compression::None, Compression::Snappy, Compression::Zstd] {
        let dir = TempDir::new().unwrap();
        let records = [vec![7; 100_000], noise(50, 1), b"abcabcabcabcabcabcabcabcabcabc".to_vec()];
        write(dir.path(), &records, compression, 1 << 20);
        assert_eq!(read_all(dir.path()), records, "{compression:?}");
        let size = fs::metadata(filenames::wal_segment(dir.path(), 0)).unwrap().len();
        assert_eq!(size < 10_000, compression != Compression::None);
    }
}

#[test]
fn a_record_never_spans_segments() {
    let dir = TempDir::new().unwrap();
    let size = 2 * PAGE as u64;
    let records: Vec<_> =
        [40_000, 40_000, 10, 200_000, 10, 65_000, 1].iter().map(|n| noise(*n, *n as u64)).collect();
    write(dir.path(), &records, Compression::None, size);
    assert_eq!(read_all(dir.path()), records);
    let layout = WalLayout::read(dir.path()).unwrap();
    let sizes: Vec<_> = layout.segments.iter().map(|(_, path)| fs::metadata(path).unwrap().len()).collect();
    let whole_pages = sizes.iter().rev().skip(1).all(|size| size % PAGE as u64 == 0);
    assert!(whole_pages, "all but the last segment are filled up: {sizes:?}");
    assert_eq!(
        sizes.iter().filter(|bytes| **bytes > size).count(),
        1,
        "only what does not fit any is larger: {sizes:?}"
    );
}

#[test]
fn a_torn_tail_loses_only_itself_wherever_it_is_torn() {
    let dir = TempDir::new().unwrap();
    let records = [noise(50, 1), noise(30, 2), noise(70, 3)];
    write(dir.path(), &records, Compression::None, 1 << 20);
    let path = filenames::wal_segment(dir.path(), 0);
    let whole = fs::read(&path).unwrap();
    let mut ends = vec![0];
    for record in &records {
        ends.push(ends[ends.len() - 1] + HEADER + record.len());
    }
    for size in 0..whole.len() {
        fs::write(&path, &whole[..size]).unwrap();
        let kept = ends.iter().filter(|end| **end <= size).count() - 1;
        let (read, error) = read_segment(&path);
        assert_eq!(read, records[..kept], "torn at {size}");
        match error {
            None => assert_eq!(size, ends[kept], "a clean end"),
            Some(ReadError::Corrupt { offset, .. }) => {
                assert_eq!(offset, ends[kept] as u64, "torn at {size}");
                repair(&path, offset, false).unwrap();
                let (read, error) = read_segment(&path);
                assert!(error.is_none());
                assert_eq!(read, records[..kept]);
            }
            Some(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_large_torn_record_is_found_unfinished() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), &[noise(10, 1), noise(3 * PAGE, 2)], Compression::None, 1 << 20);
    let path = filenames::wal_segment(dir.path(), 0);
    let whole = fs::read(&path).unwrap();
    for size in [PAGE, PAGE + 3, 2 * PAGE, 3 * PAGE - 1] {
        fs::write(&path, &whole[..size]).unwrap();
        let (read, error) = read_segment(&path);
        assert_eq!(read.len(), 1);
        assert!(matches!(error, Some(ReadError::Corrupt { offset: 17, .. })), "{error:?}");
    }
}

#[test]
fn flipped_bits_are_noticed() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), &[noise(20, 1), noise(20, 2)], Compression::None, 1 << 20);
    let path = filenames::wal_segment(dir.path(), 0);
    let whole = fs::read(&path).unwrap();
    for at in 0..27 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x41;
        fs::write(&path, &damaged).unwrap();
        let (read, error) = read_segment(&path);
        assert!(read.is_empty() && error.is_some(), "byte {at}");
    }
}

#[test]
fn zeros_behind_the_last_record_are_padding() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), &[noise(20, 1)], Compression::None, 1 << 20);
    let path = filenames::wal_segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(3 * PAGE, 0);
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(read_segment(&path), (records, None) if records.len() == 1));
    bytes[100] = 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(read_segment(&path), (_, Some(ReadError::Corrupt { offset: 27, .. }))));
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "x")])
}

fn sample(series_ref: u64, timestamp: i64, value: f64) -> RefSample {
    RefSample { series_ref, timestamp, value }
}

#[test]
fn records_have_prometheus_bytes() {
    let series = encode_series(&[(7, Labels::from_pairs([("a", "b")]))]);
    assert_eq!(series, [1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 1, b'a', 1, b'b']);
    let samples = encode_samples([sample(5, 1000, 1.0), sample(4, 1010, 2.0)]);
    let mut want = vec![2];
    want.extend_from_slice(&5u64.to_be_bytes());
    want.extend_from_slice(&1000u64.to_be_bytes());
    want.extend_from_slice(&[0, 0]);
    want.extend_from_slice(&1.0f64.to_be_bytes());
    want.extend_from_slice(&[1, 20]);
    want.extend_from_slice(&2.0f64.to_be_bytes());
    assert_eq!(samples, want);
    assert!(encode_samples([]).is_empty());
}

#[test]
fn samples_with_start_times_are_read() {
    let mut record = vec![11, 10, 0x10, 0];
    record.extend_from_slice(&1.0f64.to_be_bytes());
    record.extend_from_slice(&[2, 4, 0]);
    record.extend_from_slice(&2.0f64.to_be_bytes());
    record.extend_from_slice(&[2, 4, 2, 9]);
    record.extend_from_slice(&3.0f64.to_be_bytes());
    let mut samples = Vec::new();
    decode_samples(&record, |sample| samples.push(sample)).unwrap();
    assert_eq!(samples, [sample(5, 8, 1.0), sample(6, 10, 2.0), sample(7, 10, 3.0)]);
}

#[test]
fn every_record_reads_back() {
    let mut series = Vec::new();
    decode_series(&encode_series(&[(1, labels("a")), (u64::MAX, labels("b"))]), |r, l| series.push((r, l)))
        .unwrap();
    assert_eq!(series, [(1, labels("a")), (u64::MAX, labels("b"))]);

    let tombstones = [RefTombstone { series_ref: 3, min_time: -5, max_time: i64::MAX }];
    let mut read = Vec::new();
    decode_tombstones(&encode_tombstones(&tombstones), |t| read.push(t)).unwrap();
    assert_eq!(read, tombstones);

    let exemplars = [RefExemplar { series_ref: 3, timestamp: 5, value: 0.5, labels: labels("trace") }];
    let mut read = Vec::new();
    decode_exemplars(&encode_exemplars(&exemplars), |e| read.push(e)).unwrap();
    assert_eq!(read, exemplars);

    let metadata = [RefMetadata {
        series_ref: 3,
        metadata: Metadata { metric_type: MetricType::Summary, unit: "s".into(), help: "How long.".into() },
    }];
    let mut read = Vec::new();
    decode_metadata(&encode_metadata(&metadata), |m| read.push(m)).unwrap();
    assert_eq!(read, metadata);
}

#[test]
fn histogram_records_tell_their_age() {
    let mut record = vec![7];
    record.extend_from_slice(&3u64.to_be_bytes());
    record.extend_from_slice(&1000u64.to_be_bytes());
    for delta in [0, 40] {
        record.extend_from_slice(&[0, delta, 1, 6]);
        record.extend_from_slice(&0.5f64.to_be_bytes());
        record.extend_from_slice(&[1, 9]);
        record.extend_from_slice(&2.5f64.to_be_bytes());
        // One positive span with two buckets, no negative one.
        record.extend_from_slice(&[1, 0, 2, 0, 2, 4, 2, 0]);
    }
    let kind = HistogramRecord { float: false, start_times: false };
    assert_eq!(RecordType::of(&record), Some(RecordType::Histograms(kind)));
    let mut times = Vec::new();
    histogram_times(&record, kind, |timestamp| times.push(timestamp)).unwrap();
    assert_eq!(times, [1000, 1020]);
    assert!(histogram_times(&record[..record.len() - 1], kind, |_| {}).is_err());
}

fn samples_strategy() -> impl Strategy<Value = Vec<RefSample>> {
    let one =
        (any::<u64>(), any::<i64>(), any::<u64>()).prop_map(|(r, t, v)| sample(r, t, f64::from_bits(v)));
    prop::collection::vec(one, 0..50)
}

proptest! {
    #[test]
    fn samples_come_back(samples in samples_strategy()) {
        let record = encode_samples(samples.iter().copied());
        let mut read = Vec::new();
        if !samples.is_empty() {
            decode_samples(&record, |s| read.push(s)).unwrap();
        }
        let bits = |s: &[RefSample]| s.iter().map(|s| (s.series_ref, s.timestamp, s.value.to_bits())).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read), bits(&samples));
    }

    #[test]
    fn garbage_records_are_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..200), kind in 0u8..16) {
        bytes[0] = kind;
        let _ = decode_series(&bytes, |_, _| {});
        let _ = decode_samples(&bytes, |_| {});
        let _ = decode_tombstones(&bytes, |_| {});
        let _ = decode_exemplars(&bytes, |_| {});
        let _ = decode_metadata(&bytes, |_| {});
        for (float, start_times) in [(false, false), (true, false), (false, true), (true, true)] {
            let _ = histogram_times(&bytes, HistogramRecord { float, start_times }, |_| {});
        }
    }

    #[test]
    fn garbage_segments_are_no_panic(bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(9), any::<u8>()], 0..300)) {
        let dir = TempDir::new().unwrap();
        let path = filenames::wal_segment(dir.path(), 0);
        fs::write(&path, &bytes).unwrap();
        let _ = read_segment(&path);
    }
}

fn open_wal(dir: &Path, fs: Arc<dyn Fs>, sync_on_commit: bool) -> Wal {
    let options =
        WalOptions { segment_size: 4 * PAGE as u64, compression: Compression::Snappy, sync_on_commit };
    let layout = WalLayout::read(dir).unwrap();
    Wal::create(fs, dir, &layout, options, Metrics::new(&mut Registry::default()).wal).unwrap()
}

#[test]
fn announced_series_come_before_every_sample() {
    let dir = TempDir::new().unwrap();
    let wal = open_wal(dir.path(), Arc::new(RealFs), false);
    let threads: u64 = 4;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let wal = &wal;
            scope.spawn(move || {
                for round in 0..50 {
                    let series_ref = 1 + thread * 1000 + round;
                    wal.announce(series_ref, labels(&series_ref.to_string()));
                    let record = encode_samples([sample(series_ref, 1, 1.0)]);
                    wal.commit(vec![plain(record)]).unwrap();
                }
            });
        }
    });
    wal.close().unwrap();
    assert!(matches!(wal.commit(Vec::new()), Err(CommitError::Closed)));
    let mut known = std::collections::HashSet::new();
    let mut samples = 0;
    for record in read_all(dir.path()) {
        match RecordType::of(&record) {
            Some(RecordType::Series) => {
                decode_series(&record, |series_ref, _| assert!(known.insert(series_ref))).unwrap()
            }
            _ => decode_samples(&record, |sample| {
                assert!(known.contains(&sample.series_ref));
                samples += 1;
            })
            .unwrap(),
        }
    }
    assert_eq!(samples, threads * 50);
}

#[test]
fn a_full_disk_refuses_and_then_goes_on() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let wal = open_wal(dir.path(), Arc::new(faulty.clone()), false);
    wal.commit(vec![plain(noise(100, 1))]).unwrap();
    faulty.inject(Fault::Full { after: 50 });
    wal.announce(9, labels("late"));
    assert!(matches!(wal.commit(vec![plain(noise(100, 2))]), Err(CommitError::DiskFull(_))));
    faulty.heal();
    wal.commit(vec![plain(noise(100, 3))]).unwrap();
    assert!(wal.broken().is_none());
    let want = [noise(100, 1), encode_series(&[(9, labels("late"))]), noise(100, 3)];
    assert_eq!(read_all(dir.path()), want, "no trace of the refused batch, and the series is not forgotten");
}

#[test]
fn nothing_is_written_behind_a_torn_write() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let wal = open_wal(dir.path(), Arc::new(faulty.clone()), false);
    wal.commit(vec![plain(noise(100, 1))]).unwrap();
    faulty.inject(Fault::Full { after: 50 });
    faulty.inject(Fault::Truncate);
    wal.commit(vec![plain(noise(100, 2))]).expect_err("the disk is full");
    faulty.heal();
    wal.commit(vec![plain(noise(100, 3))]).expect_err("nobody knows what is in the file");
    assert!(wal.broken().is_some());
    let (records, error) = read_segment(&filenames::wal_segment(dir.path(), 0));
    assert_eq!(records, [noise(100, 1)]);
    assert!(error.is_some());
}

#[test]
fn a_failed_sync_is_final() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let wal = open_wal(dir.path(), Arc::new(faulty.clone()), true);
    faulty.inject(Fault::Sync);
    wal.commit(vec![plain(noise(10, 1))]).expect_err("the sync fails");
    faulty.heal();
    wal.commit(vec![plain(noise(10, 2))]).expect_err("what the failed sync left is unknown");
}

#[test]
fn a_new_log_goes_on_behind_the_old_one() {
    let dir = TempDir::new().unwrap();
    open_wal(dir.path(), Arc::new(RealFs), false).commit(vec![plain(noise(10, 1))]).unwrap();
    open_wal(dir.path(), Arc::new(RealFs), false).commit(vec![plain(noise(10, 2))]).unwrap();
    assert_eq!(WalLayout::read(dir.path()).unwrap().last, Some(1));
    assert_eq!(read_all(dir.path()), [noise(10, 1), noise(10, 2)]);
}

#[test]
fn a_checkpoint_keeps_what_is_wanted() {
    let dir = TempDir::new().unwrap();
    let wal = open_wal(dir.path(), Arc::new(RealFs), false);
    wal.announce(1, labels("kept"));
    wal.announce(2, labels("dropped"));
    let samples = encode_samples([sample(1, 10, 1.0), sample(2, 10, 1.0), sample(1, 20, 2.0)]);
    let tombstones = encode_tombstones(&[
        RefTombstone { series_ref: 1, min_time: 0, max_time: 5 },
        RefTombstone { series_ref: 1, min_time: 0, max_time: 15 },
    ]);
    let metadata = |help: &str| {
        encode_metadata(&[RefMetadata {
            series_ref: 1,
            metadata: Metadata { help: help.into(), ..Metadata::default() },
        }])
    };
    wal.commit([samples, tombstones, metadata("old"), metadata("new")].map(plain).into()).unwrap();
    assert_eq!(wal.next_segment().unwrap(), 1);
    wal.commit(vec![plain(encode_samples([sample(1, 30, 3.0)]))]).unwrap();

    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let stats =
        write_checkpoint(&fs, dir.path(), 0, 15, Compression::Snappy, &|series_ref| series_ref == 1).unwrap();
    assert_eq!(
        stats,
        CheckpointStats { kept_series: 1, dropped_series: 1, kept_samples: 1, dropped_samples: 2 }
    );
    remove_segments_before(dir.path(), 1).unwrap();
    let layout = WalLayout::read(dir.path()).unwrap();
    let (last, paths) = layout.checkpoint.unwrap();
    assert_eq!((last, layout.segments.len(), layout.last), (0, 1, Some(1)));
    assert!(dir.path().join("checkpoint.00000000").is_dir());
    let (records, error) = read_segment(&paths[0]);
    assert!(error.is_none());
    let want = [
        encode_series(&[(1, labels("kept"))]),
        encode_samples([sample(1, 20, 2.0)]),
        encode_tombstones(&[RefTombstone { series_ref: 1, min_time: 0, max_time: 15 }]),
        metadata("new"),
    ];
    assert_eq!(records, want);

    // The next one takes this one in.
    wal.next_segment().unwrap();
    write_checkpoint(&fs, dir.path(), 1, 25, Compression::Snappy, &|_| true).unwrap();
    remove_checkpoints_before(dir.path(), 1).unwrap();
    let layout = WalLayout::read(dir.path()).unwrap();
    let (records, _) = read_segment(&layout.checkpoint.unwrap().1[0]);
    assert_eq!(records[..2], [encode_series(&[(1, labels("kept"))]), encode_samples([sample(1, 30, 3.0)])]);
}
