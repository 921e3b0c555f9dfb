//! Collects what is wrong with a push into one answer, in Loki's form.

use std::fmt::Write;

use config::ByteSize;
use model::{Labels, Nanos};
use rustc_hash::FxHashMap;
use streams::TooFarBehind;

use super::{Refusal, validate};

/// Most different texts of one answer.
const MAX_TEXTS: usize = 100;

/// Refusals of streams and entries before the store was asked; equal texts are counted.
#[derive(Debug, Default)]
pub(super) struct Failures {
    texts: Vec<(Refusal, u64)>,
    more: u64,
}

/// Refusals of entries by what is known of their streams, as Loki's ingesters report them.
pub(super) struct StreamFailures<'a> {
    tenant: &'a str,
    max_returned: usize,
    offered: FxHashMap<Labels, usize>,
    /// In the order in which they failed first.
    failed: Vec<Failed>,
    /// Where each stream is in `failed`.
    index: FxHashMap<Labels, usize>,
}

/// The failed entries of one stream.
struct Failed {
    labels: Labels,
    lines: Vec<String>,
    count: usize,
    last_was_rate: bool,
}

impl Failures {
    pub fn add(&mut self, refusal: Refusal) {
        if let Some((_, count)) = self.texts.iter_mut().find(|(known, _)| *known == refusal) {
            *count += 1;
        } else if self.texts.len() < MAX_TEXTS {
            self.texts.push((refusal, 1));
        } else {
            self.more += 1;
        }
    }

    /// The texts joined. A mistake of the client's comes before a block.
    pub fn into_refusal(self) -> Refusal {
        let Self { mut texts, more } = self;
        if texts.iter().any(|(refusal, _)| refusal.status == 400) {
            texts.retain(|(refusal, _)| refusal.status == 400);
        }
        let status = texts.last().map_or(400, |(refusal, _)| refusal.status);
        if let [(only, 1)] = texts.as_slice()
            && more == 0
        {
            return only.clone();
        }
        let mut text = String::new();
        for (at, (refusal, count)) in texts.iter().enumerate() {
            if at > 0 {
                text.push_str("; ");
            }
            let _ = write!(text, "{count} errors like: {}", refusal.text);
        }
        if more > 0 {
            let _ = write!(text, "; {more} more errors");
        }
        Refusal::new(status, text)
    }
}

impl<'a> StreamFailures<'a> {
    pub fn new(tenant: &'a str, max_returned: usize) -> Self {
        Self {
            tenant,
            max_returned,
            offered: FxHashMap::default(),
            failed: Vec::new(),
            index: FxHashMap::default(),
        }
    }

    /// Notes how many entries a stream has in this push.
    pub fn expect(&mut self, labels: &Labels, entries: usize) {
        *self.offered.entry(labels.clone()).or_default() += entries;
    }

    /// How many it has.
    pub fn offered(&self, labels: &Labels) -> usize {
        self.offered.get(labels).copied().unwrap_or(0)
    }

    pub fn rate_limited(&mut self, labels: &Labels, timestamp: Nanos, rate: ByteSize, bytes: usize) {
        let reason = || {
            format!(
                "Per stream rate limit exceeded (limit: {}/sec) while attempting to ingest for stream '{labels}' totaling {}, consider \
                 splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased",
                size(rate.0),
                size(bytes as u64)
            )
        };
        self.add(labels, timestamp, true, reason);
    }

    pub fn late(&mut self, late: &[TooFarBehind]) {
        for TooFarBehind { stream, timestamp, oldest } in late {
            let reason = || {
                format!(
                    "entry too far behind, entry timestamp is: {}, oldest acceptable timestamp is: {}",
                    validate::seconds(*timestamp),
                    validate::seconds(*oldest)
                )
            };
            self.add(stream, *timestamp, false, reason);
        }
    }

    /// The answer: about the last stream that failed, as in Loki.
    pub fn into_refusal(self) -> Option<Refusal> {
        let failed = self.failed.last()?;
        let mut text = failed.lines.concat();
        let _ = write!(
            text,
            "user '{}', total ignored: {} out of {} for stream: {}",
            self.tenant,
            failed.count,
            self.offered(&failed.labels),
            failed.labels
        );
        Some(Refusal::new(if failed.last_was_rate { 429 } else { 400 }, text))
    }

    fn add(&mut self, labels: &Labels, timestamp: Nanos, is_rate: bool, reason: impl FnOnce() -> String) {
        let at = *self.index.entry(labels.clone()).or_insert_with(|| {
            let labels = labels.clone();
            self.failed.push(Failed { labels, lines: Vec::new(), count: 0, last_was_rate: false });
            self.failed.len() - 1
        });
        let failed = &mut self.failed[at];
        failed.count += 1;
        failed.last_was_rate = is_rate;
        if self.max_returned == 0 || failed.lines.len() < self.max_returned {
            let time = validate::go_time(timestamp);
            failed.lines.push(format!("entry with timestamp {time} ignored, reason: '{}',\n", reason()));
        }
    }
}

/// A size as Loki prints it: the largest unit that divides it.
fn size(bytes: u64) -> String {
    for (shift, unit) in [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}
