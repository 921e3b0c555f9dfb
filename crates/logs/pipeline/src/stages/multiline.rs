//! `multiline`: joins the lines of a block, which begins at a line that `firstline` matches.

use std::time::{Duration, Instant};

use config::parse_go;
use go_regex::Regex;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::decode;
use crate::{
    Entry, LabelSet, Receipt, Record, StageError,
    run::{Context, Hold},
};

const DEFAULT_WAIT: Duration = Duration::from_secs(3);
const DEFAULT_LINES: u64 = 128;
/// Streams with a block under way.
const MAX_STREAMS: usize = 10_000;
/// Largest block, in bytes; a longer one is split.
const MAX_BLOCK_BYTES: usize = 4 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    firstline: Option<String>,
    max_wait_time: Option<String>,
    max_lines: Option<u64>,
}

pub(crate) struct MultilineStage<T> {
    first_line: Regex,
    max_wait: Duration,
    max_lines: u64,
    streams: FxHashMap<LabelSet, Block<T>>,
}

/// One stream's block. It stays after it was sent: lines that come late go on under its time and labels.
struct Block<T> {
    /// The first line's record; its line is the text so far.
    record: Record,
    receipts: Vec<T>,
    lines: u64,
    touched: Instant,
}

impl<T: Receipt> MultilineStage<T> {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { firstline, max_wait_time, max_lines } = decode(config)?;
        let first_line = firstline.filter(|expression| !expression.is_empty()).ok_or_else(|| {
            StageError::invalid("multiline stage config must define `firstline` regular expression")
        })?;
        let max_wait = match max_wait_time {
            None => DEFAULT_WAIT,
            // A number without a unit is no duration here.
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && text != "0" => {
                return Err(StageError::invalid(format!(
                    "multiline stage `max_wait_time` parse error: missing unit in {text:?}"
                )));
            }
            Some(text) => parse_go(&text).map_err(|error| {
                StageError::invalid(format!("multiline stage `max_wait_time` parse error: {error}"))
            })?,
        };
        Ok(Self {
            first_line: Regex::new(&first_line)?,
            max_wait,
            max_lines: max_lines.unwrap_or(DEFAULT_LINES).max(1),
            streams: FxHashMap::default(),
        })
    }

    fn make_room(&mut self, out: &mut Vec<Entry<T>>) {
        if self.streams.len() < MAX_STREAMS {
            return;
        }
        self.streams.retain(|_, block| block.lines > 0);
        if self.streams.len() >= MAX_STREAMS {
            out.extend(self.streams.drain().filter_map(|(_, mut block)| block.flush()));
        }
    }
}

impl<T> Block<T> {
    fn push(&mut self, entry: Entry<T>, now: Instant) {
        if self.lines > 0 {
            self.record.line.push('\n');
        }
        self.record.line.push_str(&entry.record.line);
        self.record.has_stray |= entry.record.has_stray;
        self.receipts.extend(entry.receipts);
        self.lines += 1;
        self.touched = now;
    }

    fn flush(&mut self) -> Option<Entry<T>> {
        if self.lines == 0 {
            return None;
        }
        self.lines = 0;
        let line = std::mem::take(&mut self.record.line);
        let record = Record { line, ..self.record.clone() };
        Some(Entry { record, receipts: std::mem::take(&mut self.receipts) })
    }
}

impl<T: Receipt> Hold<T> for MultilineStage<T> {
    fn process(&mut self, entry: Entry<T>, context: &Context<'_>, out: &mut Vec<Entry<T>>) {
        let now = context.instant;
        let is_first = self.first_line.is_match(&entry.record.line);
        if !is_first && !self.streams.contains_key(&entry.record.labels) {
            out.push(entry);
            return;
        }
        if is_first {
            self.make_room(out);
            let Entry { record, receipts } = entry;
            let block = Block { record: record.clone(), receipts, lines: 1, touched: now };
            if let Some(mut before) = self.streams.insert(record.labels, block) {
                out.extend(before.flush());
            }
            if self.max_lines > 1 {
                return;
            }
            // A block of one line is full at once.
            out.extend(
                self.streams
                    .values_mut()
                    .filter(|block| block.lines >= self.max_lines)
                    .filter_map(Block::flush),
            );
            return;
        }
        let Some(block) = self.streams.get_mut(&entry.record.labels) else { return };
        block.push(entry, now);
        if block.lines >= self.max_lines || block.record.line.len() >= MAX_BLOCK_BYTES {
            out.extend(block.flush());
        }
    }

    fn flush(&mut self, context: &Context<'_>, all: bool, out: &mut Vec<Entry<T>>) {
        for block in self.streams.values_mut() {
            if all || context.instant.saturating_duration_since(block.touched) >= self.max_wait {
                out.extend(block.flush());
            }
        }
    }
}
