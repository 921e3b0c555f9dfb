//! Whether an answer is the expected one.

use model::{FloatHistogram, HistogramPoint as Sample, Labels, Millis};

use super::{Expectation, Expected, HistogramPoint, Point, TextMatch, Times};
use crate::{QueryResult, RangeSeries, SampleValue, Value, histogram::Native};

/// Numbers may differ by this share.
const TOLERANCE: f64 = 1e-6;

/// Compares an answer; the error says what differs.
pub(super) fn compare_value(
    value: &Value,
    expected: &Expected,
    times: Times,
    ordered: bool,
) -> Result<(), String> {
    match (value, expected) {
        (Value::Scalar { value, .. }, Expected::Scalar(want)) => match equal(*value, *want) {
            true => Ok(()),
            false => Err(format!("got {value}, want {want}")),
        },
        (Value::String { value, .. }, Expected::String(want)) => match value == want {
            true => Ok(()),
            false => Err(format!("got {value:?}, want {want:?}")),
        },
        (Value::Vector(samples), Expected::Series(want)) => {
            let got: Vec<(&Labels, Vec<GotPoint<'_>>)> = samples
                .iter()
                .map(|sample| {
                    let point = match &sample.value {
                        SampleValue::Float(value) => GotPoint::Float(*value),
                        SampleValue::Histogram(histogram) => GotPoint::Histogram(histogram),
                    };
                    (&sample.labels, vec![point])
                })
                .collect();
            compare_series(&got, want, 1, ordered)
        }
        (Value::Matrix(series), Expected::Series(want)) => {
            let Times::Range(from, to, step) = times else {
                return Err("got a range vector, want an instant vector".to_owned());
            };
            compare_matrix(series, want, from, step, usize::try_from((to - from) / step).unwrap_or(0) + 1)
        }
        (Value::Matrix(series), Expected::RangeVector { from, step, series: want }) => {
            let points = want.iter().map(|(_, points)| points.len()).max().unwrap_or(0);
            compare_matrix(series, want, *from, *step, points)
        }
        (value, _) => Err(format!("got a {}, which is not what was expected", value.type_name())),
    }
}

#[derive(Clone, Copy)]
enum GotPoint<'a> {
    Gap,
    Float(f64),
    Histogram(&'a FloatHistogram),
}

fn compare_matrix(
    series: &[RangeSeries],
    want: &[(Labels, Vec<Point>)],
    from: Millis,
    step: Millis,
    points: usize,
) -> Result<(), String> {
    let mut got = Vec::new();
    for RangeSeries { labels, samples } in series {
        let mut row = vec![GotPoint::Gap; points];
        let place =
            |time: Millis| usize::try_from((time - from) / step).ok().filter(|_| (time - from) % step == 0);
        let floats = samples
            .timestamps
            .iter()
            .zip(&samples.values)
            .map(|(time, value)| (*time, GotPoint::Float(*value)));
        let histograms = samples
            .histograms
            .iter()
            .map(|Sample { timestamp, histogram }| (*timestamp, GotPoint::Histogram(histogram)));
        for (time, point) in floats.chain(histograms) {
            let at = place(time);
            match at.and_then(|at| row.get_mut(at)) {
                Some(slot) => *slot = point,
                None => return Err(format!("{labels} has an unexpected sample at {time} ms")),
            }
        }
        got.push((labels, row));
    }
    compare_series(&got, want, points, false)
}

fn compare_series(
    got: &[(&Labels, Vec<GotPoint<'_>>)],
    want: &[(Labels, Vec<Point>)],
    points: usize,
    ordered: bool,
) -> Result<(), String> {
    for (at, (labels, row)) in got.iter().enumerate() {
        let position = want.iter().position(|(want, _)| want == *labels);
        let Some(position) = position else {
            return Err(format!("unexpected series {labels}"));
        };
        if ordered && position != at {
            return Err(format!("{labels} at place {at}, want it at {position}"));
        }
        for step in 0..points {
            let got = row.get(step).copied().unwrap_or(GotPoint::Gap);
            let want = want[position].1.get(step).unwrap_or(&Point::Gap);
            if !same(got, want) {
                return Err(format!(
                    "{labels} step {step}: got {}, want {}",
                    describe(got),
                    describe_wanted(want)
                ));
            }
        }
    }
    for (labels, row) in want {
        let empty = row.iter().all(|point| *point == Point::Gap);
        if !empty && !got.iter().any(|(got, _)| *got == labels) {
            return Err(format!("missing series {labels}"));
        }
    }
    Ok(())
}

fn same(got: GotPoint<'_>, want: &Point) -> bool {
    match (got, want) {
        (GotPoint::Gap, Point::Gap) => true,
        (GotPoint::Float(got), Point::Float(want)) => equal(got, *want),
        (GotPoint::Histogram(got), Point::Histogram(want)) => same_histogram(got, want),
        _ => false,
    }
}

fn same_histogram(got: &FloatHistogram, want: &HistogramPoint) -> bool {
    let has_hint = want.has_hint;
    let (got, want) = (Native::from(got), Native::from(&want.histogram));
    let buckets = |got: &[(i32, f64)], want: &[(i32, f64)]| {
        got.len() == want.len() && got.iter().zip(want).all(|(a, b)| a.0 == b.0 && equal(a.1, b.1))
    };
    got.schema == want.schema
        && equal(got.count, want.count)
        && equal(got.sum, want.sum)
        && equal(got.zero_threshold, want.zero_threshold)
        && equal(got.zero_count, want.zero_count)
        && got.custom_values == want.custom_values
        && buckets(&got.positive, &want.positive)
        && buckets(&got.negative, &want.negative)
        && (!has_hint || got.hint == want.hint)
}

fn describe(point: GotPoint<'_>) -> String {
    match point {
        GotPoint::Gap => "nothing".to_owned(),
        GotPoint::Float(value) => value.to_string(),
        GotPoint::Histogram(histogram) => format!("{histogram:?}"),
    }
}

fn describe_wanted(point: &Point) -> String {
    match point {
        Point::Gap => "nothing".to_owned(),
        Point::Float(value) => value.to_string(),
        Point::Histogram(point) => format!("{:?}", point.histogram),
    }
}

fn equal(got: f64, want: f64) -> bool {
    if got == want || got.is_nan() && want.is_nan() {
        return true;
    }
    let difference = (got - want).abs();
    let sum = got.abs() + want.abs();
    if got == 0.0 || want == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// Compares what goes with the answer.
pub(super) fn compare_notes(result: &QueryResult, expectations: &[Expectation]) -> Result<(), String> {
    let warnings = expectations.iter().filter_map(|expectation| match expectation {
        Expectation::Warn(text) => Some(text),
        _ => None,
    });
    let infos = expectations.iter().filter_map(|expectation| match expectation {
        Expectation::Info(text) => Some(text),
        _ => None,
    });
    compare_texts("warning", &result.warnings, &warnings.collect::<Vec<_>>())?;
    compare_texts("info", &result.infos, &infos.collect::<Vec<_>>())?;
    for (expectation, texts) in
        [(Expectation::NoWarn, &result.warnings), (Expectation::NoInfo, &result.infos)]
    {
        if expectations.contains(&expectation) && !texts.is_empty() {
            return Err(format!("unexpected {texts:?}"));
        }
    }
    Ok(())
}

/// Each text needs a match and each match a text, if there are matches at all.
fn compare_texts(kind: &str, texts: &[String], wanted: &[&TextMatch]) -> Result<(), String> {
    if wanted.is_empty() {
        return Ok(());
    }
    if let Some(missing) = wanted.iter().find(|wanted| !texts.iter().any(|text| matches(wanted, text))) {
        return Err(format!("no {kind} like {missing:?}, got {texts:?}"));
    }
    match texts.iter().find(|text| !wanted.iter().any(|wanted| matches(wanted, text))) {
        Some(text) => Err(format!("unexpected {kind}: {text}")),
        None => Ok(()),
    }
}

pub(super) fn matches(wanted: &TextMatch, text: &str) -> bool {
    match wanted {
        TextMatch::Any => true,
        TextMatch::Exact(exact) => exact == text,
        TextMatch::Pattern(pattern) => go_regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)),
    }
}
