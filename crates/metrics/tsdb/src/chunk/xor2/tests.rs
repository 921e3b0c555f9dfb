//! Facts of the format, round trips, and garbage.

use model::STALE_NAN;
use proptest::prelude::*;

use super::*;
use crate::chunk::tests::{packed, series};

fn encode(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut encoder = Xor2Encoder::new();
    for (timestamp, value) in samples {
        encoder.append(*timestamp, *value);
    }
    assert_eq!(usize::from(encoder.len()), samples.len());
    encoder.bytes().to_vec()
}

fn decode(chunk: &[u8]) -> Result<Vec<(i64, u64)>, ChunkError> {
    let mut samples = Vec::new();
    decode_xor2(chunk, usize::MAX, |timestamp, value| {
        samples.push((timestamp, value.to_bits()));
        ControlFlow::Continue(())
    })?;
    Ok(samples)
}

#[test]
fn a_steady_sample_takes_one_bit() {
    let one = 1f64.to_bits();
    let want = packed(&[0, 4, 0], &format!("11010000 00001111 {one:064b} 00001010 0 0 0"));
    assert_eq!(encode(&[(1000, 1.0), (1010, 1.0), (1020, 1.0), (1030, 1.0)]), want);
}

#[test]
fn classes_of_time_are_twos_complement() {
    let check = |change: i64, bits: &str| {
        let third = 2_000_000 + change;
        let want = packed(&[0, 3, 0], &format!("00000000 {:064b} 11000000 10000100 00111101 0 {bits} 0", 0));
        assert_eq!(encode(&[(0, 0.0), (1_000_000, 0.0), (third, 0.0)]), want, "{change}");
        assert_eq!(decode(&want).unwrap()[2].0, third);
    };
    check(1, "110 0000000000001");
    check(4095, "110 0111111111111");
    check(-4096, "110 1000000000000");
    check(4096, "1110 00000001000000000000");
    check(-4097, "1110 11111110111111111111");
    check(524_287, "1110 01111111111111111111");
    check(-524_288, "1110 10000000000000000000");
    check(524_288, &format!("11110 {:064b}", 524_288));
    check(-524_289, &format!("11110 {:064b}", -524_289i64));
}

#[test]
fn values_have_a_shorter_form_where_time_is_as_expected() {
    let (two, three) = (2f64.to_bits(), 3f64.to_bits());
    assert_eq!(two ^ three, 1 << 51);
    let samples = [(0, 2.0), (1, 3.0), (2, 2.0), (3, 4.0), (5, 4.5), (7, 4.5), (10, 4.0), (20, STALE_NAN)];
    let (four, more) = (4f64.to_bits(), 4.5f64.to_bits());
    let window = |change: u64| {
        let significant = 64 - change.leading_zeros() - change.trailing_zeros();
        format!("{:05b} {significant:06b} {:b}", change.leading_zeros(), change >> change.trailing_zeros())
    };
    let bits = [
        format!("00000000 {two:064b}"),
        format!("00000001 110 {}", window(two ^ three)),
        // Changed within the window, in a new window.
        "10 0 1".to_owned(),
        format!("10 1 {}", window(two ^ four)),
        // With another delta of time: in a new window, unchanged, within the window, stale.
        format!("110 0000000000001 110 {}", window(four ^ more)),
        "0".to_owned(),
        "110 0000000000001 10 1".to_owned(),
        "110 0000000000111 111".to_owned(),
    ];
    assert_eq!(encode(&samples), packed(&[0, 8, 0], &bits.join(" ")));
}

#[test]
fn a_stale_sample_takes_no_part_in_the_values() {
    let samples = [(0, 1.0), (10, STALE_NAN), (20, 1.0), (30, STALE_NAN), (40, 1.0)];
    let bits = format!("00000000 {:064b} 00001010 111 0 11111 0", 1f64.to_bits());
    assert_eq!(encode(&samples), packed(&[0, 5, 0], &bits));
    assert_eq!(decode(&encode(&samples)).unwrap()[3], (30, STALE_NAN.to_bits()));
}

#[test]
fn long_chunks_tell_start_times_that_are_none() {
    let samples: Vec<_> = (0..129).map(|n| (n * 10, 1.0)).collect();
    let chunk = encode(&samples);
    assert_eq!(chunk[2], 127);
    // Samples 2 … 126 have a bit each; 127 and 128 one, then the distance of the sample before from 0: 1260, and 10 more.
    let steady = "0".repeat(125);
    let bits =
        format!("00000000 {:064b} 00001010 0 {steady} 0 11110 010011101100 0 110 001010", 1f64.to_bits());
    assert_eq!(chunk, packed(&[0, 129, 127], &bits));
    assert_eq!(decode(&chunk).unwrap().len(), 129);
    assert_eq!(encode(&samples[..127])[2], 0);
}

#[test]
fn start_times_are_read_past() {
    // Start 5 ms before the first sample, then 3 ms before the first one, then 2 ms later than that was.
    let bits = format!("00010100 {:064b} 00001010 00001010 0 10 011 0 10 010 0 0", 1f64.to_bits());
    let chunk = packed(&[0, 4, 0x81], &bits);
    let times: Vec<_> = decode(&chunk).unwrap().into_iter().map(|(timestamp, _)| timestamp).collect();
    assert_eq!(times, [10, 20, 30, 40]);
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
        prop_assert!(decode(&chunk[..keep.index(chunk.len())]).is_err());
    }

    #[test]
    fn garbage_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }
}
