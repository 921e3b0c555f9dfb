//! Series in short notation: `name{labels} 1 2+3x4 _ stale {{schema:0 sum:1}}`.

use model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Labels, METRIC_NAME, STALE_NAN, Span};

use super::HistogramPoint;
use crate::{histogram::Native, syntax};

/// The most points a series may expand to.
const MAX_POINTS: usize = 1_000_000;

/// One place in a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Point {
    /// No sample.
    Gap,
    /// A number; the staleness marker among them.
    Float(f64),
    /// A native histogram.
    Histogram(Box<HistogramPoint>),
}

/// Reads one line. The error says what is wrong, not where.
pub fn parse_series(line: &str) -> Result<(Labels, Vec<Point>), String> {
    let (labels, rest) = split_labels(line)?;
    let labels = parse_labels(labels)?;
    let mut points = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let end = item_end(rest);
        let (item, next) = rest.split_at(end);
        expand(item, &mut points)?;
        if points.len() > MAX_POINTS {
            return Err(format!("series has more than {MAX_POINTS} points"));
        }
        rest = next.trim_start();
    }
    Ok((labels, points))
}

/// The labels' text and what follows.
fn split_labels(line: &str) -> Result<(&str, &str), String> {
    let name_end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
    let Some(inside) = line[name_end..].strip_prefix('{') else {
        return Ok(line.split_at(name_end));
    };
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some('`') if c != '`' => {}
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '}' => return Ok(line.split_at(name_end + 1 + at + 1)),
            None => {}
        }
    }
    Err("unclosed brace".to_owned())
}

fn parse_labels(text: &str) -> Result<Labels, String> {
    if matches!(text.trim(), "" | "{}") {
        return Ok(Labels::empty());
    }
    // A selector with nothing but `=` is a label set; `{}` behind a name and empty values are allowed here.
    let expr = syntax::parse_labels(text).map_err(|error| error.to_string())?;
    let mut pairs = Vec::new();
    for matcher in &expr {
        if matcher.op() != model::MatchOp::Equal {
            return Err(format!("{matcher} is no label"));
        }
        if matcher.name() != METRIC_NAME || !matcher.value().is_empty() {
            pairs.push((matcher.name(), matcher.value()));
        }
    }
    Ok(Labels::from_pairs(pairs))
}

/// Where the item at the start of `text` ends: at a space outside of `{{ }}`.
fn item_end(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn expand(item: &str, points: &mut Vec<Point>) -> Result<(), String> {
    if let Some(rest) = item.strip_prefix('_') {
        let count = match rest.strip_prefix('x') {
            Some(count) => repetitions(count)?,
            None if rest.is_empty() => 1,
            None => return Err(format!("unexpected {rest:?} after _")),
        };
        points.extend(std::iter::repeat_n(Point::Gap, count));
        return Ok(());
    }
    if item == "stale" {
        points.push(Point::Float(STALE_NAN));
        return Ok(());
    }
    if item.starts_with("{{") {
        return expand_histogram(item, points);
    }
    let (mut value, rest) = take_number(item)?;
    if rest.is_empty() {
        points.push(Point::Float(value));
        return Ok(());
    }
    let (step, rest) = match rest.starts_with(['+', '-']) {
        true => take_number(rest)?,
        false => (0.0, rest),
    };
    let count = rest.strip_prefix('x').ok_or_else(|| format!("expected x in {item:?}"))?;
    for _ in 0..=repetitions(count)? {
        points.push(Point::Float(value));
        value += step;
    }
    Ok(())
}

fn repetitions(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if count <= MAX_POINTS => Ok(count),
        _ => Err(format!("invalid repetition {text:?}")),
    }
}

/// A number with sign at the start of `text`, and what follows it.
fn take_number(text: &str) -> Result<(f64, &str), String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign_size = text.len() - unsigned.len();
    let bytes = unsigned.as_bytes();
    let word = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let size = if word >= 3 {
        3
    } else {
        let mut at = bytes.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        if bytes.get(at).is_some_and(|byte| matches!(byte, b'e' | b'E')) {
            at += 1;
            at += usize::from(bytes.get(at).is_some_and(|byte| matches!(byte, b'+' | b'-')));
            at += bytes[at.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
        at
    };
    let (number, rest) = text.split_at_checked(sign_size + size).unwrap_or((text, ""));
    let value = model::parse_float(number).ok_or_else(|| format!("{number:?} is no number"))?;
    Ok((value, rest))
}

fn expand_histogram(item: &str, points: &mut Vec<Point>) -> Result<(), String> {
    let (base, rest) = take_histogram(item)?;
    if rest.is_empty() {
        points.push(Point::Histogram(Box::new(base)));
        return Ok(());
    }
    let (sign, step, rest) = match rest.as_bytes()[0] {
        sign @ (b'+' | b'-') => {
            let (step, rest) = take_histogram(&rest[1..])?;
            (if sign == b'+' { 1.0 } else { -1.0 }, Some(step), rest)
        }
        _ => (1.0, None, rest),
    };
    let count = rest.strip_prefix('x').ok_or_else(|| format!("expected x in {item:?}"))?;
    let mut current = base;
    // Whether hints count is said once, by the step.
    current.has_hint = step.as_ref().map_or(current.has_hint, |step| step.has_hint);
    for _ in 0..=repetitions(count)? {
        points.push(Point::Histogram(Box::new(current.clone())));
        if let Some(step) = &step {
            add(&mut current.histogram, &step.histogram, sign)?;
        }
    }
    Ok(())
}

/// One step of a series of histograms.
fn add(target: &mut FloatHistogram, step: &FloatHistogram, sign: f64) -> Result<(), String> {
    let mut sum = Native::from(&*target);
    let fault = |_| "steps between exponential and custom buckets".to_owned();
    sum.add(&Native::from(step), sign).map_err(fault)?;
    *target = sum.into();
    Ok(())
}

/// A histogram in double braces at the start of `text`, and what follows it.
fn take_histogram(text: &str) -> Result<(HistogramPoint, &str), String> {
    let inner = text.strip_prefix("{{").ok_or_else(|| format!("expected a histogram at {text:?}"))?;
    let end = inner.find("}}").ok_or("unclosed histogram")?;
    let (body, rest) = (&inner[..end], &inner[end + 2..]);
    let mut histogram = FloatHistogram::default();
    let (mut offset, mut negative_offset) = (0, 0);
    let mut has_hint = false;
    for (key, value) in descriptors(body)? {
        let number = || model::parse_float(value).ok_or_else(|| format!("{value:?} is no number"));
        let integer = || value.parse::<i32>().map_err(|_| format!("{value:?} is no integer"));
        match key {
            "schema" => histogram.schema = integer()?,
            "sum" => histogram.sum = number()?,
            "count" => histogram.count = number()?,
            "z_bucket" => histogram.zero_count = number()?,
            "z_bucket_w" => histogram.zero_threshold = number()?,
            "offset" => offset = integer()?,
            "n_offset" => negative_offset = integer()?,
            "buckets" => histogram.positive_buckets = numbers(value)?,
            "n_buckets" => histogram.negative_buckets = numbers(value)?,
            "custom_values" => histogram.custom_values = numbers(value)?,
            "counter_reset_hint" => {
                has_hint = true;
                histogram.counter_reset_hint = match value {
                    "unknown" => CounterResetHint::Unknown,
                    "reset" => CounterResetHint::Reset,
                    "not_reset" => CounterResetHint::NotReset,
                    "gauge" => CounterResetHint::Gauge,
                    _ => return Err(format!("unknown reset hint {value:?}")),
                };
            }
            _ => return Err(format!("bad histogram descriptor found: {key:?}")),
        }
    }
    let spans = |offset: i32, buckets: &[f64]| match u32::try_from(buckets.len()) {
        Ok(length @ 1..) => vec![Span { offset, length }],
        _ => Vec::new(),
    };
    histogram.positive_spans = spans(offset, &histogram.positive_buckets);
    histogram.negative_spans = spans(negative_offset, &histogram.negative_buckets);
    if !histogram.custom_values.is_empty() && histogram.schema != CUSTOM_BUCKETS_SCHEMA {
        return Err("custom values need schema -53".to_owned());
    }
    Ok((HistogramPoint { histogram, has_hint }, rest))
}

/// `key:value` pairs; a value in brackets may contain spaces.
fn descriptors(body: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':').ok_or_else(|| format!("missing `:` in {rest:?}"))?;
        let after = after.trim_start();
        let end = match after.starts_with('[') {
            true => after.find(']').ok_or("unclosed bracket")? + 1,
            false => after.find(char::is_whitespace).unwrap_or(after.len()),
        };
        pairs.push((key.trim_end(), &after[..end]));
        rest = after[end..].trim_start();
    }
    Ok(pairs)
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("expected numbers in brackets, got {text:?}"))?;
    inner
        .split_whitespace()
        .map(|number| model::parse_float(number).ok_or_else(|| format!("{number:?} is no number")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Point, parse_series};

    fn floats(line: &str) -> Vec<Option<f64>> {
        let (_, points) = parse_series(line).unwrap();
        points
            .into_iter()
            .map(|point| match point {
                Point::Gap => None,
                Point::Float(value) => Some(value),
                Point::Histogram(_) => Some(f64::NAN),
            })
            .collect()
    }

    #[test]
    fn expands_short_notation() {
        assert_eq!(floats("a 1 _ -2.5e1"), [Some(1.0), None, Some(-25.0)]);
        assert_eq!(floats("a 1+2x2 _x2"), [Some(1.0), Some(3.0), Some(5.0), None, None]);
        assert_eq!(floats("a 0x1 5-1x1"), [Some(0.0), Some(0.0), Some(5.0), Some(4.0)]);
        assert_eq!(floats("a Inf -inf"), [Some(f64::INFINITY), Some(f64::NEG_INFINITY)]);
    }

    #[test]
    fn reads_labels_and_histograms() {
        let (labels, points) =
            parse_series(r#"up{job="a b", x='}'} {{schema:1 sum:3 buckets:[5 10 7]}}x1"#).unwrap();
        assert_eq!(labels.to_string(), r#"{__name__="up", job="a b", x="}"}"#);
        assert_eq!(points.len(), 2);
        let Point::Histogram(point) = &points[1] else { panic!("{points:?}") };
        assert_eq!(point.histogram.positive_buckets, [5.0, 10.0, 7.0]);
        for bad in ["a{", "a 1x", "a 1x99999999", "a one", "a {{nope:1}}", "a{b!=\"c\"} 1"] {
            assert!(parse_series(bad).is_err(), "{bad}");
        }
    }
}
