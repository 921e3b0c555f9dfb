//! `stripPrefix` and `stripPrefixRegex`: take a prefix off the path and tell it in `X-Forwarded-Prefix`.

use std::sync::Arc;

use go_regex::Regex;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{BoxFuture, BuildError, Handler, Request, Response, set_path};

const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Options of `stripPrefix`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StripPrefix {
    /// Prefixes; the first that fits is taken off.
    pub prefixes: Vec<String>,
    /// Of version 2, without effect: a path always begins with a slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_slash: Option<bool>,
}

/// Options of `stripPrefixRegex`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StripPrefixRegex {
    /// Patterns; the first that matches at the path's start is taken off.
    pub regex: Vec<String>,
}

impl StripPrefix {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        Ok(Arc::new(Stripper { what: What::Prefixes(self.prefixes.clone()), next }))
    }
}

impl StripPrefixRegex {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        let compile = |pattern: &String| {
            Regex::new(pattern.trim()).map_err(|error| BuildError::value("stripPrefixRegex.regex", error))
        };
        let patterns = self.regex.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Arc::new(Stripper { what: What::Patterns(patterns), next }))
    }
}

struct Stripper {
    what: What,
    next: Arc<dyn Handler>,
}

enum What {
    Prefixes(Vec<String>),
    Patterns(Vec<Regex>),
}

impl Stripper {
    /// How much of the path goes.
    fn stripped_bytes(&self, path: &str) -> Option<usize> {
        match &self.what {
            What::Prefixes(prefixes) => prefixes
                .iter()
                .find(|prefix| path.starts_with(prefix.as_str()))
                .map(|prefix| prefix.trim_end_matches('/').len()),
            What::Patterns(patterns) => patterns
                .iter()
                .filter_map(|pattern| pattern.find(path))
                .find(|found| found.start == 0 && !found.is_empty())
                .map(|found| found.end),
        }
    }
}

impl Handler for Stripper {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        let path = request.uri().path().to_owned();
        if let Some((prefix, rest)) = self.stripped_bytes(&path).and_then(|end| path.split_at_checked(end)) {
            if let Ok(prefix) = HeaderValue::from_str(prefix) {
                request.headers_mut().append(FORWARDED_PREFIX, prefix);
            }
            set_path(&mut request, rest);
        }
        self.next.handle(request)
    }
}
