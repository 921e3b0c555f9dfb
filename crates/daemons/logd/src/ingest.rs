//! Taking log lines: the way from a decoded push to the store, with all that may be wrong on it.
//!
//! Order, as in Loki: syntax of all labels (a mistake refuses the whole request) → labels → required labels → blocks → entries (bad ones
//! are left out, good ones go on) → the tenant's rate (all or nothing) → the streams' rates → the store.

mod failures;
mod label_text;
mod level;
mod logfmt;
mod metadata;
mod metrics;
mod rate;
mod refusal;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use model::{Labels, Nanos};
use streams::{Entry, LogAppender, PushError, Stream};
use wire::loki_push::{PushedEntry, PushedStream};

use crate::{Config, Limits, tenants::Tenant};
use failures::Failures;
use label_text::LabelPairs;
use level::LevelDetector;
use metadata::MetadataBuilder;
use validate::{EntryCheck, bounds};

pub(crate) use metrics::IngestMetrics;
pub(crate) use rate::Rates;
pub(crate) use refusal::{Reason, Refusal};

/// Longest text of one stream's labels, as in Loki.
const MAX_LABELS_TEXT: usize = 16 << 20;
/// The label that names the service a stream comes from.
const SERVICE_NAME: &str = "service_name";
/// Its value where no other label tells.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Takes pushes of all tenants.
pub(crate) struct Ingester {
    limits: Limits,
    levels: Option<LevelDetector>,
    max_returned_errors: usize,
    blocked_until: Option<Nanos>,
    metrics: IngestMetrics,
}

/// A stream whose entries were checked.
struct Checked {
    labels: Labels,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Ingester {
    /// Takes what the limits allow.
    pub fn new(config: &Config, metrics: IngestMetrics) -> Self {
        let limits = config.limits.clone();
        let levels = (limits.discover_log_levels && limits.allow_structured_metadata)
            .then(|| LevelDetector::new(&limits.log_level_fields, limits.log_level_from_json_max_depth));
        let blocked_until = limits.blocked_until();
        Self {
            limits,
            levels,
            max_returned_errors: config.max_returned_stream_errors,
            blocked_until,
            metrics,
        }
    }

    /// The counters, for those who refuse a request before it gets here.
    pub fn metrics(&self) -> &IngestMetrics {
        &self.metrics
    }

    /// Stores the good entries of a push. An error says what was left out; unless it says so, the rest was stored.
    ///
    /// Blocks: for threads that may.
    pub fn push(&self, tenant: &Tenant, pushed: Vec<PushedStream>, now: Nanos) -> Result<(), Refusal> {
        if pushed.is_empty() {
            return Err(Refusal::no_streams());
        }
        let mut streams = Vec::with_capacity(pushed.len());
        for PushedStream { labels, entries } in pushed {
            streams.push((self.read_labels(&labels)?, entries));
        }
        self.metrics.received(&tenant.name, &streams);
        let mut refusal = None;
        let checked = self.check(tenant, streams, now, &mut refusal);
        let refusal = refusal.map(Failures::into_refusal);
        if !checked.is_empty() {
            self.check_rate(tenant, &checked, now)?;
            self.store(tenant, checked, now)?;
        }
        refusal.map_or(Ok(()), Err)
    }

    fn read_labels(&self, text: &str) -> Result<LabelPairs, Refusal> {
        if text.len() > MAX_LABELS_TEXT {
            let text =
                format!("stream labels size {} bytes exceeds limit of {MAX_LABELS_TEXT} bytes", text.len());
            return Err(Refusal::new(413, text));
        }
        let mut labels = label_text::parse(text)
            .map_err(|error| Refusal::new(400, format!("couldn't parse labels: {error}")))?;
        let discover = &self.limits.discover_service_name;
        if !discover.is_empty() && labels.get(SERVICE_NAME).is_none() {
            let found =
                discover.iter().find_map(|name| labels.get(name)).unwrap_or(UNKNOWN_SERVICE).to_owned();
            labels.insert(SERVICE_NAME, found);
        }
        Ok(labels)
    }

    /// The streams with what is good of them.
    fn check(
        &self,
        tenant: &Tenant,
        streams: Vec<(LabelPairs, Vec<PushedEntry>)>,
        now: Nanos,
        refused: &mut Option<Failures>,
    ) -> Vec<Checked> {
        let bounds = bounds(&self.limits, now);
        let mut metadata = MetadataBuilder::default();
        let mut checked = Vec::with_capacity(streams.len());
        for (labels, entries) in streams {
            if entries.is_empty() {
                continue;
            }
            if let Err((reason, refusal)) = self.check_stream(&labels, tenant, now) {
                let bytes = entries.iter().map(entry_bytes).sum();
                self.metrics.discarded(reason, &tenant.name, entries.len(), bytes);
                if let Some(refusal) = refusal {
                    refused.get_or_insert_default().add(refusal);
                }
                continue;
            }
            let check = EntryCheck { limits: &self.limits, bounds, stream: &labels };
            let refuse = |entry: &PushedEntry, reason, text| {
                self.metrics.discarded(reason, &tenant.name, 1, entry_bytes(entry));
                refused.get_or_insert_default().add(Refusal::new(400, text));
            };
            let stream = self.check_entries(&check, entries, &mut metadata, refuse);
            if !stream.entries.is_empty() {
                checked.push(stream);
            }
        }
        checked
    }

    /// One stream with its good entries; `refuse` is told of the others.
    fn check_entries(
        &self,
        check: &EntryCheck<'_>,
        entries: Vec<PushedEntry>,
        metadata: &mut MetadataBuilder,
        mut refuse: impl FnMut(&PushedEntry, Reason, String),
    ) -> Checked {
        let levels = self.levels.as_ref();
        let level_of_stream = levels.and_then(|levels| levels.of_labels(|name| check.stream.get(name)));
        // The time that the last entries had before they were moved.
        let mut original = entries.first().map_or(0, |entry| entry.timestamp);
        let mut stream = Checked {
            labels: check.stream.to_labels(),
            entries: Vec::with_capacity(entries.len()),
            bytes: 0,
        };
        for mut entry in entries {
            self.truncate(&mut entry);
            if let Err((reason, text)) = check.check(&entry) {
                refuse(&entry, reason, text);
                continue;
            }
            // Nobody could tell that such an entry is there: Loki does not give them back either.
            if entry.line.is_empty() && entry.metadata.is_empty() {
                continue;
            }
            let line = valid_text(entry.line);
            let metadata = metadata.build(&entry.metadata, &line, levels, level_of_stream);
            let mut timestamp = entry.timestamp;
            if self.limits.increment_duplicate_timestamp
                && let Some(last) = stream.entries.last()
            {
                let repeats = timestamp == original || timestamp == last.timestamp;
                if repeats && last.line != line {
                    timestamp = last.timestamp.saturating_add(1);
                } else {
                    original = timestamp;
                }
            }
            stream.bytes += line.len() + metadata_bytes(&metadata);
            stream.entries.push(Entry { timestamp, line, metadata });
        }
        stream
    }

    /// Whether a stream is taken at all. Where it is not, the refusal is missing if the client is not to be told.
    fn check_stream(
        &self,
        labels: &LabelPairs,
        tenant: &Tenant,
        now: Nanos,
    ) -> Result<(), (Reason, Option<Refusal>)> {
        validate::labels(labels, &self.limits)
            .map_err(|(reason, text)| (reason, Some(Refusal::new(400, text))))?;
        let missing: Vec<&str> = self
            .limits
            .enforced_labels
            .iter()
            .map(String::as_str)
            .filter(|name| labels.get(name).is_none())
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "missing required labels '{}' for user '{}' for stream '{labels}' (policy: '')",
                missing.join(","),
                tenant.name
            );
            return Err((Reason::MissingEnforcedLabels, Some(Refusal::new(400, text))));
        }
        if self.blocked_until.is_some_and(|until| now < until) {
            let status = self.limits.block_ingestion_status_code;
            let until = validate::seconds(self.blocked_until.unwrap_or_default());
            let text = format!(
                "ingestion blocked for user '{}' until '{until}' with status code '{status}'",
                tenant.name
            );
            return Err((Reason::BlockedIngestion, (status != 200).then(|| Refusal::new(status, text))));
        }
        Ok(())
    }

    fn truncate(&self, entry: &mut PushedEntry) {
        let max = self.limits.max_line_size.as_usize();
        if !self.limits.max_line_size_truncate || max == 0 || entry.line.len() <= max {
            return;
        }
        let suffix = self.limits.max_line_size_truncate_identifier.as_bytes();
        let mut kept = max.saturating_sub(suffix.len());
        // Not in the middle of a character.
        while kept > 0 && entry.line.get(kept).is_some_and(|byte| byte & 0xc0 == 0x80) {
            kept -= 1;
        }
        entry.line = [&entry.line[..kept], &suffix[..suffix.len().min(max)]].concat().into();
    }

    fn check_rate(&self, tenant: &Tenant, checked: &[Checked], now: Nanos) -> Result<(), Refusal> {
        let bytes: usize = checked.iter().map(|stream| stream.bytes).sum();
        let lines: usize = checked.iter().map(|stream| stream.entries.len()).sum();
        let (rate, burst) = self.limits.ingestion();
        if tenant.rates.allow(bytes, rate, burst, now) {
            return Ok(());
        }
        self.metrics.discarded(Reason::RateLimited, &tenant.name, lines, bytes);
        let text = format!(
            "ingestion rate limit exceeded for user {} (limit: {rate:.0} bytes/sec) while attempting to ingest '{lines}' lines totaling \
             '{bytes}' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased",
            tenant.name
        );
        Err(Refusal::new(429, text))
    }

    /// Stores what the streams' rates allow.
    fn store(&self, tenant: &Tenant, checked: Vec<Checked>, now: Nanos) -> Result<(), Refusal> {
        let mut failures = failures::StreamFailures::new(&tenant.name, self.max_returned_errors);
        let mut streams = Vec::with_capacity(checked.len());
        let rate = self.limits.per_stream_rate_limit;
        let burst = self.limits.per_stream_rate_limit_burst;
        for Checked { labels, mut entries, .. } in checked {
            failures.expect(&labels, entries.len());
            let mut bucket = tenant.rates.stream(&labels, rate.0 as f64, burst.0 as f64, now);
            entries.retain(|entry| {
                let bytes = entry.line.len() + metadata_bytes(&entry.metadata);
                let allowed = bucket.take(bytes);
                if !allowed {
                    self.metrics.discarded(Reason::PerStreamRateLimit, &tenant.name, 1, bytes);
                    failures.rate_limited(&labels, entry.timestamp, rate, bytes);
                }
                allowed
            });
            drop(bucket);
            streams.push(Stream { labels, entries });
        }
        match tenant.store.push(streams) {
            Ok(()) => {}
            Err(PushError::TooFarBehind(late)) => {
                self.metrics.discarded(Reason::TooFarBehind, &tenant.name, late.len(), 0);
                failures.late(&late);
            }
            Err(PushError::StreamLimit { streams, .. }) => {
                let lines = streams.iter().map(|labels| failures.offered(labels)).sum();
                self.metrics.discarded(Reason::StreamLimit, &tenant.name, lines, 0);
                if let Some(labels) = streams.last() {
                    return Err(Refusal::stream_limit(labels, &tenant.name));
                }
            }
            Err(error) => return Err(Refusal::unavailable(&error)),
        }
        failures.into_refusal().map_or(Ok(()), Err)
    }
}

/// A shared ingester.
pub(crate) type SharedIngester = Arc<Ingester>;

/// Bytes of a line and its structured metadata.
fn entry_bytes(entry: &PushedEntry) -> usize {
    entry.line.len() + validate::metadata_size(entry)
}

fn metadata_bytes(metadata: &Labels) -> usize {
    metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// The line as UTF-8: bytes that are not become replacement characters.
fn valid_text(line: Bytes) -> Bytes {
    match String::from_utf8_lossy(&line) {
        std::borrow::Cow::Borrowed(_) => line,
        std::borrow::Cow::Owned(text) => text.into(),
    }
}
