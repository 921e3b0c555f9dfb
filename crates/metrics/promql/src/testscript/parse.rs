//! Reading scripts.

use model::{Labels, Millis};

use super::{
    Command, CommandKind, Eval, Expectation, Expected, Load, LoadedSeries, Point, Script, TextMatch, Times,
    parse_series,
    starts::{parse_starts, split_starts},
};
use crate::syntax::{self, ExprKind, ParserOptions, parse_duration};

/// A script that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// From one.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Lines without surrounding blanks, comments as empty lines.
struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied();
        self.at += 1;
        line
    }

    /// The next line of a block; `None` at its end.
    fn next_of_block(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied().filter(|line| !line.is_empty())?;
        self.at += 1;
        Some(line)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ScriptError> {
        Err(ScriptError { line: self.at, message: message.into() })
    }

    fn check<T>(&self, result: Result<T, String>) -> Result<T, ScriptError> {
        result.or_else(|message| self.fail(message))
    }
}

/// Reads a script.
pub fn parse(text: &str) -> Result<Script, ScriptError> {
    let lines = text
        .lines()
        .map(|line| match line.trim() {
            line if line.starts_with('#') => "",
            line => line,
        })
        .collect();
    let mut lines = Lines { lines, at: 0 };
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        let number = lines.at;
        let (word, rest) = split_word(line);
        let kind = match word {
            "" => continue,
            "clear" if rest.is_empty() => CommandKind::Clear,
            "load" | "load_with_nhcb" => {
                CommandKind::Load(parse_load(&mut lines, rest, word == "load_with_nhcb")?)
            }
            _ if word == "eval" || word.starts_with("eval_") => {
                CommandKind::Eval(Box::new(parse_eval(&mut lines, word, rest)?))
            }
            _ => return lines.fail(format!("unknown command {word:?}")),
        };
        commands.push(Command { line: number, kind });
    }
    Ok(Script { commands })
}

fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn parse_load(lines: &mut Lines<'_>, step: &str, with_nhcb: bool) -> Result<Load, ScriptError> {
    let step = lines.check(parse_time(step))?;
    let mut series = Vec::new();
    let mut announced: Option<(Labels, Vec<Option<Millis>>)> = None;
    while let Some(line) = lines.next_of_block() {
        if let Some((labels, starts)) = split_starts(line) {
            if announced.is_some() {
                return lines.fail("no samples follow the start timestamps");
            }
            let (labels, _) = lines.check(parse_series(labels))?;
            announced = Some((labels, lines.check(parse_starts(starts))?));
            continue;
        }
        let (labels, points) = lines.check(parse_series(line))?;
        let starts = match announced.take() {
            None => Vec::new(),
            Some((of, starts)) if of == labels && starts.len() == points.len() => starts,
            Some((of, _)) if of != labels => {
                return lines.fail(format!("the start timestamps are those of {of}"));
            }
            Some((_, starts)) => {
                let (starts, points) = (starts.len(), points.len());
                return lines.fail(format!("there are {starts} start timestamps and {points} samples"));
            }
        };
        series.push(LoadedSeries { labels, points, starts });
    }
    match announced {
        None => Ok(Load { step, with_nhcb, series }),
        Some(_) => lines.fail("no samples follow the start timestamps"),
    }
}

fn parse_eval(lines: &mut Lines<'_>, verb: &str, rest: &str) -> Result<Eval, ScriptError> {
    let mut expectations = match verb {
        "eval" => Vec::new(),
        "eval_fail" => vec![Expectation::Fail(TextMatch::Any)],
        "eval_warn" => vec![Expectation::Warn(TextMatch::Any)],
        "eval_info" => vec![Expectation::Info(TextMatch::Any)],
        "eval_ordered" => vec![Expectation::Ordered],
        _ => return lines.fail(format!("unknown command {verb:?}")),
    };
    let (times, query) = lines.check(parse_times(rest))?;
    let mut expected = Expected::Series(Vec::new());
    let mut series = Vec::new();
    while let Some(line) = lines.next_of_block() {
        let (word, rest) = split_word(line);
        match word {
            "expect" => lines.check(parse_expect(rest, &mut expectations, &mut expected))?,
            "expected_fail_message" => replace_fail(&mut expectations, TextMatch::Exact(rest.to_owned())),
            "expected_fail_regexp" => replace_fail(&mut expectations, TextMatch::Pattern(rest.to_owned())),
            _ => match number(line) {
                Some(value) => expected = Expected::Scalar(value),
                None => series.push(lines.check(parse_series(line))?),
            },
        }
    }
    match &mut expected {
        Expected::Series(slot) | Expected::RangeVector { series: slot, .. } => *slot = series,
        Expected::Scalar(value) if matches!(times, Times::Range(..)) => {
            // A scalar over a range is a series without labels.
            expected = Expected::Series(vec![(Labels::empty(), vec![Point::Float(*value)])]);
        }
        Expected::Scalar(_) | Expected::String(_) => {}
    }
    Ok(Eval { query: query.to_owned(), times, expected, expectations })
}

/// `instant at T query` or `range from A to B step S query`.
fn parse_times(text: &str) -> Result<(Times, &str), String> {
    let (kind, rest) = split_word(text);
    let take = |keyword: &str, text: &'_ str| -> Result<(Millis, usize), String> {
        let (word, rest) = split_word(text);
        if word != keyword {
            return Err(format!("expected `{keyword}`, got {word:?}"));
        }
        let (time, rest) = split_word(rest);
        Ok((parse_time(time)?, text.len() - rest.len()))
    };
    match kind {
        "instant" => {
            let (at, used) = take("at", rest)?;
            Ok((Times::Instant(at), &rest[used..]))
        }
        "range" => {
            let mut rest = rest;
            let mut values = [0; 3];
            for (value, keyword) in values.iter_mut().zip(["from", "to", "step"]) {
                let (time, used) = take(keyword, rest)?;
                *value = time;
                rest = &rest[used..];
            }
            let [from, to, step] = values;
            if to < from || step <= 0 {
                return Err("invalid time range".to_owned());
            }
            Ok((Times::Range(from, to, step), rest))
        }
        _ => Err(format!("expected `instant` or `range`, got {kind:?}")),
    }
}

/// A duration or seconds, from the epoch, to milliseconds.
fn parse_time(text: &str) -> Result<Millis, String> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let millis = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => (seconds * 1000.0).round() as Millis,
        _ => parse_duration(text)?,
    };
    Ok(if negative { -millis } else { millis })
}

/// A number as the language writes it, with a sign.
fn number(line: &str) -> Option<f64> {
    let magnitude = |text: &str| model::parse_float(text).or_else(|| syntax::parse_number(text).ok());
    match line.strip_prefix('-') {
        Some(line) => magnitude(line).map(|value| -value),
        None => magnitude(line.strip_prefix('+').unwrap_or(line)),
    }
}

fn parse_expect(
    text: &str,
    expectations: &mut Vec<Expectation>,
    expected: &mut Expected,
) -> Result<(), String> {
    let (word, rest) = split_word(text);
    match word {
        "ordered" => expectations.push(Expectation::Ordered),
        "no_warn" => expectations.push(Expectation::NoWarn),
        "no_info" => expectations.push(Expectation::NoInfo),
        "fail" => expectations.push(Expectation::Fail(text_match(rest)?)),
        "warn" => expectations.push(Expectation::Warn(text_match(rest)?)),
        "info" => expectations.push(Expectation::Info(text_match(rest)?)),
        "string" => {
            let expr = syntax::parse(rest, ParserOptions::all()).map_err(|error| error.to_string())?;
            match &expr.kind {
                ExprKind::String(string) => *expected = Expected::String(string.to_text()),
                _ => return Err(format!("expected a string, got {rest}")),
            }
        }
        "range" => {
            let times = rest.strip_prefix("vector").map(|times| format!("range {times}"));
            let times = times.ok_or_else(|| format!("unknown expectation {text:?}"))?;
            let (Times::Range(from, _, step), _) = parse_times(&times)? else {
                return Err(format!("unknown expectation {text:?}"));
            };
            *expected = Expected::RangeVector { from, step, series: Vec::new() };
        }
        _ => return Err(format!("unknown expectation {text:?}")),
    }
    Ok(())
}

fn text_match(text: &str) -> Result<TextMatch, String> {
    if text.is_empty() {
        return Ok(TextMatch::Any);
    }
    if let Some(exact) = text.strip_prefix("msg:") {
        return Ok(TextMatch::Exact(exact.trim().to_owned()));
    }
    if let Some(pattern) = text.strip_prefix("regex:") {
        return Ok(TextMatch::Pattern(pattern.trim().to_owned()));
    }
    Err(format!("expected `msg:` or `regex:`, got {text:?}"))
}

fn replace_fail(expectations: &mut Vec<Expectation>, text: TextMatch) {
    expectations.retain(|expectation| !matches!(expectation, Expectation::Fail(_)));
    expectations.push(Expectation::Fail(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_commands() {
        let script = parse(
            "load 5m\n  a 1 2\n\n# comment\neval instant at 50m sum by (x) (a)\n  expect warn msg: text\n  {x=\"y\"} 3\n\nclear\n\
             eval range from 0 to 1m step 30s a\n  a 1 _ 2\n\neval_fail instant at 0 b\n\neval instant at 1 1+1\n  2\n",
        )
        .unwrap();
        assert_eq!(script.commands.len(), 6);
        let CommandKind::Eval(eval) = &script.commands[1].kind else { panic!() };
        assert_eq!((eval.query.as_str(), eval.times), ("sum by (x) (a)", Times::Instant(3_000_000)));
        assert_eq!(eval.expectations, [Expectation::Warn(TextMatch::Exact("text".into()))]);
        let CommandKind::Eval(eval) = &script.commands[5].kind else { panic!() };
        assert_eq!(eval.expected, Expected::Scalar(2.0));
    }

    #[test]
    fn errors_name_the_line() {
        let check = |text: &str, line: usize| assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        check("\nnope", 2);
        check("load 5m\n a{ 1", 2);
        check("eval instant 5m a", 1);
        check("eval range from 5m to 1m step 1m a", 1);
        check("eval instant at 5m a\n expect nothing", 2);
        check("load 5m\n a@st 1s\n b 1", 3);
        check("load 5m\n a@st 1s 1s\n a 1", 3);
        check("load 5m\n a@st 1s\n\n a 1", 2);
    }
}
