//! Silences as they are stored.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::{MatchOp, Matcher};
use serde::{Deserialize, Serialize};

use super::Silence;

/// The snapshot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Document {
    pub silences: Vec<StoredSilence>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredSilence {
    id: String,
    matchers: Vec<StoredMatcher>,
    #[serde(with = "crate::times")]
    starts_at: Timestamp,
    #[serde(with = "crate::times")]
    ends_at: Timestamp,
    #[serde(with = "crate::times")]
    updated_at: Timestamp,
    created_by: String,
    comment: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "(String, String, String)", into = "(String, String, String)")]
struct StoredMatcher(Matcher);

impl Document {
    pub fn of<'a>(silences: impl IntoIterator<Item = &'a Arc<Silence>>) -> Self {
        Self { silences: silences.into_iter().map(|silence| StoredSilence::of(silence)).collect() }
    }

    /// Bytes that a silence takes.
    pub fn size_of(silence: &Silence) -> usize {
        serde_json::to_vec(&StoredSilence::of(silence)).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl StoredSilence {
    fn of(silence: &Silence) -> Self {
        let Silence { id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations } =
            silence.clone();
        let matchers = matchers.into_iter().map(StoredMatcher).collect();
        Self { id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations }
    }
}

impl From<StoredSilence> for Silence {
    fn from(stored: StoredSilence) -> Self {
        let StoredSilence { id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations } =
            stored;
        let matchers = matchers.into_iter().map(|matcher| matcher.0).collect();
        Self { id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations }
    }
}

impl Clone for StoredMatcher {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl From<StoredMatcher> for (String, String, String) {
    fn from(StoredMatcher(matcher): StoredMatcher) -> Self {
        (matcher.name().to_owned(), matcher.op().as_str().to_owned(), matcher.value().to_owned())
    }
}

impl TryFrom<(String, String, String)> for StoredMatcher {
    type Error = String;

    fn try_from((name, op, value): (String, String, String)) -> Result<Self, String> {
        let op = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]
            .into_iter()
            .find(|candidate| candidate.as_str() == op)
            .ok_or_else(|| format!("unknown operator {op:?}"))?;
        Matcher::new(op, &name, &value).map(Self).map_err(|error| error.to_string())
    }
}
