//! `cri`: the log format of Kubernetes' container runtimes, `time stream flags content`; `P` parts are joined up to the `F` part.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{decode, regex::RegexStage};
use crate::{
    Entry, LabelSet, Receipt, StageError,
    run::{Context, Hold},
};

const DEFAULT_PARTIAL_LINES: usize = 100;
/// How long parts wait for the next. The original waits for ever; but a part that nobody ends would keep its file's position back, and
/// half a line says more than none.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Longest joined line, in bytes, where no bound is set.
const MAX_BYTES: usize = 4 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    max_partial_lines: Option<usize>,
    max_partial_line_size: Option<usize>,
    max_partial_line_size_truncate: bool,
}

/// Reads the four fields.
pub(crate) fn fields() -> Result<RegexStage, StageError> {
    RegexStage::of(r"(?s)^(?P<time>\S+?) (?P<stream>stdout|stderr) (?P<flags>\S+?) (?P<content>.*)$", None)
}

/// Joins parts, by stream.
pub(crate) struct JoinPartsStage<T> {
    /// Streams with parts at a time; with more, all are sent as they are.
    most: usize,
    /// Bytes a joined line is cut to.
    cut: usize,
    parts: FxHashMap<LabelSet, (Entry<T>, Instant)>,
}

impl<T> JoinPartsStage<T> {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { max_partial_lines, max_partial_line_size, max_partial_line_size_truncate } =
            decode(config)?;
        let cut = max_partial_line_size
            .filter(|size| max_partial_line_size_truncate && *size > 0)
            .unwrap_or(MAX_BYTES);
        let most = max_partial_lines.filter(|most| *most > 0).unwrap_or(DEFAULT_PARTIAL_LINES);
        Ok(Self { most, cut, parts: FxHashMap::default() })
    }
}

/// Appends as much as fits; a character is not cut in half.
fn append(line: &mut String, more: &str, most: usize) {
    line.push_str(more);
    if line.len() > most {
        let end = (0..=most).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
    }
}

impl<T: Receipt> Hold<T> for JoinPartsStage<T> {
    fn process(&mut self, mut entry: Entry<T>, context: &Context<'_>, out: &mut Vec<Entry<T>>) {
        let is_part = entry.record.extracted.text("flags").as_deref() == Some("P");
        let before = self.parts.remove(&entry.record.labels);
        let joins = before.is_some();
        if let Some((before, _)) = before {
            let last = std::mem::replace(&mut entry.record.line, before.record.line);
            append(&mut entry.record.line, &last, self.cut);
            entry.record.has_stray |= before.record.has_stray;
            entry.receipts.splice(0..0, before.receipts);
        }
        if !is_part {
            out.push(entry);
            return;
        }
        if !joins {
            let line = std::mem::take(&mut entry.record.line);
            append(&mut entry.record.line, &line, self.cut);
        }
        if self.parts.len() >= self.most {
            out.extend(self.parts.drain().map(|(_, (entry, _))| entry));
        }
        self.parts.insert(entry.record.labels.clone(), (entry, context.instant));
    }

    /// At the end of the agent parts stay: their receipts are left open, so that they are read again.
    fn flush(&mut self, context: &Context<'_>, _: bool, out: &mut Vec<Entry<T>>) {
        let is_old = |since: Instant| context.instant.saturating_duration_since(since) >= MAX_WAIT;
        out.extend(self.parts.extract_if(|_, (_, since)| is_old(*since)).map(|(_, (entry, _))| entry));
    }
}
