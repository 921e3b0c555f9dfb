//! Native histograms beside floats.

use model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Histogram, HistogramPoint, Span, is_stale};
use storage::HistogramSample;

use super::*;
use crate::recode::Sample;

/// A histogram with `count` observations in one bucket.
fn histogram(count: u64) -> Histogram {
    Histogram {
        schema: 3,
        count,
        sum: count as f64,
        positive_spans: vec![Span { offset: 0, length: 1 }],
        positive_buckets: vec![count as i64],
        ..Histogram::default()
    }
}

fn custom(count: u64) -> Histogram {
    Histogram { schema: CUSTOM_BUCKETS_SCHEMA, custom_values: vec![1.0], ..histogram(count) }
}

fn integer(count: u64) -> Sample {
    Sample::Histogram(Box::new(histogram(count)))
}

fn float(count: u64) -> Sample {
    Sample::FloatHistogram(Box::new(histogram(count).to_float()))
}

/// Appends samples of one series in one batch.
fn add_all(head: &Head, name: &str, samples: &[(Millis, Sample)]) -> Result<(), AppendError> {
    let mut appender = Box::new(HeadAppender::new(head));
    for (timestamp, sample) in samples {
        let (series, labels) = (SeriesRef::UNKNOWN, labels(name));
        match sample {
            Sample::Float(value) => appender.append(series, &labels, *timestamp, *value),
            Sample::Histogram(histogram) => {
                let histogram = HistogramSample::Integer(histogram);
                appender.append_histogram(series, &labels, *timestamp, histogram)
            }
            Sample::FloatHistogram(histogram) => {
                let histogram = HistogramSample::Float(histogram);
                appender.append_histogram(series, &labels, *timestamp, histogram)
            }
        }?;
    }
    appender.commit().unwrap();
    Ok(())
}

fn columns(querier: &HeadQuerier, name: &str) -> Columns {
    let mut columns = Columns::default();
    for series in querier.select(&[Matcher::equal("__name__", name)], None).unwrap() {
        series.unwrap().samples.read(Millis::MIN, Millis::MAX, &mut columns).unwrap();
    }
    columns
}

/// Times and counts of the histograms.
fn counts(columns: &Columns) -> Vec<(Millis, f64)> {
    let pair = |point: &HistogramPoint| (point.timestamp, point.histogram.count);
    columns.histograms.iter().map(pair).collect()
}

/// Number of the series' chunks, and how the newest is encoded.
fn chunks(head: &Head) -> (usize, Option<u8>) {
    let series = head.series_by_ref(1).unwrap();
    let state = series.state();
    (state.chunk_count(), state.newest_encoding().map(crate::chunk::Encoding::as_byte))
}

#[test]
fn histograms_are_taken_by_prometheus_rules() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let start = 100 * HOUR;
    let check = |timestamp, sample: Sample, want: Result<(), AppendError>| {
        assert_eq!(add_all(head, "a", &[(timestamp, sample.clone())]), want, "{timestamp} {sample:?}");
    };
    check(start, integer(1), Ok(()));
    check(start, integer(1), Ok(()));
    check(start, integer(2), Err(AppendError::DuplicateHistogram));
    check(start, float(1), Err(AppendError::DuplicateHistogram));
    let error = AppendError::DuplicateOfHistogram { timestamp: start, new: 1.0 };
    check(start, Sample::Float(1.0), Err(error));
    check(start - 1, integer(1), Err(AppendError::OutOfOrder));
    check(start - HOUR - 1, integer(1), Err(AppendError::OutOfBounds));
    check(start + 1, Sample::Float(1.0), Ok(()));
    check(start + 1, integer(1), Err(AppendError::DuplicateHistogram));
    check(start + 2, float(5), Ok(()));
    check(start + 2, float(5), Ok(()));
    let all = columns(&querier(head), "a");
    assert_eq!(counts(&all), [(start, 1.0), (start + 2, 5.0)]);
    assert_eq!(all.timestamps, [start + 1]);
    let metrics = head.metrics();
    assert_eq!((metrics.appended.floats.get(), metrics.appended.histograms.get()), (1, 2));
    assert_eq!(metrics.out_of_bound.histograms.get(), 1);
}

#[test]
fn what_contradicts_itself_is_refused_in_prometheus_words() {
    let fixture = head_with(0);
    let wrong = Histogram { count: 7, ..histogram(1) };
    let error = add_all(&fixture.head, "a", &[(1, Sample::Histogram(Box::new(wrong)))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 observations found in buckets, but the Count field is 7: histogram's observation count should equal the number \
         of observations found in the buckets (in absence of NaN)"
    );
    assert!(error.is_sample_fault());
}

#[test]
fn another_kind_begins_another_chunk() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let check = |timestamp, sample: Sample, want: (usize, u8)| {
        add_all(head, "a", &[(timestamp, sample)]).unwrap();
        assert_eq!(chunks(head), (want.0, Some(want.1)), "{timestamp}");
    };
    check(1, Sample::Float(1.0), (1, 1));
    check(2, integer(1), (2, 2));
    check(3, integer(2), (2, 2));
    check(4, float(3), (3, 3));
    check(5, Sample::Float(4.0), (4, 1));
    check(6, Sample::Float(5.0), (4, 1));
    check(7, integer(9), (5, 2));
    check(8, integer(1), (6, 2));
    check(9, Sample::Histogram(Box::new(custom(5))), (7, 2));
    let all = columns(&querier(head), "a");
    assert_eq!(all.timestamps, [1, 5, 6]);
    assert_eq!(counts(&all), [(2, 1.0), (3, 2.0), (4, 3.0), (7, 9.0), (8, 1.0), (9, 5.0)]);
    assert_eq!(head.metrics().chunks.get(), 7);
}

#[test]
fn chunks_of_histograms_end_where_blocks_do_and_when_they_are_large() {
    let fixture = head_with(0);
    let head = &fixture.head;
    for step in 0..1000 {
        // No counter, which would have resets.
        let noise = (step * step * 7919 % 100_003) as u64;
        let gauge = Histogram { counter_reset_hint: CounterResetHint::Gauge, ..histogram(noise) };
        add_all(head, "a", &[(step * 15_000, Sample::Histogram(Box::new(gauge)))]).unwrap();
    }
    let series = head.series_by_ref(1).unwrap();
    let taken = series.state().chunks_in(Millis::MIN, Millis::MAX);
    assert!((6..30).contains(&taken.len()), "{}", taken.len());
    assert!(taken.iter().all(|chunk| chunk.min_time() / (2 * HOUR) == chunk.max_time() / (2 * HOUR)));
    assert_eq!(columns(&querier(head), "a").histograms.len(), 1000);
    head.map_chunks();
    assert_eq!(columns(&querier(head), "a").histograms.len(), 1000, "from files");
    head.refuse_before(2 * HOUR);
    head.truncate_before(2 * HOUR);
    let left = columns(&querier(head), "a").histograms;
    assert_eq!((left.len(), left[0].timestamp), (520, 2 * HOUR));
}

#[test]
fn a_stale_series_of_histograms_ends_with_a_histogram() {
    let fixture = head_with(0);
    let head = &fixture.head;
    for (name, sample) in [("a", integer(1)), ("b", float(1))] {
        add_all(head, name, &[(1, sample.clone())]).unwrap();
        add_all(head, name, &[(2, Sample::Float(STALE_NAN))]).unwrap();
        add_all(head, name, &[(2, Sample::Float(STALE_NAN))]).unwrap();
        add_all(head, name, &[(3, sample.clone()), (4, Sample::Float(STALE_NAN))]).unwrap();
        let all = columns(&querier(head), name);
        assert!(all.timestamps.is_empty());
        let stale: Vec<_> = all.histograms.iter().map(|point| is_stale(point.histogram.sum)).collect();
        assert_eq!(stale, [false, true, false, true]);
    }
    add_all(head, "c", &[(1, Sample::Float(1.0)), (2, Sample::Float(STALE_NAN))]).unwrap();
    assert_eq!(columns(&querier(head), "c").timestamps, [1, 2]);
}

#[test]
fn kinds_in_one_batch_keep_the_order_of_time() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let samples = [
        (1, integer(1)),
        (2, Sample::Float(2.0)),
        (3, float(3)),
        (4, Sample::Histogram(Box::new(custom(4)))),
        (5, integer(5)),
        (6, Sample::Float(6.0)),
    ];
    add_all(head, "a", &samples).unwrap();
    let all = columns(&querier(head), "a");
    assert_eq!(
        (all.timestamps.as_slice(), all.values.as_slice()),
        ([2, 6].as_slice(), [2.0, 6.0].as_slice())
    );
    assert_eq!(counts(&all), [(1, 1.0), (3, 3.0), (4, 4.0), (5, 5.0)]);
    assert_eq!((head.min_time(), head.max_time()), (1, 6));
}

#[test]
fn a_batch_of_histograms_is_seen_whole_or_not_at_all() {
    let fixture = head_with(0);
    let head = &fixture.head;
    add_all(head, "a", &[(0, integer(0))]).unwrap();
    let before = querier(head);
    let samples: Vec<_> =
        (1..200).map(|at| (at, if at % 50 == 0 { float(1) } else { integer(at as u64) })).collect();
    add_all(head, "a", &samples).unwrap();
    assert_eq!(counts(&columns(&before, "a")), [(0, 0.0)], "also where the batch closed chunks");
    assert_eq!(columns(&querier(head), "a").histograms.len(), 200);
}

#[test]
fn deleted_histograms_are_hidden() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let samples: Vec<_> = (0..50).map(|at| (at, integer(at as u64))).collect();
    add_all(head, "a", &samples).unwrap();
    head.series_by_ref(1).unwrap().state().delete(10, 48);
    let times: Vec<_> = counts(&columns(&querier(head), "a")).into_iter().map(|(time, _)| time).collect();
    assert_eq!(times, (0..10).chain([49]).collect::<Vec<_>>());
}

#[test]
fn an_exemplar_takes_the_time_of_its_histogram() {
    let fixture = head_with(0);
    let head = &fixture.head;
    let mut batch = RawBatch::new(head);
    let series = batch.series(b"a", || Ok(labels("a"))).unwrap();
    batch.append_histogram(series, 1000, HistogramSample::Integer(&histogram(1))).unwrap();
    let exemplar = Exemplar { labels: Labels::from_pairs([("trace_id", "1")]), value: 1.0, timestamp: None };
    batch.append_exemplar(series, &exemplar).unwrap();
    batch.commit().unwrap();
    assert_eq!(head.exemplars().iter().map(|stored| stored.timestamp).collect::<Vec<_>>(), [1000]);
}
