//! `logfmt`: values of `key=value` text become extracted values.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, check_source, decode};
use crate::{Record, StageError, extracted::Value, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    mapping: Option<BTreeMap<String, Option<String>>>,
    source: Option<String>,
}

pub(crate) struct LogfmtStage {
    /// Names of extracted values by key.
    names: BTreeMap<String, Vec<Arc<str>>>,
    source: Option<Arc<str>>,
}

impl LogfmtStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { mapping, source } = decode(config)?;
        let mapping = mapping.unwrap_or_default();
        if mapping.is_empty() {
            return Err(StageError::invalid("logfmt mapping is required"));
        }
        let mut names: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
        for (name, key) in mapping {
            let key = key.filter(|key| !key.is_empty()).unwrap_or_else(|| name.clone());
            names.entry(key).or_default().push(name.into());
        }
        Ok(Self { names, source: check_source(source)? })
    }

    fn read(&self, text: &str) -> Vec<(Arc<str>, Arc<str>)> {
        let mut found = Vec::new();
        for_each_pair(text, |key, value| {
            for name in self.names.get(key).into_iter().flatten() {
                found.push((name.clone(), value.into()));
            }
        });
        found
    }
}

/// Calls `take` for each pair up to the first mistake, across lines. A key alone has an empty value.
fn for_each_pair(text: &str, mut take: impl FnMut(&str, &str)) {
    let is_space = |byte: u8| byte <= b' ';
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c <= ' ');
        if rest.is_empty() {
            return;
        }
        let bytes = rest.as_bytes();
        let key_end = bytes
            .iter()
            .position(|byte| is_space(*byte) || matches!(byte, b'=' | b'"'))
            .unwrap_or(bytes.len());
        let (key, after) = rest.split_at(key_end);
        if key.is_empty() || after.starts_with('"') {
            return;
        }
        let Some(value) = after.strip_prefix('=') else {
            take(key, "");
            rest = after;
            continue;
        };
        if value.starts_with('"') {
            let Some((text, after)) = quoted(value) else { return };
            take(key, &text);
            rest = after;
            continue;
        }
        let end = value
            .bytes()
            .position(|byte| is_space(byte) || matches!(byte, b'=' | b'"'))
            .unwrap_or(value.len());
        let (text, after) = value.split_at(end);
        if after.starts_with('"') || (text.is_empty() && after.starts_with('=')) {
            return;
        }
        if after.starts_with('=') {
            // `a=b=c` is a mistake in the value, but what was read before stays.
            return;
        }
        take(key, text);
        rest = after;
    }
}

/// A quoted value (a JSON string) and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(1).find_map(|(at, byte)| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(at)
    })?;
    let (literal, rest) = text.split_at(end + 1);
    let value =
        if literal.contains('\\') { serde_json::from_str(literal).ok()? } else { literal[1..end].to_owned() };
    Some((value, rest))
}

impl Stage for LogfmtStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let found = match &self.source {
            None => self.read(&record.line),
            Some(source) => match record.extracted.text(source) {
                Some(text) => self.read(&text),
                None => return Verdict::Keep,
            },
        };
        for (name, value) in found {
            record.extracted.set(&name, Value::Text(value));
        }
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for_each_pair(text, |key, value| pairs.push((key.to_owned(), value.to_owned())));
        pairs
    }

    #[test]
    fn reads_up_to_the_first_mistake() {
        let check = |text: &str, want: &[(&str, &str)]| {
            let want: Vec<_> = want.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(pairs(text), want, "{text}");
        };
        check("a=1 b=\"x y\" c d=", &[("a", "1"), ("b", "x y"), ("c", ""), ("d", "")]);
        check("a=1 b=\"open", &[("a", "1")]);
        check("=x a=2", &[]);
        check("a=\"x\"y b=5", &[("a", "x"), ("y", ""), ("b", "5")]);
        check("a==6 b=7", &[]);
        check("b=8 a\"=9", &[("b", "8")]);
        check("a=\"q \\\"i\\\" \\n\"", &[("a", "q \"i\" \n")]);
    }

    proptest! {
        #[test]
        fn no_input_panics(text in r#"[a="\\ é\n]{0,40}"#) {
            pairs(&text);
        }
    }
}
