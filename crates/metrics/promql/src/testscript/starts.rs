//! Start timestamps: a line before a series, `name{labels}@st -30s -30sx4 _ 0s+10sx3`, with one item a sample.
//!
//! Each is relative to its sample's time. `dxn` stands for n + 1 of them, like numbers in series; `_` says nothing.

use model::Millis;

use crate::syntax::parse_duration;

/// The most start timestamps a line may expand to.
const MAX_STARTS: usize = 1_000_000;

type Starts = Vec<Option<Millis>>;

/// The labels and the items of a line of start timestamps, if it is one.
pub(super) fn split_starts(line: &str) -> Option<(&str, &str)> {
    let (labels, starts) = line.split_once(char::is_whitespace)?;
    Some((labels.strip_suffix("@st")?, starts))
}

pub(super) fn parse_starts(text: &str) -> Result<Starts, String> {
    let mut starts = Vec::new();
    for item in text.split_whitespace() {
        expand(item, &mut starts).ok_or_else(|| format!("invalid start timestamp {item:?}"))?;
        if starts.len() > MAX_STARTS {
            return Err(format!("more than {MAX_STARTS} start timestamps"));
        }
    }
    Ok(starts)
}

fn expand(item: &str, starts: &mut Starts) -> Option<()> {
    let (what, count) = match item.split_once('x') {
        Some((what, count)) => {
            (what, Some(count.parse::<usize>().ok().filter(|count| *count <= MAX_STARTS)?))
        }
        None => (item, None),
    };
    if what == "_" {
        starts.extend(std::iter::repeat_n(None, count.unwrap_or(1)));
        return Some(());
    }
    // The first sign belongs to the duration itself.
    let step_at = what.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at);
    let (first, step) = what.split_at(step_at.unwrap_or(what.len()));
    let step = if step.is_empty() { 0 } else { signed(step)? };
    if step_at.is_some() && count.is_none() {
        return None;
    }
    let mut start = signed(first)?;
    for _ in 0..=count.unwrap_or(0) {
        starts.push(Some(start));
        start = start.checked_add(step)?;
    }
    Some(())
}

fn signed(text: &str) -> Option<Millis> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let millis = parse_duration(text).ok()?;
    Some(if negative { -millis } else { millis })
}

#[cfg(test)]
mod tests {
    use super::{parse_starts, split_starts};

    #[test]
    fn lines_of_start_timestamps() {
        assert_eq!(split_starts(r#"a{b="c"}@st  -1m _"#), Some((r#"a{b="c"}"#, " -1m _")));
        assert_eq!(split_starts("a 1 2"), None);
        let parsed = parse_starts("-1m30s _ 0sx1 _x2 10s-5sx2 -1m+1sx1").unwrap();
        let want = [
            Some(-90_000),
            None,
            Some(0),
            Some(0),
            None,
            None,
            Some(10_000),
            Some(5_000),
            Some(0),
            Some(-60_000),
            Some(-59_000),
        ];
        assert_eq!(parsed, want);
        for bad in ["1", "s", "1s+1s", "1sx", "1sx99999999", "_y", "-", "1s+x2", "é"] {
            assert!(parse_starts(bad).is_err(), "{bad}");
        }
    }
}
