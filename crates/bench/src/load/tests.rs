use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use wire::prometheus::WriteRequest;

use super::*;
use crate::progress::Progress;

const PLAN: Plan = Plan { series: 6_130, steps: 3, end: 1_750_000_005_000, seed: 7 };

fn bodies(lane: &mut dyn Lane) -> Vec<Body> {
    std::iter::from_fn(|| lane.next().unwrap()).collect()
}

fn generated(plan: Plan, lane: usize, lanes: usize) -> Vec<Body> {
    let scratch = tempfile::tempdir().unwrap();
    bodies(&mut Generator::new(plan, scratch.path(), lane, lanes).unwrap())
}

fn decoded(body: &Body) -> WriteRequest {
    let raw = snap::raw::Decoder::new().decompress_vec(&body.bytes).unwrap();
    WriteRequest::decode(raw.as_slice()).unwrap()
}

#[test]
fn a_plan_has_its_times() {
    assert_eq!(PLAN.start(), PLAN.end - 30_000);
    assert_eq!(PLAN.samples(), 18_390);
    assert_eq!(PLAN.targets(), 24);
    assert_eq!(Plan::align(1_750_000_019_999), 1_750_000_005_000);
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let whole = generated(PLAN, 0, 1);
    assert_eq!(whole, generated(PLAN, 0, 1));
    assert_ne!(whole, generated(Plan { seed: 8, ..PLAN }, 0, 1));
}

#[test]
fn lanes_share_the_same_bodies() {
    let mut whole = generated(PLAN, 0, 1);
    let mut shared: Vec<Body> = (0..2).flat_map(|lane| generated(PLAN, lane, 2)).collect();
    let key = |body: &Body| (body.step, body.number);
    whole.sort_by_key(key);
    shared.sort_by_key(key);
    assert_eq!(whole, shared);
    assert!(generated(PLAN, 5, 8).is_empty(), "more connections than bodies");
}

#[test]
fn a_file_holds_what_is_generated() {
    let dir = tempfile::tempdir().unwrap();
    let file = BodyFile::create(PLAN, &dir.path().join("bodies"), &Progress::silent()).unwrap();
    for (lane, lanes) in [(0, 1), (0, 2), (1, 2)] {
        assert_eq!(bodies(&mut file.lane(lane, lanes).unwrap()), generated(PLAN, lane, lanes));
    }
    assert_eq!(file.bytes, generated(PLAN, 0, 1).iter().map(|body| body.bytes.len() as u64).sum::<u64>());
}

#[test]
fn every_series_has_one_sample_a_step_in_order() {
    let mut times: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    let mut samples = 0;
    for body in generated(PLAN, 0, 1) {
        let request = decoded(&body);
        assert_eq!(request.timeseries.len(), body.samples as usize);
        samples += u64::from(body.samples);
        for series in request.timeseries {
            let labels: Vec<_> = series.labels.into_iter().map(|label| (label.name, label.value)).collect();
            assert!(labels.is_sorted());
            let [sample] = series.samples[..] else { panic!("one sample a series and body") };
            times.entry(labels).or_default().push(sample.timestamp);
        }
    }
    assert_eq!(samples, PLAN.samples());
    assert_eq!(times.len(), PLAN.series);
    let want: Vec<i64> = (0..3).map(|step| PLAN.start() + step * STEP).collect();
    assert!(times.values().all(|have| *have == want));
    let ups = times.keys().filter(|labels| labels.iter().any(|(_, value)| value == "up")).count();
    assert_eq!(ups, PLAN.targets());
}

#[test]
fn bodies_have_the_intended_size() {
    let all = generated(PLAN, 0, 1);
    let samples: Vec<u32> = all.iter().take(3).map(|body| body.samples).collect();
    assert_eq!(samples, [2_500, 2_500, 1_130]);
    let raw = snap::raw::decompress_len(&all[0].bytes).unwrap();
    assert!((500_000..700_000).contains(&raw), "{raw} bytes before compression");
    let values: BTreeSet<u64> = all
        .iter()
        .flat_map(|body| decoded(body).timeseries)
        .map(|series| series.samples[0].value.to_bits())
        .collect();
    assert!(values.len() > 1_000, "{} different values", values.len());
}

#[test]
fn times_that_do_not_fit_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    assert!(Generator::new(Plan { end: 0, ..PLAN }, scratch.path(), 0, 1).is_err());
}
