//! The common part of JMESPath (jmespath.org): dotted names, quoted names, indexes, and pipes between such paths.
//!
//! What else there is (functions, filters, wildcards, slices, literals, multiselects) is refused with its name.

use serde_json::Value;

use crate::StageError;

/// Longest expression, in steps.
const MAX_STEPS: usize = 64;

/// A checked path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Name in the outermost object.
    pub first: String,
    rest: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// Negative counts from the end.
    Index(i64),
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, StageError> {
        let invalid =
            |what: &str| StageError::invalid(format!("could not compile JMES expression `{text}`: {what}"));
        let mut steps = Vec::new();
        let mut rest = text.trim();
        let mut name_due = true;
        loop {
            if steps.len() > MAX_STEPS {
                return Err(invalid("too long"));
            }
            if name_due {
                let (name, after) = take_name(rest).map_err(|problem| match problem {
                    Problem::Syntax(what) => invalid(what),
                    Problem::NotYet(what) => {
                        StageError::NotSupported(format!("{what} in JMES expression `{text}`"))
                    }
                })?;
                steps.push(Step::Name(name));
                rest = after.trim_start();
                name_due = false;
            } else if rest.is_empty() {
                break;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inside, after) = after.split_once(']').ok_or_else(|| invalid("expected `]`"))?;
                let index = inside.trim().parse().map_err(|_| match inside.trim() {
                    "" | "*" => StageError::NotSupported(format!("projections in JMES expression `{text}`")),
                    inside if inside.starts_with('?') => {
                        StageError::NotSupported(format!("filters in JMES expression `{text}`"))
                    }
                    inside if inside.contains(':') => {
                        StageError::NotSupported(format!("slices in JMES expression `{text}`"))
                    }
                    _ => invalid("expected an index"),
                })?;
                steps.push(Step::Index(index));
                rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix(['.', '|']) {
                if after.starts_with('|') {
                    return Err(StageError::NotSupported(format!("`||` in JMES expression `{text}`")));
                }
                rest = after.trim_start();
                name_due = true;
            } else if rest.starts_with('(') {
                return Err(StageError::NotSupported(format!("functions in JMES expression `{text}`")));
            } else if rest.starts_with(['=', '!', '<', '>', '&']) {
                return Err(StageError::NotSupported(format!("comparisons in JMES expression `{text}`")));
            } else {
                return Err(invalid("unexpected character"));
            }
        }
        let mut steps = steps.into_iter();
        match steps.next() {
            Some(Step::Name(first)) => Ok(Self { first, rest: steps.collect() }),
            _ => Err(invalid("expected a name")),
        }
    }

    /// The value below that of the first name.
    pub(crate) fn search<'v>(&self, first: &'v Value) -> Option<&'v Value> {
        self.rest.iter().try_fold(first, |value, step| match (step, value) {
            (Step::Name(name), Value::Object(members)) => members.get(name),
            (Step::Index(index), Value::Array(items)) => {
                let length = i64::try_from(items.len()).ok()?;
                let at = if *index < 0 { length.checked_add(*index)? } else { *index };
                items.get(usize::try_from(at).ok()?)
            }
            _ => None,
        })
    }
}

enum Problem {
    Syntax(&'static str),
    NotYet(&'static str),
}

fn take_name(text: &str) -> Result<(String, &str), Problem> {
    if text.starts_with('"') {
        // A JSON string.
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let name = values.next().and_then(Result::ok).ok_or(Problem::Syntax("quoted name is not closed"))?;
        let end = values.byte_offset();
        return Ok((name, text.get(end..).unwrap_or_default()));
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match text.chars().next() {
        Some(c) if c.is_ascii_alphabetic() || c == '_' => Ok((name.to_owned(), rest)),
        None => Err(Problem::Syntax("incomplete expression")),
        Some('*') => Err(Problem::NotYet("wildcards")),
        Some('[' | '{') => Err(Problem::NotYet("multiselects")),
        Some('`' | '\'') => Err(Problem::NotYet("literals")),
        Some('@') => Err(Problem::NotYet("the current node")),
        Some('(') => Err(Problem::NotYet("parentheses")),
        Some('&' | '!') => Err(Problem::NotYet("operators")),
        Some(_) => Err(Problem::Syntax("expected a name")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let data = json!({"a": {"b": [1, {"c": "x"}], "d-e": {"f.g": true}}});
        let check = |path: &str, want: Option<Value>| {
            let parsed = Path::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
            let found = data.get(&parsed.first).and_then(|first| parsed.search(first));
            assert_eq!(found, want.as_ref(), "{path}");
        };
        check("a.b[0]", Some(json!(1)));
        check("a.b[-1].c", Some(json!("x")));
        check("a.b[1].c | nothing", None);
        check("a.\"d-e\".\"f.g\"", Some(json!(true)));
        check("a.b[7]", None);
        check("a.b[-9]", None);
        check("nope", None);
    }

    #[test]
    fn the_rest_is_refused_by_name() {
        for (path, want) in [
            ("length(a)", "not supported yet: functions in JMES expression `length(a)`"),
            ("a[*].b", "not supported yet: projections in JMES expression `a[*].b`"),
            ("a || b", "not supported yet: `||` in JMES expression `a || b`"),
            ("b[", "could not compile JMES expression `b[`: expected `]`"),
            ("", "could not compile JMES expression ``: incomplete expression"),
            ("a-b", "could not compile JMES expression `a-b`: unexpected character"),
        ] {
            assert_eq!(Path::parse(path).expect_err(path).to_string(), want);
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in r#"[a\["\]\.\|\-0-9\\é*]{0,30}"#) {
            let _ = Path::parse(&text);
        }
    }
}
