//! Matchers in Alertmanager's two syntaxes: the UTF-8 one, and the classic one that it came from.

mod classic;
mod lines;
mod utf8;

#[cfg(test)]
mod tests;

use std::fmt::Write;

use model::{Labels, MatchOp, Matcher, write_quoted};

pub use lines::MatcherLines;

/// Which syntax counts (`--enable-feature=classic-mode` and `utf8-strict-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatcherMode {
    /// The UTF-8 syntax; what it refuses or reads differently is read in the classic one.
    #[default]
    Fallback,
    /// The UTF-8 syntax alone.
    Utf8Strict,
    /// The classic syntax alone.
    Classic,
}

/// A text is no matcher. The text is Alertmanager's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MatcherSyntaxError(pub(crate) String);

/// Matchers that were read, and what the operator should know about how.
#[derive(Debug, Clone)]
pub struct ParsedMatchers {
    /// In the order of the text.
    pub matchers: Vec<Matcher>,
    /// Set when the classic syntax was needed: what to do about it.
    pub notice: Option<String>,
}

/// Reads exactly one matcher, as filters of the API have it: `foo="bar"`, without braces.
pub fn parse_matcher(text: &str, mode: MatcherMode) -> Result<Matcher, MatcherSyntaxError> {
    if mode == MatcherMode::Classic {
        return classic::matcher(text);
    }
    if text.starts_with('{') || text.ends_with('}') {
        return Err(MatcherSyntaxError(format!("unexpected open or close brace: {text}")));
    }
    let parsed = utf8::matchers(text).and_then(|matchers| match <[Matcher; 1]>::try_from(matchers) {
        Ok([matcher]) => Ok(matcher),
        Err(matchers) if matchers.is_empty() => Err(MatcherSyntaxError("no matchers".into())),
        Err(matchers) => Err(MatcherSyntaxError(format!("expected 1 matcher, found {}", matchers.len()))),
    });
    if mode == MatcherMode::Utf8Strict {
        return parsed;
    }
    match (parsed, classic::matcher(text)) {
        (Err(_), classic) => classic,
        (Ok(matcher), Ok(classic)) if classic != matcher => Ok(classic),
        (Ok(matcher), _) => Ok(matcher),
    }
}

/// Reads any number of matchers, separated by commas, with or without braces around them.
pub fn parse_matchers(text: &str, mode: MatcherMode) -> Result<ParsedMatchers, MatcherSyntaxError> {
    let plain = |matchers| ParsedMatchers { matchers, notice: None };
    match mode {
        MatcherMode::Classic => return classic::matchers(text).map(plain),
        MatcherMode::Utf8Strict => return utf8::matchers(text).map(plain),
        MatcherMode::Fallback => {}
    }
    match (utf8::matchers(text), classic::matchers(text)) {
        (Err(error), Ok(classic)) => {
            let suggestion = classic.iter().map(matcher_text).collect::<Vec<_>>().join(",");
            let notice = format!(
                "the matchers `{text}` are not in the UTF-8 syntax ({error}) and were read in the classic one; \
                 write `{suggestion}`"
            );
            Ok(ParsedMatchers { matchers: classic, notice: Some(notice) })
        }
        (Err(_), Err(error)) => Err(error),
        (Ok(matchers), Ok(classic)) if classic != matchers => {
            let notice = format!(
                "the matchers `{text}` mean different things in the UTF-8 and the classic syntax; the classic meaning holds"
            );
            Ok(ParsedMatchers { matchers: classic, notice: Some(notice) })
        }
        (Ok(matchers), _) => Ok(plain(matchers)),
    }
}

/// Whether a label set satisfies every matcher. A label that is not there counts as empty.
pub fn matches_all(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
}

/// A matcher as Alertmanager prints it.
pub fn matcher_text(matcher: &Matcher) -> String {
    let (name, op, value) = (matcher.name(), matcher.op().as_str(), matcher.value());
    let mut text = String::with_capacity(name.len() + value.len() + 6);
    if name.chars().any(utf8::is_reserved) {
        let _ = write_quoted(&mut text, name);
        text.push_str(op);
        let _ = write_quoted(&mut text, value);
        return text;
    }
    let _ = write!(text, "{name}{op}\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' => text.push_str("\\\""),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// `{a="b",c=~"d"}`: how route keys hold their matchers.
pub fn matchers_text(matchers: &[Matcher]) -> String {
    format!("{{{}}}", matchers.iter().map(matcher_text).collect::<Vec<_>>().join(","))
}

/// Alertmanager's order: by name, value, operator.
pub(crate) fn sort(matchers: &mut [Matcher]) {
    matchers.sort_by(|a, b| (a.name(), a.value(), a.op()).cmp(&(b.name(), b.value(), b.op())));
}

fn matcher(op: MatchOp, name: &str, value: &str) -> Result<Matcher, MatcherSyntaxError> {
    Matcher::new(op, name, value).map_err(|error| MatcherSyntaxError(error.source.to_string()))
}
