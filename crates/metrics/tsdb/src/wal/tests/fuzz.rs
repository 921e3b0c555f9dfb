//! Whatever is in a segment or a record: no panic, an end, and no more memory than the bytes can justify.

use super::{super::compression::decompress, *};

fn use_record(record: &[u8]) {
    let _ = decode_series(record, |_, _| {});
    let _ = decode_samples(record, |_| {});
    let _ = decode_tombstones(record, |_| {});
    let _ = decode_exemplars(record, |_| {});
    let _ = decode_metadata(record, |_| {});
    if let Some(RecordType::Histograms(kind)) = RecordType::of(record) {
        let _ = histogram_times(record, kind, |_| {});
    }
}

fn valid_records() -> Vec<Vec<u8>> {
    let labels = Labels::from_pairs([("__name__", "up"), ("job", "x")]);
    let sample =
        |number: u64| RefSample { series_ref: number, timestamp: number as i64 * 15_000, value: 0.5 };
    vec![
        encode_series(&[(1, labels.clone()), (u64::MAX, labels.clone())]),
        encode_samples((0..50).map(sample)),
        encode_tombstones(&[RefTombstone { series_ref: 3, min_time: i64::MIN, max_time: i64::MAX }]),
        encode_exemplars(&[RefExemplar { series_ref: 1, timestamp: 5, value: 1.0, labels }]),
        encode_metadata(&[RefMetadata { series_ref: 7, metadata: Metadata::default() }]),
    ]
}

/// Reads a file as a segment to its end or first damage; more records than it has bytes are none.
fn use_segment(bytes: &[u8]) {
    let dir = TempDir::new().unwrap();
    let path = filenames::wal_segment(dir.path(), 0);
    fs::write(&path, bytes).unwrap();
    let mut reader = SegmentReader::open(&path).unwrap();
    let mut records = 0;
    while let Ok(Some(record)) = reader.next_record() {
        use_record(record);
        records += 1;
        assert!(records <= bytes.len(), "reading ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_record(kind in 0u8..16, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use_record(&[&[kind], bytes.as_slice()].concat());
        use_record(&bytes);
    }

    #[test]
    fn records_with_other_bytes(
        record in 0usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut record = valid_records()[record].clone();
        for (at, byte) in edits {
            let at = at.index(record.len());
            record[at] = byte;
        }
        use_record(&record);
        record.truncate(cut.index(record.len()));
        use_record(&record);
    }

    #[test]
    fn any_page(
        fragments in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..60), any::<bool>()), 0..20),
    ) {
        let mut bytes = Vec::new();
        for (flags, data, intact) in fragments {
            bytes.push(flags);
            bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&(crc32c::crc32c(&data) ^ u32::from(!intact)).to_be_bytes());
            bytes.extend_from_slice(&data);
        }
        use_segment(&bytes);
    }

    #[test]
    fn segments_with_other_bytes(
        compression in prop::sample::select(vec![Compression::None, Compression::Snappy, Compression::Zstd]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let dir = TempDir::new().unwrap();
        let records: Vec<_> = valid_records().into_iter().cycle().take(60).collect();
        super::write(dir.path(), &records, compression, 1 << 20);
        let mut bytes = fs::read(filenames::wal_segment(dir.path(), 0)).unwrap();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        use_segment(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        use_segment(&bytes);
    }

    #[test]
    fn compressed_bytes_take_no_more_than_they_can_hold(
        snappy in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        claimed in prop_oneof![0u64..1000, Just(200 << 20), any::<u64>()],
    ) {
        // A length in front, as both formats have it.
        let mut data = Vec::new();
        if snappy {
            crate::encoding::put_uvarint(&mut data, claimed);
        } else {
            data.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000]);
            data.extend_from_slice(&claimed.to_le_bytes());
        }
        data.extend_from_slice(&bytes);
        let mut out = Vec::new();
        let _ = decompress(if snappy { 8 } else { 16 }, &data, &mut out);
        // A zstd frame may repeat one byte two million times with four bytes, but not often by chance.
        prop_assert!(out.capacity() <= 64 << 20, "{} bytes for {}", out.capacity(), data.len());
    }
}
