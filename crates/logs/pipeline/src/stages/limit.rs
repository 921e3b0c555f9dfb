//! `limit`: at most so many entries a second; the rest waits, or is dropped.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{PipelineMetrics, Record, StageError, TokenBucket, run::Context};

/// Label values that have a bucket of their own, unless more are asked for.
const MIN_DISTINCT_LABELS: usize = 10_000;
const DROP_REASON: &str = "ratelimit_drop_stage";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    rate: f64,
    burst: u32,
    drop: bool,
    by_label_name: Option<String>,
    max_distinct_labels: usize,
}

pub(crate) struct LimitStage {
    rate: f64,
    burst: f64,
    drop: bool,
    by: Limits,
    metrics: PipelineMetrics,
    dropped: Counter,
}

enum Limits {
    All(TokenBucket),
    ByLabel { name: String, buckets: FxHashMap<Arc<str>, TokenBucket>, most: usize },
}

impl LimitStage {
    pub(crate) fn new(config: Yaml, metrics: &PipelineMetrics) -> Result<Self, StageError> {
        let Config { rate, burst, drop, by_label_name, max_distinct_labels } = decode(config)?;
        if rate.is_nan() || rate <= 0.0 || burst == 0 {
            return Err(StageError::invalid("burst or rate must be set and greater than 0"));
        }
        let burst = f64::from(burst);
        let by = match by_label_name.filter(|name| !name.is_empty()) {
            Some(_) if !drop => {
                return Err(StageError::invalid("when rate limiting by label, drop must be true"));
            }
            Some(name) => Limits::ByLabel {
                name,
                buckets: FxHashMap::default(),
                most: max_distinct_labels.max(MIN_DISTINCT_LABELS),
            },
            None => Limits::All(TokenBucket::full(burst)),
        };
        let dropped = metrics.dropped_counter(DROP_REASON);
        Ok(Self { rate, burst, drop, by, metrics: metrics.clone(), dropped })
    }
}

impl Stage for LimitStage {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict {
        match &mut self.by {
            Limits::All(bucket) => {
                let mut now = context.instant;
                while let Err(seconds) = bucket.take(now, self.rate, self.burst) {
                    if self.drop {
                        self.dropped.inc();
                        return Verdict::Drop;
                    }
                    let Some(later) = context.wait(seconds) else { return Verdict::Abandon };
                    now = later;
                }
            }
            Limits::ByLabel { name, buckets, most } => {
                let Some(value) = record.labels.get(name) else { return Verdict::Keep };
                if buckets.len() >= *most && !buckets.contains_key(value) {
                    // Those that are full again hold no knowledge.
                    let (rate, burst, now) = (self.rate, self.burst, context.instant);
                    buckets.retain(|_, bucket| bucket.is_used(now, rate, burst));
                    if buckets.len() >= *most {
                        buckets.clear();
                    }
                }
                let bucket = buckets.entry(value.clone()).or_insert_with(|| TokenBucket::full(self.burst));
                if bucket.take(context.instant, self.rate, self.burst).is_err() {
                    self.metrics.dropped_by_label(name, value);
                    self.dropped.inc();
                    return Verdict::Drop;
                }
            }
        }
        Verdict::Keep
    }
}
