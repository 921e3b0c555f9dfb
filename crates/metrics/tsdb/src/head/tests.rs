//! The rules for appending, and what readers see of it.

mod histograms;

use std::sync::Arc;

use disk::RealFs;
use model::{Columns, Labels, Matcher, Millis, STALE_NAN};
use prometheus_client::registry::Registry;
use storage::{AppendError, Appender, Exemplar, Metadata, SeriesRef};
use tempfile::TempDir;

use super::*;
use crate::{
    chunk::{Encoding, XorEncoder},
    head_chunks::{ChunkRef, MappedChunk, NewChunk},
    metrics::Metrics,
    query::Part,
    wal::{WalLayout, WalOptions},
};

const HOUR: Millis = 3_600_000;

struct Fixture {
    head: Arc<Head>,
    _dir: TempDir,
}

fn head_with(max_series: u64) -> Fixture {
    let dir = TempDir::new().unwrap();
    let metrics = Metrics::new(&mut Registry::default());
    let options = HeadOptions {
        chunk_range: 2 * HOUR,
        max_series,
        max_exemplars: 10,
        wal_compression: Compression::Snappy,
    };
    let chunk_dir = dir.path().join("chunks_head");
    let (chunk_files, _) = HeadChunks::open(Arc::new(RealFs), &chunk_dir, metrics.head_chunks).unwrap();
    let head = Arc::new(Head::new(options, Millis::MIN, chunk_files, metrics.head));
    let options =
        WalOptions { segment_size: 1 << 20, compression: Compression::Snappy, sync_on_commit: false };
    let wal = Wal::create(Arc::new(RealFs), dir.path(), &WalLayout::default(), options, metrics.wal).unwrap();
    head.start_logging(wal, 0);
    head.skip_replay();
    Fixture { head, _dir: dir }
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "test")])
}

fn add(head: &Head, name: &str, timestamp: Millis, value: f64) -> Result<SeriesRef, AppendError> {
    let mut appender = Box::new(HeadAppender::new(head));
    let series = appender.append(SeriesRef::UNKNOWN, &labels(name), timestamp, value)?;
    appender.commit().unwrap();
    Ok(series)
}

fn querier(head: &Arc<Head>) -> HeadQuerier {
    let view = Arc::new(head.isolation().view(Millis::MIN));
    HeadQuerier::new(Arc::clone(head), view, Millis::MIN, Millis::MAX)
}

fn read(querier: &HeadQuerier, name: &str) -> Vec<(Millis, f64)> {
    let matchers = [Matcher::equal("__name__", name)];
    let mut columns = Columns::default();
    for series in querier.select(&matchers, None).unwrap() {
        series.unwrap().samples.read(Millis::MIN, Millis::MAX, &mut columns).unwrap();
    }
    columns.timestamps.into_iter().zip(columns.values).collect()
}

#[test]
fn samples_are_taken_by_prometheus_rules() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let start = 100 * HOUR;
    let check = |timestamp, value: f64, want: Result<(), AppendError>| {
        assert_eq!(add(head, "a", timestamp, value).map(|_| ()), want, "{timestamp} {value}");
    };
    check(start, 1.0, Ok(()));
    check(start, 1.0, Ok(()));
    check(start, 2.0, Err(AppendError::Duplicate { timestamp: start, existing: 1.0, new: 2.0 }));
    check(start - 1, 1.0, Err(AppendError::OutOfOrder));
    check(start - HOUR, 1.0, Err(AppendError::OutOfOrder));
    check(start - HOUR - 1, 1.0, Err(AppendError::OutOfBounds));
    check(start + 1, STALE_NAN, Ok(()));
    check(start + 1, STALE_NAN, Ok(()));
    assert!(matches!(add(head, "a", start + 1, 0.0), Err(AppendError::Duplicate { .. })));
    head.refuse_before(start + HOUR);
    check(start + HOUR - 1, 1.0, Err(AppendError::OutOfBounds));
    check(start + HOUR, 1.0, Ok(()));
    let times: Vec<_> = read(&querier(head), "a").into_iter().map(|(timestamp, _)| timestamp).collect();
    assert_eq!(times, [start, start + 1, start + HOUR]);
}

/// What `read` gives for a series, by the newest sample alone and by all of them.
fn newest(querier: &HeadQuerier, name: &str, range: (Millis, Millis)) -> [Option<(Millis, f64)>; 2] {
    let matchers = [Matcher::equal("__name__", name)];
    let mut series = querier.select(&matchers, None).unwrap().next().unwrap().unwrap();
    let [mut alone, mut all] = [Columns::default(), Columns::default()];
    series.samples.read_newest(range.0, range.1, &mut alone).unwrap();
    series.samples.read(range.0, range.1, &mut all).unwrap();
    [alone, all].map(|columns| columns.timestamps.last().copied().zip(columns.values.last().copied()))
}

#[test]
fn the_newest_sample_is_the_last_of_all() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut appender = Box::new(HeadAppender::new(head));
    // Several chunks, the last of which has few samples.
    for step in 0..245 {
        appender.append(SeriesRef::UNKNOWN, &labels("a"), 1000 * step, step as f64 / 3.0).unwrap();
    }
    appender.commit().unwrap();
    let before = querier(head);
    add(head, "a", 245_000, -1.0).unwrap();
    let now = querier(head);
    for end in [0, 500, 119_000, 120_000, 200_500, 240_000, 244_000, 244_500, 245_000, 300_000] {
        for start in [Millis::MIN, end - 300, end - 100_000, end] {
            for querier in [&before, &now] {
                let [alone, all] = newest(querier, "a", (start, end));
                assert_eq!(alone, all, "in {start}..={end}");
            }
        }
    }
    assert_eq!(newest(&now, "a", (0, 300_000))[0], Some((245_000, -1.0)));
    assert_eq!(newest(&before, "a", (0, 300_000))[0], Some((244_000, 244.0 / 3.0)));
    head.get_or_create(&labels("a")).unwrap().state().delete(240_500, 250_000);
    assert_eq!(newest(&now, "a", (0, 300_000))[0], Some((240_000, 80.0)));
}

#[test]
fn a_batch_is_seen_whole_or_not_at_all() {
    let fixture = head_with(0);
    let head = &fixture.head;
    add(head, "a", 1000, 1.0).unwrap();
    let before = querier(head);
    let mut appender = Box::new(HeadAppender::new(head));
    for timestamp in 1001..1400 {
        appender.append(SeriesRef::UNKNOWN, &labels("a"), timestamp, 2.0).unwrap();
    }
    appender.append(SeriesRef::UNKNOWN, &labels("b"), 1001, 2.0).unwrap();
    assert_eq!(read(&querier(head), "a").len(), 1);
    appender.commit().unwrap();
    assert_eq!(read(&before, "a"), [(1000, 1.0)], "also where the batch closed chunks");
    assert_eq!(read(&before, "b"), []);
    assert_eq!(read(&querier(head), "a").len(), 400);
    assert_eq!(read(&querier(head), "b").len(), 1);
}

#[test]
fn what_is_rolled_back_or_dropped_is_gone() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut appender = Box::new(HeadAppender::new(head));
    appender.append(SeriesRef::UNKNOWN, &labels("a"), 1000, 1.0).unwrap();
    appender.rollback();
    assert_eq!(read(&querier(head), "a"), []);
    assert_eq!(head.metrics().active_appenders.get(), 0);
    add(head, "a", 500, 1.0).unwrap();
    assert_eq!(read(&querier(head), "a"), [(500, 1.0)]);
}

#[test]
fn references_save_the_labels_and_stale_ones_do_not_harm() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let series = add(head, "a", 1000, 1.0).unwrap();
    assert!(series.is_known());
    let mut appender = Box::new(HeadAppender::new(head));
    assert_eq!(appender.append(series, &Labels::empty(), 1001, 1.0).unwrap(), series);
    assert_eq!(appender.append(SeriesRef(4711), &labels("a"), 1002, 1.0).unwrap(), series);
    appender.commit().unwrap();
    assert_eq!(read(&querier(head), "a").len(), 3);
}

#[test]
fn one_series_too_many_is_refused_and_the_known_go_on() {
    let fixture = head_with(2);
    let head = &fixture.head;
    add(head, "a", 1000, 1.0).unwrap();
    add(head, "b", 1000, 1.0).unwrap();
    let error = add(head, "c", 1000, 1.0).unwrap_err();
    assert_eq!(error, AppendError::SeriesLimit { limit: 2, labels: labels("c") });
    add(head, "a", 1001, 1.0).unwrap();
    assert_eq!(head.series_count(), 2);
    assert!(matches!(
        HeadAppender::new(head).append(SeriesRef::UNKNOWN, &Labels::empty(), 1, 1.0),
        Err(AppendError::InvalidLabels { .. })
    ));
}

#[test]
fn remote_write_decodes_labels_once() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut decoded = 0;
    for round in 0..3 {
        let mut batch = RawBatch::new(head);
        for name in ["a", "b"] {
            let series = batch
                .series(name.as_bytes(), || {
                    decoded += 1;
                    Ok(labels(name))
                })
                .unwrap();
            batch.append(series, 1000 + round, 1.0).unwrap();
            batch.append(series, 1000 + round, 1.0).unwrap();
        }
        batch.commit().unwrap();
    }
    assert_eq!(decoded, 2);
    assert_eq!(read(&querier(head), "b").len(), 3);
    // An entry dies with its series.
    head.refuse_before(10 * HOUR);
    head.truncate_before(10 * HOUR);
    assert_eq!(head.series_count(), 0);
    let mut batch = RawBatch::new(head);
    let series = batch.series(b"a", || Ok(labels("a2"))).unwrap();
    batch.append(series, 10 * HOUR, 5.0).unwrap();
    batch.commit().unwrap();
    assert_eq!(read(&querier(head), "a2"), [(10 * HOUR, 5.0)]);
}

#[test]
fn refused_labels_and_samples_leave_the_batch_as_it_was() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut batch = RawBatch::new(head);
    let bad = batch.series(b"x", || Err(AppendError::Closed("x".to_owned())));
    assert!(bad.is_err());
    let series = batch.series(b"a", || Ok(labels("a"))).unwrap();
    batch.append(series, 1000, 1.0).unwrap();
    batch.commit().unwrap();
    let mut batch = RawBatch::new(head);
    let series = batch.series(b"a", || unreachable!("known")).unwrap();
    batch.append(series, 999, 1.0).unwrap_err();
    batch.append(series, 1001, 1.0).unwrap();
    batch.commit().unwrap();
    assert_eq!(read(&querier(head), "a"), [(1000, 1.0), (1001, 1.0)]);
}

#[test]
fn truncation_drops_chunks_and_empty_series_but_not_held_ones() {
    let fixture = head_with(0);
    let head = &fixture.head;
    for step in 0..=600 {
        add(head, "a", step * 30_000, step as f64).unwrap();
    }
    let mut held = HeadAppender::new(head);
    held.append(SeriesRef::UNKNOWN, &labels("held"), 600 * 30_000, 1.0).unwrap();
    let other = HeadAppender::new(head).append(SeriesRef::UNKNOWN, &labels("unused"), 600 * 30_000, 1.0);
    other.unwrap();
    assert_eq!(head.series_count(), 3);
    head.refuse_before(2 * HOUR);
    head.truncate_before(2 * HOUR);
    assert_eq!(head.series_count(), 2, "the series without samples and without a batch is gone");
    let samples = read(&querier(head), "a");
    assert_eq!(samples.first(), Some(&(2 * HOUR, 240.0)), "chunks end where blocks do");
    assert_eq!(head.min_time(), 2 * HOUR);
    Box::new(held).commit().unwrap();
    assert_eq!(read(&querier(head), "held").len(), 1);
    assert_eq!(read(&querier(head), "unused"), []);
    let chunks: usize = ["a", "held"].len() + head.metrics().chunks.get() as usize;
    assert!(chunks > 2);
}

#[test]
fn deleted_samples_are_hidden() {
    let fixture = head_with(0);
    let head = &fixture.head;
    for timestamp in 0..300 {
        add(head, "a", timestamp, 1.0).unwrap();
    }
    let series = head.series_by_ref(1).unwrap();
    series.state().delete(10, 288);
    add(head, "a", 300, 1.0).unwrap();
    let times: Vec<_> = read(&querier(head), "a").into_iter().map(|(timestamp, _)| timestamp).collect();
    assert_eq!(times, (0..10).chain(289..301).collect::<Vec<_>>());
}

#[test]
fn exemplars_and_metadata_go_with_their_series() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut appender = Box::new(HeadAppender::new(head));
    let series = appender.append(SeriesRef::UNKNOWN, &labels("a"), 1000, 1.0).unwrap();
    let exemplar = Exemplar { labels: Labels::from_pairs([("trace_id", "1")]), value: 1.0, timestamp: None };
    appender.append_exemplar(series, &labels("a"), &exemplar).unwrap();
    let metadata = Metadata { help: "Help.".to_owned(), ..Metadata::default() };
    appender.update_metadata(series, &labels("a"), &metadata).unwrap();
    appender.commit().unwrap();
    assert_eq!(head.exemplars().iter().map(|stored| stored.timestamp).collect::<Vec<_>>(), [1000]);
    assert_eq!(head.series_by_ref(series.0).unwrap().state().metadata(), Some(&metadata));
    let long = Exemplar { labels: Labels::from_pairs([("trace_id", "x".repeat(129))]), ..exemplar.clone() };
    assert!(HeadAppender::new(head).append_exemplar(series, &labels("a"), &long).is_err());
    let old = Exemplar { timestamp: Some(999), ..exemplar };
    let error = HeadAppender::new(head).append_exemplar(series, &labels("a"), &old).unwrap_err();
    assert_eq!(error, AppendError::OutOfOrderExemplar);
}

#[test]
fn writers_and_readers_meet_without_tearing_a_batch() {
    let fixture = head_with(0);
    let head = &fixture.head;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..300 {
                let mut batch = Box::new(HeadAppender::new(head));
                for name in ["a", "b", "c"] {
                    batch.append(SeriesRef::UNKNOWN, &labels(name), round, round as f64).unwrap();
                }
                batch.commit().unwrap();
            }
        });
        scope.spawn(|| {
            for _ in 0..100 {
                let querier = querier(head);
                let lengths = ["a", "b", "c"].map(|name| read(&querier, name).len());
                assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
                assert_eq!(read(&querier, "a").len(), lengths[0], "the view does not change");
            }
        });
    });
}

#[test]
fn chunks_in_files_do_not_replace_what_the_log_had() {
    let mut encoder = XorEncoder::new();
    (0..5).for_each(|time| encoder.append(time, 0.0));
    let chunk = NewChunk {
        series_ref: 2,
        min_time: 0,
        max_time: 4,
        encoding: Encoding::Xor.as_byte(),
        data: encoder.bytes(),
    };
    let chunk = MappedChunk::written(ChunkRef::new(1, 8), &chunk).unwrap();
    let adopt = |samples: Millis| {
        let series = MemSeries::new(1, Labels::from_pairs([("a", "b")]));
        let mut state = series.state();
        let form = ChunkForm { width: HOUR, floats: FloatEncoding::Xor };
        for time in 0..samples {
            state.replay(time, 0.0, form);
        }
        let adopted = state.adopt([chunk].into_iter());
        (adopted, state.time_range())
    };
    assert_eq!(adopt(0), (Some((0, 4)), Some((0, 4))));
    // The series got a second number while it was written to, and the log came to the samples under the first one before.
    assert_eq!(adopt(10), (None, Some((0, 9))));
}
