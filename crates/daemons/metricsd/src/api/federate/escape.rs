//! Names beyond `[a-zA-Z_:][a-zA-Z0-9_:]*` in an exposition: who reads it says in `Accept` how it wants them. Source: Prometheus
//! docs/instrumenting/content_negotiation.md and escaping_schemes.md.

use std::{borrow::Cow, fmt::Write};

use http::{HeaderMap, header};
use model::is_legacy_metric_name;

/// How such names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaping {
    /// As they are, in quotes.
    AllowUtf8,
    /// Everything else becomes an underscore: for readers that do not say.
    Underscores,
    /// Dots become `_dot_`.
    Dots,
    /// `U__` and the character's number, so that the reader can have the name back.
    Values,
}

impl Escaping {
    /// What the reader prefers.
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut best: Option<(f64, Self)> = None;
        for range in accept.flat_map(|value| value.split(',')) {
            let parameters = || range.split(';').skip(1).filter_map(|pair| pair.trim().split_once('='));
            let value = |wanted: &str| parameters().find(|(name, _)| *name == wanted).map(|(_, value)| value);
            let Some(escaping) = value("escaping").and_then(Self::parse) else { continue };
            let quality = value("q").and_then(|text| text.parse().ok()).unwrap_or(1.0);
            if best.is_none_or(|(most, _)| quality > most) {
                best = Some((quality, escaping));
            }
        }
        best.map_or(Self::Underscores, |(_, escaping)| escaping)
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values]
            .into_iter()
            .find(|escaping| escaping.as_str() == name)
    }

    /// The name in `Accept` and `Content-Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A metric's or label's name as it is written; one that is allowed everywhere stays as it is.
    pub fn escape(self, name: &str) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || is_legacy_metric_name(name) {
            return Cow::Borrowed(name);
        }
        let mut escaped = if self == Self::Values { "U__".to_owned() } else { String::new() };
        for (at, c) in name.char_indices() {
            let is_allowed = c.is_ascii_alphabetic() || c == ':' || (c.is_ascii_digit() && at > 0);
            match (self, c) {
                _ if is_allowed => escaped.push(c),
                (Self::Underscores, _) => escaped.push('_'),
                (Self::Dots, '.') => escaped.push_str("_dot_"),
                (Self::Dots, _) | (_, '_') => escaped.push_str("__"),
                (_, c) => {
                    let _ = write!(escaped, "_{:x}_", c as u32);
                }
            }
        }
        Cow::Owned(escaped)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_reader_chooses() {
        let check = |accept: &'static str, want: Escaping| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Escaping::negotiate(&headers), want, "{accept}");
        };
        check("*/*", Escaping::Underscores);
        check("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.1", Escaping::AllowUtf8);
        check("text/plain; escaping=dots; q=0.3, text/plain; escaping=values; q=0.5", Escaping::Values);
        check("text/plain; escaping=any", Escaping::Underscores);
        assert_eq!(Escaping::negotiate(&HeaderMap::new()), Escaping::Underscores);
    }

    #[test]
    fn names() {
        let check = |escaping: Escaping, want: &str| assert_eq!(escaping.escape("http.a_b é"), want);
        check(Escaping::AllowUtf8, "http.a_b é");
        check(Escaping::Underscores, "http_a_b__");
        check(Escaping::Dots, "http_dot_a__b____");
        check(Escaping::Values, "U__http_2e_a__b_20__e9_");
        assert_eq!(Escaping::Values.escape("http_a"), "http_a");
        assert_eq!(Escaping::Underscores.escape("1a"), "_a");
    }
}
