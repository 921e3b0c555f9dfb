//! Whether two servers say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// How far two values may be apart, as a share of the larger one: sums depend on the order of their parts.
const TOLERANCE: f64 = 1e-6;

/// Values that are both smaller than this are as good as zero.
const SMALL: f64 = 1e-9;

/// `data` of an answer without regard to order: what each series is at when, or the elements of a list, which have no values.
#[derive(Debug, Default, PartialEq)]
pub struct Answer(BTreeMap<String, BTreeMap<i64, f64>>);

/// What is not the same in two answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Series or elements that only one of them has.
    series: usize,
    /// Points of series in both that only one of them has.
    points: usize,
    /// Points in both that have other values.
    values: usize,
    /// The largest distance of such values, as a share of the larger one.
    worst: f64,
}

impl Answer {
    /// Reads `data` of the query API.
    pub fn parse(data: &Value) -> anyhow::Result<Self> {
        if let Value::Array(elements) = data {
            return Ok(Self(elements.iter().map(|element| (key(element), BTreeMap::new())).collect()));
        }
        let kind = data["resultType"].as_str().context("the answer has no type")?;
        let mut answer = Self::default();
        match kind {
            "scalar" => answer.add("scalar".to_owned(), std::slice::from_ref(&data["result"]))?,
            "vector" | "matrix" => {
                for series in data["result"].as_array().context("the answer has no series")? {
                    let points = match &series["values"] {
                        Value::Array(points) => points,
                        _ => std::slice::from_ref(&series["value"]),
                    };
                    answer.add(key(&series["metric"]), points)?;
                }
            }
            other => bail!("the answer is of type {other}"),
        }
        Ok(answer)
    }

    /// How many points it has, or elements.
    pub fn size(&self) -> usize {
        self.0.values().map(|points| points.len().max(1)).sum()
    }

    /// What is not the same in another one; `None` if they agree.
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        let names: [BTreeSet<_>; 2] = [&self.0, &other.0].map(|series| series.keys().collect());
        let mut found =
            Difference { series: names[0].symmetric_difference(&names[1]).count(), ..Difference::default() };
        for (name, ours) in &self.0 {
            if let Some(theirs) = other.0.get(name) {
                found.add(ours, theirs);
            }
        }
        (found != Difference::default()).then_some(found)
    }

    fn add(&mut self, series: String, points: &[Value]) -> anyhow::Result<()> {
        let points = points.iter().map(point).collect::<anyhow::Result<BTreeMap<_, _>>>();
        let points = points.with_context(|| format!("series {series}"))?;
        ensure!(!self.0.contains_key(&series), "series {series} is there twice");
        self.0.insert(series, points);
        Ok(())
    }
}

/// Labels, or what else an element of a list is, without regard to order.
fn key(value: &Value) -> String {
    match value {
        Value::Object(labels) => {
            let sorted: BTreeMap<_, _> = labels.iter().collect();
            format!("{sorted:?}")
        }
        other => other.to_string(),
    }
}

/// The time in milliseconds, and the value.
fn point(point: &Value) -> anyhow::Result<(i64, f64)> {
    let time = point[0].as_f64().context("a point has no time")?;
    let value = point[1].as_str().context("a point has no value")?;
    Ok(((time * 1e3).round() as i64, value.parse().context("a value is not a number")?))
}

impl Difference {
    fn add(&mut self, ours: &BTreeMap<i64, f64>, theirs: &BTreeMap<i64, f64>) {
        let mut shared = 0;
        for (time, ours) in ours {
            if let Some(theirs) = theirs.get(time) {
                shared += 1;
                let distance = distance(*ours, *theirs);
                if distance > TOLERANCE {
                    self.values += 1;
                    self.worst = self.worst.max(distance);
                }
            }
        }
        self.points += ours.len() + theirs.len() - 2 * shared;
    }
}

/// How far two values are apart, as a share of the larger one; what is not a number equals its like.
fn distance(a: f64, b: f64) -> f64 {
    if a == b || a.is_nan() && b.is_nan() {
        0.0
    } else if a.is_finite() && b.is_finite() {
        (a - b).abs() / a.abs().max(b.abs()).max(SMALL)
    } else {
        f64::INFINITY
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { series, points, values, worst } = self;
        let mut between = "";
        for (count, what) in [(series, "series not in both"), (points, "points not in both")] {
            if *count > 0 {
                write!(f, "{between}{count} {what}")?;
                between = ", ";
            }
        }
        if *values > 0 {
            write!(f, "{between}{values} other values (by up to {:.2} %)", worst * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(data: &Value) -> Answer {
        Answer::parse(data).unwrap()
    }

    fn matrix(series: &Value) -> Answer {
        answer(&json!({"resultType": "matrix", "result": series}))
    }

    fn vector(value: &str) -> Answer {
        answer(&json!({"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1.5, value]}]}))
    }

    fn difference(a: &Answer, b: &Answer) -> String {
        let (there, back) = (a.difference(b), b.difference(a));
        assert_eq!(there, back);
        there.map(|difference| difference.to_string()).unwrap_or_default()
    }

    #[test]
    fn order_does_not_matter() {
        let a = matrix(&json!([
            {"metric": {"a": "1", "b": "2"}, "values": [[1, "1"], [2, "2"]]},
            {"metric": {}, "values": [[1, "3"]]},
        ]));
        let b = matrix(&json!([
            {"metric": {}, "values": [[1.0, "3.0"]]},
            {"metric": {"b": "2", "a": "1"}, "values": [[1, "1"], [2.0001, "2e0"]]},
        ]));
        assert_eq!(difference(&a, &b), "");
        assert_eq!(a.size(), 3);
    }

    #[test]
    fn values_are_compared_with_tolerance() {
        let cases = [
            ("1", "1.0000009", ""),
            ("1", "1.00001", "1 other values (by up to 0.00 %)"),
            ("-2", "-1", "1 other values (by up to 50.00 %)"),
            ("1", "-1", "1 other values (by up to 200.00 %)"),
            ("0", "1e-16", ""),
            ("NaN", "NaN", ""),
            ("+Inf", "+Inf", ""),
            ("+Inf", "-Inf", "1 other values (by up to inf %)"),
            ("NaN", "0", "1 other values (by up to inf %)"),
            ("+Inf", "1", "1 other values (by up to inf %)"),
        ];
        for (a, b, want) in cases {
            assert_eq!(difference(&vector(a), &vector(b)), want, "{a} and {b}");
        }
    }

    #[test]
    fn what_only_one_has_is_counted() {
        let a = matrix(&json!([
            {"metric": {"a": "1"}, "values": [[1, "1"], [2, "2"], [3, "3"]]},
            {"metric": {"a": "2"}, "values": [[1, "1"]]},
        ]));
        let b = matrix(&json!([
            {"metric": {"a": "1"}, "values": [[1, "1"], [3, "4"], [4, "4"]]},
            {"metric": {"a": "3"}, "values": [[1, "1"]]},
        ]));
        let want = "2 series not in both, 2 points not in both, 1 other values (by up to 25.00 %)";
        assert_eq!(difference(&a, &b), want);
        assert_eq!(difference(&a, &matrix(&json!([]))), "2 series not in both");
    }

    #[test]
    fn lists_are_sets() {
        let a = answer(&json!(["x", "y"]));
        assert_eq!(difference(&a, &answer(&json!(["y", "x"]))), "");
        assert_eq!(difference(&a, &answer(&json!(["y"]))), "1 series not in both");
        let series = |labels: Value| answer(&json!([labels]));
        assert_eq!(
            difference(&series(json!({"a": "1", "b": "2"})), &series(json!({"b": "2", "a": "1"}))),
            ""
        );
        assert_eq!(a.size(), 2);
    }

    #[test]
    fn scalars_have_a_value() {
        let scalar = |value| answer(&json!({"resultType": "scalar", "result": [1, value]}));
        assert_eq!(difference(&scalar("1"), &scalar("1")), "");
        assert_ne!(difference(&scalar("1"), &scalar("2")), "");
    }

    #[test]
    fn what_is_not_an_answer_is_refused() {
        let twice = json!([{"metric": {}, "values": []}, {"metric": {}, "values": []}]);
        for wrong in [
            json!({}),
            json!({"resultType": "string", "result": [1, "x"]}),
            json!({"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]}),
            json!({"resultType": "vector", "result": [{"metric": {}}]}),
            json!({"resultType": "matrix", "result": twice}),
        ] {
            assert!(Answer::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
