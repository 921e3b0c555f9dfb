//! Facts of the format, round trips, and garbage.

use std::ops::ControlFlow;

use model::Columns;
use proptest::prelude::*;

use super::*;

fn encode(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut encoder = XorEncoder::new();
    for (timestamp, value) in samples {
        encoder.append(*timestamp, *value);
    }
    assert_eq!(usize::from(encoder.len()), samples.len());
    encoder.bytes().to_vec()
}

fn decode(chunk: &[u8]) -> Result<Vec<(i64, u64)>, ChunkError> {
    let mut samples = Vec::new();
    decode_each(chunk, usize::MAX, |timestamp, value| {
        samples.push((timestamp, value.to_bits()));
        ControlFlow::Continue(())
    })?;
    Ok(samples)
}

fn by_hand(count: u16, bits: &str) -> Vec<u8> {
    packed(&count.to_be_bytes(), bits)
}

/// Packs written-out bits behind a header, the way one would by hand.
pub(super) fn packed(header: &[u8], bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
    let packed = bits.chunks(8).map(|byte| {
        let value = byte.iter().fold(0u8, |value, bit| value << 1 | bit);
        value << (8 - byte.len())
    });
    header.iter().copied().chain(packed).collect()
}

#[test]
fn the_first_sample_is_a_varint_and_a_float() {
    let one = f64::to_bits(1.0);
    // 1000 as a signed varint is 2000 = 0b1111_1010000.
    assert_eq!(encode(&[(1000, 1.0)]), by_hand(1, &format!("11010000 00001111 {one:064b}")));
}

#[test]
fn an_unchanged_series_costs_two_bits_a_sample() {
    let one = f64::to_bits(1.0);
    let want = by_hand(4, &format!("11010000 00001111 {one:064b} 00001010 0 0 0 0 0"));
    assert_eq!(encode(&[(1000, 1.0), (1010, 1.0), (1020, 1.0), (1030, 1.0)]), want);
}

#[test]
fn delta_of_delta_classes_have_their_own_bounds() {
    let zero = 0u64;
    let check = |change: i64, bits: &str| {
        let third = 1_000_000 + 1_000_000 + change;
        let want = by_hand(3, &format!("00000000 {zero:064b} 11000000 10000100 00111101 0 {bits} 0"));
        assert_eq!(encode(&[(0, 0.0), (1_000_000, 0.0), (third, 0.0)]), want, "{change}");
        assert_eq!(decode(&want).unwrap()[2].0, third);
    };
    check(1, "10 00000000000001");
    check(-1, "10 11111111111111");
    check(8_192, "10 10000000000000");
    check(-8_191, "10 10000000000001");
    check(8_193, "110 00010000000000001");
    check(-8_192, "110 11110000000000000");
    check(65_536, "110 10000000000000000");
    check(-65_535, "110 10000000000000001");
    check(65_537, "1110 00010000000000000001");
    check(524_288, "1110 10000000000000000000");
    check(-524_287, "1110 10000000000000000001");
    check(524_289, &format!("1111 {:064b}", 524_289u64));
    check(-524_288, &format!("1111 {:064b}", -524_288i64));
}

#[test]
fn a_changed_value_opens_a_window_and_stays_in_it() {
    let (two, three, four) = (f64::to_bits(2.0), f64::to_bits(3.0), f64::to_bits(4.0));
    // 2 xor 3 has its one bit at position 51: 12 leading zeros, 1 significant bit.
    assert_eq!(two ^ three, 1 << 51);
    let back = two ^ three;
    let wide = two ^ four;
    let leading = wide.leading_zeros();
    let significant = 64 - leading - wide.trailing_zeros();
    let want = by_hand(
        4,
        &format!(
            "00000000 {two:064b} 00000001 11 01100 000001 1 0 10 1 0 11 {leading:05b} {significant:06b} {:b}",
            wide >> wide.trailing_zeros()
        ),
    );
    assert_eq!(back, 1 << 51);
    assert_eq!(encode(&[(0, 2.0), (1, 3.0), (2, 2.0), (3, 4.0)]), want);
}

#[test]
fn sixty_four_significant_bits_are_written_as_zero() {
    let value = f64::from_bits(0x8000_0000_0000_0001);
    let bits = value.to_bits();
    let want = by_hand(2, &format!("00000000 {:064b} 00000001 11 00000 000000 {bits:064b}", 0));
    assert_eq!(encode(&[(0, 0.0), (1, value)]), want);
    assert_eq!(decode(&want).unwrap()[1].1, bits);
}

#[test]
fn staleness_markers_keep_their_bits() {
    let chunk = encode(&[(0, 1.0), (10, model::STALE_NAN)]);
    assert_eq!(decode(&chunk).unwrap()[1].1, model::STALE_NAN.to_bits());
}

#[test]
fn columns_take_what_lies_in_the_range() {
    let chunk = encode(&[(10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0)]);
    let read = |limit, range| {
        let mut columns = Columns::default();
        decode_columns(&chunk, limit, range, &mut columns).unwrap();
        columns.timestamps
    };
    assert_eq!(read(usize::MAX, (15, 30)), [20, 30]);
    assert_eq!(read(2, (i64::MIN, i64::MAX)), [10, 20]);
    assert_eq!(read(usize::MAX, (41, 50)), [0i64; 0]);
    let mut columns = Columns::default();
    decode_columns(&chunk, 2, (0, 100), &mut columns).unwrap();
    decode_columns(&chunk, 4, (0, 100), &mut columns).unwrap();
    assert_eq!(columns.timestamps, [10, 20, 30, 40], "what is there already is not added again");
}

#[test]
fn chunks_end_as_prometheus_ends_them() {
    assert_eq!(range_end(0, 100), 100);
    assert_eq!(range_end(100, 100), 200);
    assert_eq!(range_end(-1, 100), 0);
    // A quarter full after 250 of 1000: one chunk for the whole range.
    assert_eq!(predicted_end(0, 250, 1000), 1000);
    // A quarter full after 100 of 1000: two chunks.
    assert_eq!(predicted_end(0, 100, 1000), 500);
    assert_eq!(predicted_end(0, 150, 1000), 1000);
    assert_eq!(predicted_end(2000, 2100, 10_000), 2000 + 8000 / 19);
}

#[test]
fn chunks_of_histograms_end_by_their_bytes() {
    let mut cut = HistogramCut::new(0, 1000);
    // A quarter full after 125 of 1000: two chunks.
    assert!(!cut.is_over(100, 90, 5, 255));
    assert!(!cut.is_over(130, 124, 6, 256));
    assert!(!cut.is_over(499, 490, 9, 900));
    assert!(!cut.is_over(500, 499, 9, 900), "too few samples");
    assert!(cut.is_over(500, 499, 10, 900));
    assert!(cut.is_over(1000, 499, 1, 900), "the range ends");
    assert!(!cut.is_over(300, 299, 10, 2047));
    assert!(cut.is_over(300, 299, 10, 2048), "twice as large as wanted");
    // A chunk behind a reset goes on to the end of the range.
    let mut next = cut.misfit(300, 1000);
    assert!(!next.is_over(999, 400, 20, 1500));
    assert!(next.is_over(1000, 400, 20, 1500));
    let mut fresh = HistogramCut::new(300, 1000).misfit(300, 1000);
    assert!(fresh.is_over(999, 310, 20, 1500));
}

#[test]
fn every_encoding_has_its_byte() {
    for byte in 1..=6 {
        assert_eq!(Encoding::from_byte(byte).unwrap().as_byte(), byte);
    }
    for byte in [0, 7, 255] {
        assert_eq!(Encoding::from_byte(byte), Err(ChunkError::Unsupported(byte)));
    }
    assert_eq!(Encoding::HistogramSt.sample_count(&[0xc1, 2, 0]), Ok(0x102));
    assert_eq!(Encoding::Histogram.sample_count(&[0xc1, 2, 0]), Ok(0xc102));
}

#[test]
fn numbers_in_classes() {
    let check = |value: i64, bits: &str| {
        let mut out = bits::BitWriter::default();
        varbit::put_int(&mut out, value);
        assert_eq!(out.bytes(), packed(&[], bits), "{value}");
        assert_eq!(varbit::read_int(&mut bits::BitReader::new(out.bytes())), Ok(value));
    };
    check(0, "0");
    check(1, "10 001");
    check(4, "10 100");
    check(-3, "10 101");
    check(5, "110 000101");
    check(-4, "110 111100");
    check(32, "110 100000");
    check(33, "1110 000100001");
    check(256, "1110 100000000");
    check(-256, "11110 111100000000");
    check(2048, "11110 100000000000");
    check(2049, "111110 000000100000000001");
    check(131_072, "111110 100000000000000000");
    check(131_073, "1111110 0000000100000000000000001");
    check(16_777_216, "1111110 1000000000000000000000000");
    check(16_777_217, &format!("11111110 {:056b}", 16_777_217));
    check(1 << 55, &format!("11111110 {:056b}", 1u64 << 55));
    check((1 << 55) + 1, &format!("11111111 {:064b}", (1u64 << 55) + 1));
    check(i64::MIN, &format!("11111111 {:064b}", i64::MIN));
    let check = |value: u64, bits: &str| {
        let mut out = bits::BitWriter::default();
        varbit::put_uint(&mut out, value);
        assert_eq!(out.bytes(), packed(&[], bits), "{value}");
        assert_eq!(varbit::read_uint(&mut bits::BitReader::new(out.bytes())), Ok(value));
    };
    check(7, "10 111");
    check(8, "110 001000");
    check(33_554_431, &format!("1111110 {:025b}", 33_554_431));
    check(u64::MAX, &format!("11111111 {:064b}", u64::MAX));
}

/// Samples as series have them, and now and then as none has.
pub(crate) fn series() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let delta =
        prop_oneof![5 => Just(15_000i64), 3 => 14_900i64..15_100, 1 => 1i64..2_000_000, 1 => 1i64..(1 << 50)];
    let value = prop_oneof![
        3 => Just(None),
        3 => (0u32..1000).prop_map(|v| Some(f64::from(v))),
        1 => Just(Some(model::STALE_NAN)),
        1 => any::<u64>().prop_map(|v| Some(f64::from_bits(v))),
    ];
    (-(1i64 << 50)..(1 << 50), prop::collection::vec((delta, value), 0..300)).prop_map(|(start, steps)| {
        let (mut timestamp, mut last) = (start, 1.5);
        steps
            .into_iter()
            .map(|(delta, value)| {
                timestamp += delta;
                last = value.unwrap_or(last);
                (timestamp, last)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(samples in series()) {
        let want: Vec<_> = samples.iter().map(|(t, v)| (*t, v.to_bits())).collect();
        prop_assert_eq!(decode(&encode(&samples)).unwrap(), want);
    }

    #[test]
    fn a_cut_chunk_is_an_error(samples in series().prop_filter("some", |s| !s.is_empty()), keep in any::<prop::sample::Index>()) {
        let chunk = encode(&samples);
        let cut = &chunk[..keep.index(chunk.len())];
        prop_assert!(decode(cut).is_err());
    }

    #[test]
    fn garbage_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
        let mut columns = Columns::default();
        let _ = decode_columns(&bytes, usize::MAX, (i64::MIN, i64::MAX), &mut columns);
        prop_assert!(columns.timestamps.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
