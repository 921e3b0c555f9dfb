//! `sampling`: keeps a random part of the entries.

use std::hash::{BuildHasher, RandomState};

use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{PipelineMetrics, Record, StageError, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    rate: Option<f64>,
    drop_counter_reason: Option<String>,
}

pub(crate) struct SamplingStage {
    rate: f64,
    random: u64,
    dropped: Counter,
}

impl SamplingStage {
    pub(crate) fn new(config: Yaml, metrics: &PipelineMetrics) -> Result<Self, StageError> {
        let Config { rate, drop_counter_reason } = decode(config)?;
        let rate = rate.ok_or_else(|| StageError::invalid("sampling rate is required"))?;
        if !(0.0..=1.0).contains(&rate) {
            return Err(StageError::invalid(format!(
                "sampling stage failed to parse rate: {rate} is not between 0 and 1"
            )));
        }
        let dropped = metrics.dropped_counter(drop_counter_reason.as_deref().unwrap_or("sampling_stage"));
        Ok(Self { rate, random: RandomState::new().hash_one(0) | 1, dropped })
    }

    /// A number from 0 to below 1. Xorshift: nobody needs more to thin out log lines.
    fn next(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Stage for SamplingStage {
    fn apply(&mut self, _: &mut Record, _: &Context<'_>) -> Verdict {
        if self.next() < self.rate {
            return Verdict::Keep;
        }
        self.dropped.inc();
        Verdict::Drop
    }
}
