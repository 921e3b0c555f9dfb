//! `replacePath` and `replacePathRegex`: another path for the server, the old one in `X-Replaced-Path`.

use std::sync::Arc;

use go_regex::Regex;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{BoxFuture, BuildError, Handler, Request, Response, set_path};

const REPLACED_PATH: HeaderName = HeaderName::from_static("x-replaced-path");

/// Options of `replacePath`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplacePath {
    /// The path to ask for.
    pub path: String,
}

/// Options of `replacePathRegex`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplacePathRegex {
    /// What to replace.
    pub regex: String,
    /// The replacement, with `$1` or `${name}` for groups.
    pub replacement: String,
}

impl ReplacePath {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        Ok(Arc::new(Replacer { what: What::Whole(self.path.clone()), next }))
    }
}

impl ReplacePathRegex {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        let pattern = Regex::new(self.regex.trim())
            .map_err(|error| BuildError::value("replacePathRegex.regex", error))?;
        Ok(Arc::new(Replacer { what: What::Pattern(pattern, self.replacement.trim().to_owned()), next }))
    }
}

struct Replacer {
    what: What,
    next: Arc<dyn Handler>,
}

enum What {
    Whole(String),
    Pattern(Regex, String),
}

impl Handler for Replacer {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        let old = request.uri().path().to_owned();
        let new = match &self.what {
            What::Whole(path) => path.clone(),
            What::Pattern(pattern, _) if !pattern.is_match(&old) => return self.next.handle(request),
            What::Pattern(pattern, replacement) => pattern.replace_all(&old, replacement).into_owned(),
        };
        if let Ok(old) = HeaderValue::from_str(&old) {
            request.headers_mut().insert(REPLACED_PATH, old);
        }
        set_path(&mut request, &new);
        self.next.handle(request)
    }
}
