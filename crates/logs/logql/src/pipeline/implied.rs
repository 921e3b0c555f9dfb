//! What a label filter says about the line: `| json | trace_id="abc"` can hold only where the line contains `abc`.
//!
//! Searching a batch for the text is many times faster than parsing its lines, and this is how people look for the one request.

use memchr::memmem::{Finder, find};
use model::{MatchOp, Matcher};
use streams::LineBatch;

use super::prefilter::search;
use crate::syntax::{LabelFilter, Stage, StageKind};

/// Shorter texts are in too many lines to be worth a search.
const MIN_BYTES: usize = 3;

/// The only escape that can stand for a character of such a text.
const ESCAPE: &[u8] = b"\\u";

/// A text that a line has to contain, unless a label of the stream or of the metadata has the name.
#[derive(Debug, Clone)]
pub(super) struct Implied {
    name: String,
    text: Finder<'static>,
}

impl Implied {
    /// What the label filters of a pipeline imply, up to the first stage that makes labels of anything but pieces of the line.
    pub fn of(stages: &[Stage]) -> Vec<Self> {
        let mut implied = Vec::new();
        let mut parses = false;
        for stage in stages {
            match &stage.kind {
                StageKind::LineFilter(_) => {}
                StageKind::Json { expressions } | StageKind::Logfmt { expressions, .. }
                    if expressions.is_empty() =>
                {
                    parses = true
                }
                StageKind::LabelFilter(filter) if parses => each_required(filter, &mut |matcher| {
                    implied.push(Self {
                        name: matcher.name().to_owned(),
                        text: Finder::new(matcher.value()).into_owned(),
                    });
                }),
                StageKind::LabelFilter(_) => {}
                _ => break,
            }
        }
        implied
    }

    /// Removes rows whose lines cannot satisfy the filter.
    pub fn retain(&self, batch: &LineBatch, rows: &mut Vec<u32>) {
        if rows.is_empty() || batch.stream.get(&self.name).is_some() || find(batch.text(), ESCAPE).is_some() {
            return;
        }
        let mut hits = Vec::new();
        search(&self.text, batch, &mut hits);
        rows.retain(|row| {
            let metadata = batch.metadata(*row as usize);
            hits.binary_search(row).is_ok() || metadata.is_some_and(|labels| labels.get(&self.name).is_some())
        });
    }
}

/// Calls `add` with each comparison without which the filter does not hold and whose text must stand in the line as it is.
fn each_required(filter: &LabelFilter, add: &mut dyn FnMut(&Matcher)) {
    match filter {
        LabelFilter::And(left, right) => {
            each_required(left, add);
            each_required(right, add);
        }
        LabelFilter::Matcher(matcher) => {
            let is_plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
            let value = matcher.value();
            let is_made = matcher.name().starts_with("__");
            if matcher.op() == MatchOp::Equal
                && value.len() >= MIN_BYTES
                && value.bytes().all(is_plain)
                && !is_made
            {
                add(matcher);
            }
        }
        LabelFilter::Or(..)
        | LabelFilter::Ip { .. }
        | LabelFilter::Number { .. }
        | LabelFilter::Duration { .. }
        | LabelFilter::Bytes { .. } => {}
    }
}
