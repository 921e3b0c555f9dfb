//! What a checkpoint keeps of native histograms.

use model::{CUSTOM_BUCKETS_SCHEMA, Histogram};

use super::*;

#[test]
fn a_checkpoint_trims_histograms() {
    let histogram = |timestamp, schema| RefHistogram {
        series_ref: 1,
        timestamp,
        histogram: Histogram { count: timestamp as u64, schema, ..Histogram::default() },
    };
    let float = |timestamp| RefHistogram {
        series_ref: 1,
        timestamp,
        histogram: histogram(timestamp, 0).histogram.to_float(),
    };
    let encode = |samples: &[RefHistogram<Histogram>]| encode_histograms(samples)[0].clone();
    // From a later version, which knows this schema.
    let mut unknown = encode(&[histogram(10, 0), histogram(20, 0)]);
    let schema = unknown.len() - 23;
    unknown[schema] = 120;
    let dir = TempDir::new().unwrap();
    let wal = open_wal(dir.path(), Arc::new(RealFs), false);
    wal.announce(1, labels("kept"));
    let records = [
        encode(&[histogram(10, 0), histogram(20, 0), histogram(30, 0)]),
        encode(&[histogram(10, 0)]),
        encode_histograms(&[histogram(10, CUSTOM_BUCKETS_SCHEMA), histogram(20, CUSTOM_BUCKETS_SCHEMA)])[1]
            .clone(),
        encode_histograms(&[float(10), float(20)])[0].clone(),
        unknown.clone(),
    ];
    wal.commit(records.map(plain).into()).unwrap();
    wal.next_segment().unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let stats = write_checkpoint(&fs, dir.path(), 0, 15, Compression::Snappy, &|_| true).unwrap();
    assert_eq!((stats.kept_samples, stats.dropped_samples), (2 + 1 + 1 + 2, 1 + 1 + 1 + 1));
    let (records, error) = read_segment(&WalLayout::read(dir.path()).unwrap().checkpoint.unwrap().1[0]);
    assert!(error.is_none());
    let want = [
        encode(&[histogram(20, 0), histogram(30, 0)]),
        encode_histograms(&[histogram(20, CUSTOM_BUCKETS_SCHEMA)])[1].clone(),
        encode_histograms(&[float(20)])[0].clone(),
        unknown,
    ];
    assert_eq!(records[1..], want);
}
