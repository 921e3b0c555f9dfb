//! Reads a stream's labels from their text: `{job="varlogs", host="a"}`, in the syntax of Prometheus' metrics.

use std::fmt;

use model::{Labels, METRIC_NAME, is_legacy_label_name, write_quoted};

/// Labels as pushed: sorted by name, none empty; a name may still occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LabelPairs(Vec<(String, String)>);

/// Labels that do not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("1:{column}: parse error: {message}")]
pub(super) struct LabelTextError {
    /// Byte of the text, from 1.
    column: usize,
    message: String,
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<LabelPairs, LabelTextError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut pairs = Vec::new();
    scanner.skip_space();
    if let Some(name) = scanner.identifier(true) {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
        scanner.skip_space();
    }
    if scanner.take('{') {
        scanner.pairs(&mut pairs)?;
    } else if pairs.is_empty() {
        return Err(scanner.unexpected("unexpected end of input", "unexpected character: "));
    }
    scanner.skip_space();
    if scanner.peek().is_some() {
        return Err(scanner.unexpected("", "unexpected character: "));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(LabelPairs(pairs))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn identifier(&mut self, colons: bool) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':');
        if !rest.bytes().next().is_some_and(is_start) {
            return None;
        }
        let end =
            rest.bytes().position(|byte| !is_start(byte) && !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += end;
        Some(&rest[..end])
    }

    /// What stands between the braces, with the closing one.
    fn pairs(&mut self, pairs: &mut Vec<(String, String)>) -> Result<(), LabelTextError> {
        loop {
            self.skip_space();
            if self.take('}') {
                return Ok(());
            }
            let Some(name) = self.identifier(false) else { return Err(self.inside("identifier or \"}\"")) };
            self.skip_space();
            let start = self.at;
            if !self.take('=') {
                return Err(self.inside_operator());
            }
            if self.peek() == Some('~') {
                return Err(self.error(start, "unexpected <op:=~> in label set, expected \"=\""));
            }
            self.skip_space();
            let start = self.at;
            let value = match self.peek() {
                Some(quote @ ('"' | '\'' | '`')) => self.string(quote)?,
                _ => {
                    return Err(match self.identifier(false) {
                        Some(word) => {
                            let message =
                                format!("unexpected identifier \"{word}\" in label set, expected string");
                            self.error(start, message)
                        }
                        None => self.inside("string"),
                    });
                }
            };
            pairs.push((name.to_owned(), value));
            self.skip_space();
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.inside("\",\" or \"}\""));
            }
        }
    }

    /// A quoted text as Go reads it; bytes that are not UTF-8 become spaces, as in Loki.
    fn string(&mut self, quote: char) -> Result<String, LabelTextError> {
        let start = self.at;
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(c) = self.peek() else { return Err(self.error(start, "unterminated quoted string")) };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => break,
                '\\' if quote != '`' => self.escape(start, quote, &mut bytes)?,
                '\n' if quote != '`' => return Err(self.error(start, "unterminated quoted string")),
                _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(if text.contains('\u{fffd}') { text.replace('\u{fffd}', " ") } else { text.into_owned() })
    }

    fn escape(&mut self, start: usize, quote: char, out: &mut Vec<u8>) -> Result<(), LabelTextError> {
        let Some(c) = self.peek() else { return Err(self.error(start, "escape sequence not terminated")) };
        self.at += c.len_utf8();
        let byte = match c {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            _ if c == quote => c as u8,
            'x' => return self.number(start, 2, 16).map(|code| out.push(code as u8)),
            '0'..='7' => {
                self.at -= 1;
                let code = self.number(start, 3, 8)?;
                let byte =
                    u8::try_from(code).map_err(|_| self.error(start, "escape sequence is not a byte"))?;
                out.push(byte);
                return Ok(());
            }
            'u' | 'U' => {
                let code = self.number(start, if c == 'u' { 4 } else { 8 }, 16)?;
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            other => return Err(self.error(start, format!("unknown escape sequence {other:?}"))),
        };
        out.push(byte);
        Ok(())
    }

    fn number(&mut self, start: usize, digits: usize, radix: u32) -> Result<u32, LabelTextError> {
        let text = self.text.get(self.at..self.at + digits);
        let is_number = |text: &&str| text.chars().all(|c| c.is_digit(radix));
        let code = text.filter(is_number).and_then(|text| u32::from_str_radix(text, radix).ok());
        self.at += digits;
        code.ok_or_else(|| self.error(start, "invalid escape sequence"))
    }

    fn inside_operator(&self) -> LabelTextError {
        for (text, name) in [("!=", "<op:!=>"), ("!~", "<op:!~>")] {
            if self.text[self.at..].starts_with(text) {
                return self.error(self.at, format!("unexpected {name} in label set, expected \"=\""));
            }
        }
        self.inside("\"=\"")
    }

    fn inside(&self, expected: &str) -> LabelTextError {
        match self.peek() {
            None => self.error(self.at, format!("unexpected end of input in label set, expected {expected}")),
            Some(',') => self.error(self.at, format!("unexpected \",\" in label set, expected {expected}")),
            Some('=') => self.error(self.at, format!("unexpected \"=\" in label set, expected {expected}")),
            Some(c) => self.error(self.at, format!("unexpected character inside braces: '{c}'")),
        }
    }

    fn unexpected(&self, at_end: &str, otherwise: &str) -> LabelTextError {
        match self.peek() {
            None => self.error(self.at, at_end),
            Some(c) => self.error(self.at, format!("{otherwise}'{c}'")),
        }
    }

    fn error(&self, at: usize, message: impl Into<String>) -> LabelTextError {
        LabelTextError { column: at + 1, message: message.into() }
    }
}

impl LabelPairs {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// Adds a pair in its place.
    pub fn insert(&mut self, name: &str, value: String) {
        let at = self.0.partition_point(|(candidate, _)| candidate.as_str() < name);
        self.0.insert(at, (name.to_owned(), value));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn to_labels(&self) -> Labels {
        Labels::from_pairs(self.iter())
    }
}

impl fmt::Display for LabelPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            if is_legacy_label_name(name) {
                f.write_str(name)?
            } else {
                write_quoted(f, name)?
            }
            f.write_str("=")?;
            write_quoted(f, value)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        parse(text).map(|pairs| pairs.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_that_hold() {
        let check = |text: &str, want: &str| assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        check(r#"{z="1", case="x", a="2"}"#, r#"{a="2", case="x", z="1"}"#);
        check("{}", "{}");
        check("  { a = 'b' , } ", r#"{a="b"}"#);
        check(r#"{a="", b="c"}"#, r#"{b="c"}"#);
        check(r#"{q="a\"b\\c\n"}"#, r#"{q="a\"b\\c\n"}"#);
        check(r#"{q="\x41\101\u00e9\U0001f600"}"#, "{q=\"AA\u{e9}\u{1f600}\"}");
        check(r#"{q="\xff"}"#, r#"{q=" "}"#);
        check(r"{q=`a\n`}", r#"{q="a\\n"}"#);
        check("hello", r#"{__name__="hello"}"#);
        check(r#"up{a="b", a="c"}"#, r#"{__name__="up", a="b", a="c"}"#);
    }

    #[test]
    fn labels_that_do_not() {
        let check = |text: &str, want: &str| assert_eq!(read(text), Err(want.to_owned()), "{text}");
        check(r#"{bad-name="x"}"#, "1:5: parse error: unexpected character inside braces: '-'");
        check(r#"{9x="x"}"#, "1:2: parse error: unexpected character inside braces: '9'");
        check("{case=pb}", "1:7: parse error: unexpected identifier \"pb\" in label set, expected string");
        check(r#"{case=~"pb.*"}"#, "1:6: parse error: unexpected <op:=~> in label set, expected \"=\"");
        for bad in [
            "",
            "{",
            "{a",
            "{a=",
            "{a=\"",
            "{a=\"b\"",
            "{a=\"b\" c=\"d\"}",
            "{a!=\"b\"}",
            "{a=\"\\q\"}",
            "{} x",
            "9",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[{}a-c="'`\\xuU0-9, =~!ü]{0,40}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_printed_is_read_back(pairs in prop::collection::btree_map("[a-z_]{1,5}", "[^\u{fffd}]{1,8}", 0..4)) {
            let printed = LabelPairs(pairs.into_iter().collect());
            prop_assert_eq!(parse(&printed.to_string()), Ok(printed));
        }
    }
}
