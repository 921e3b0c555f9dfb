//! Walking over an exposition.

use std::borrow::Cow;

use model::{Millis, parse_float};
use storage::MetricType;

use super::{
    cursor::{Cursor, unescape},
    labels::is_name_byte,
};

/// Which of the two families of text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format.
    Text,
    /// OpenMetrics.
    OpenMetrics,
}

/// One meaningful line.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// `# HELP`
    Help {
        /// The family.
        family: Cow<'a, str>,
        /// The text, escapes resolved.
        text: Cow<'a, str>,
    },
    /// `# TYPE`
    Type {
        /// The family.
        family: Cow<'a, str>,
        /// The type.
        metric_type: MetricType,
    },
    /// `# UNIT`
    Unit {
        /// The family.
        family: Cow<'a, str>,
        /// The unit.
        unit: &'a str,
    },
    /// A sample.
    Sample(RawSample<'a>),
}

/// A sample whose labels are still text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawSample<'a> {
    /// Name and labels as written: everything before the value.
    pub series: &'a str,
    /// The value.
    pub value: f64,
    /// The sample's own time, if it has one.
    pub timestamp: Option<Millis>,
    /// Its exemplar, if it has one.
    pub exemplar: Option<RawExemplar<'a>>,
}

/// An exemplar whose labels are still text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawExemplar<'a> {
    /// Its labels with braces.
    pub labels: &'a str,
    /// Its value.
    pub value: f64,
    /// Its own time, if it has one.
    pub timestamp: Option<Millis>,
}

/// What is wrong with an exposition, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The meaningful lines of an exposition. After an error it is at its end.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a str,
    line: usize,
    format: Format,
    saw_eof: bool,
}

impl<'a> Lines<'a> {
    /// Starts reading.
    pub fn new(text: &'a str, format: Format) -> Self {
        Self { rest: text, line: 0, format, saw_eof: false }
    }

    fn read_next(&mut self) -> Result<Option<Item<'a>>, String> {
        while !self.rest.is_empty() {
            let (line, rest, ended) = match memchr::memchr(b'\n', self.rest.as_bytes()) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..], true),
                None => (self.rest, "", false),
            };
            self.rest = rest;
            self.line += 1;
            if self.format == Format::OpenMetrics {
                if self.saw_eof {
                    return Err("unexpected data after # EOF".into());
                }
                if line == "# EOF" {
                    self.saw_eof = true;
                    continue;
                }
                if !ended {
                    return Err("data does not end with # EOF".into());
                }
            }
            if let Some(item) = self.read_line(line)? {
                return Ok(Some(item));
            }
        }
        if self.format == Format::OpenMetrics && !self.saw_eof {
            return Err("data does not end with # EOF".into());
        }
        Ok(None)
    }

    fn read_line(&self, line: &'a str) -> Result<Option<Item<'a>>, String> {
        let text = match self.format {
            // The older format is lenient about blanks and line ends.
            Format::Text => line.trim_start_matches([' ', '\t']).trim_end_matches('\r'),
            Format::OpenMetrics => line,
        };
        if text.is_empty() {
            return if self.format == Format::Text { Ok(None) } else { Err("unexpected empty line".into()) };
        }
        match text.strip_prefix('#') {
            Some(comment) => self.comment(comment),
            None => self.sample(text).map(|sample| Some(Item::Sample(sample))),
        }
    }

    /// `# HELP`, `# TYPE`, `# UNIT`; in the older format anything else is a comment.
    fn comment(&self, comment: &'a str) -> Result<Option<Item<'a>>, String> {
        let mut cursor = Cursor::new(comment);
        cursor.skip_blanks();
        let keyword = cursor.token();
        let strict = self.format == Format::OpenMetrics;
        if !matches!(keyword, "HELP" | "TYPE" | "UNIT") || (keyword == "UNIT" && !strict) {
            return if strict { Err(format!("unexpected comment, found {keyword:?}")) } else { Ok(None) };
        }
        cursor.skip_blanks();
        let family = if cursor.peek() == Some(b'"') {
            cursor.quoted().ok_or("unterminated quoted metric name")?
        } else {
            Cow::Borrowed(cursor.take_while(is_name_byte))
        };
        if family.is_empty() {
            if !strict && cursor.rest.is_empty() {
                return Ok(None);
            }
            return Err(format!("expected metric name after {keyword}, got {:?}", cursor.rest));
        }
        if !cursor.rest.is_empty() && !cursor.skip_blanks() {
            return Err(format!("invalid metric name in {keyword}: unexpected {:?}", cursor.rest));
        }
        Ok(Some(match keyword {
            "HELP" => Item::Help { family, text: unescape(cursor.rest) },
            "UNIT" => Item::Unit { family, unit: cursor.rest },
            _ => {
                let name = if strict { cursor.rest } else { cursor.rest.trim_end() };
                let metric_type =
                    metric_type(name, strict).ok_or_else(|| format!("invalid metric type {name:?}"))?;
                Item::Type { family, metric_type }
            }
        }))
    }

    fn sample(&self, text: &'a str) -> Result<RawSample<'a>, String> {
        let mut cursor = Cursor::new(text);
        let name = cursor.take_while(is_name_byte);
        if name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return Err(format!("invalid metric name {name:?}"));
        }
        let mut end = text.len() - cursor.rest.len();
        if self.format == Format::Text {
            cursor.skip_blanks();
        }
        if cursor.peek() == Some(b'{') {
            skip_labels(&mut cursor)?;
            end = text.len() - cursor.rest.len();
        } else if name.is_empty() {
            return Err(format!("expected a metric, got {:?}", shorten(text)));
        }
        let series = &text[..end];
        let had_blank = cursor.skip_blanks();
        let value = cursor.token();
        // `a{b="c"}1` is read by the original, `a1` cannot be.
        if value.is_empty()
            || (!had_blank && !series.ends_with('}') && self.format == Format::Text && end == text.len())
        {
            return Err(format!("expected value after metric, got {:?}", shorten(cursor.rest)));
        }
        let value = parse_float(value).ok_or_else(|| format!("expected a float as value, got {value:?}"))?;
        cursor.skip_blanks();
        let mut timestamp = None;
        if cursor.peek().is_some_and(|byte| byte != b'#') {
            timestamp = Some(self.timestamp(cursor.token())?);
            cursor.skip_blanks();
        }
        let mut exemplar = None;
        if self.format == Format::OpenMetrics && cursor.eat(b'#') {
            exemplar = Some(self.exemplar(&mut cursor)?);
        }
        if !cursor.rest.is_empty() {
            return Err(format!("expected next entry after timestamp, got {:?}", shorten(cursor.rest)));
        }
        Ok(RawSample { series, value, timestamp, exemplar })
    }

    fn exemplar(&self, cursor: &mut Cursor<'a>) -> Result<RawExemplar<'a>, String> {
        cursor.skip_blanks();
        let start = cursor.rest;
        if cursor.peek() != Some(b'{') {
            return Err(format!("expected exemplar labels, got {:?}", shorten(cursor.rest)));
        }
        skip_labels(cursor)?;
        let labels = &start[..start.len() - cursor.rest.len()];
        cursor.skip_blanks();
        let value = cursor.token();
        let value = parse_float(value).ok_or_else(|| format!("expected exemplar value, got {value:?}"))?;
        cursor.skip_blanks();
        let timestamp = match cursor.token() {
            "" => None,
            token => Some(self.timestamp(token)?),
        };
        cursor.skip_blanks();
        Ok(RawExemplar { labels, value, timestamp })
    }

    /// Milliseconds in the older format, seconds with a fraction in OpenMetrics.
    fn timestamp(&self, token: &str) -> Result<Millis, String> {
        let error = || format!("expected timestamp, got {token:?}");
        match self.format {
            Format::Text => token.parse().map_err(|_| error()),
            Format::OpenMetrics => {
                let seconds = parse_float(token).filter(|seconds| seconds.is_finite()).ok_or_else(error)?;
                Ok((seconds * 1000.0) as Millis)
            }
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Item<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_next() {
            Ok(item) => item.map(Ok),
            Err(message) => {
                self.rest = "";
                self.saw_eof = true;
                Some(Err(ParseError { line: self.line.max(1), message }))
            }
        }
    }
}

/// Skips `{…}`, whose brace comes next, checking its form.
fn skip_labels(cursor: &mut Cursor<'_>) -> Result<(), String> {
    cursor.eat(b'{');
    loop {
        cursor.skip_blanks();
        if cursor.eat(b'}') {
            return Ok(());
        }
        let unterminated = || "unterminated quoted string in labels".to_owned();
        let quoted = cursor.peek() == Some(b'"');
        if quoted {
            cursor.skip_quoted().ok_or_else(unterminated)?;
        } else {
            let name = cursor.take_while(is_name_byte);
            if name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
                return Err(format!("expected label name, got {:?}", shorten(cursor.rest)));
            }
        }
        cursor.skip_blanks();
        if cursor.eat(b'=') {
            cursor.skip_blanks();
            if cursor.peek() != Some(b'"') {
                return Err(format!("expected label value, got {:?}", shorten(cursor.rest)));
            }
            cursor.skip_quoted().ok_or_else(unterminated)?;
        } else if !quoted {
            return Err(format!("expected equal, got {:?}", shorten(cursor.rest)));
        }
        cursor.skip_blanks();
        if !cursor.eat(b',') && cursor.peek() != Some(b'}') {
            return Err(format!(
                "expected comma or closing brace after label, got {:?}",
                shorten(cursor.rest)
            ));
        }
    }
}

fn metric_type(name: &str, openmetrics: bool) -> Option<MetricType> {
    Some(match name {
        "counter" => MetricType::Counter,
        "gauge" => MetricType::Gauge,
        "histogram" => MetricType::Histogram,
        "summary" => MetricType::Summary,
        "untyped" if !openmetrics => MetricType::Unknown,
        "unknown" if openmetrics => MetricType::Unknown,
        "gaugehistogram" if openmetrics => MetricType::GaugeHistogram,
        "info" if openmetrics => MetricType::Info,
        "stateset" if openmetrics => MetricType::StateSet,
        _ => return None,
    })
}

/// The beginning of what is wrong, short enough for a log line.
fn shorten(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
