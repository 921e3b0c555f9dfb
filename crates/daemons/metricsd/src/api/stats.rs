//! What a query took, in the shape that answers and the query log give it.

use std::time::Duration;

use model::Millis;
use promql::QueryStats;
use serde_json::{Value, json};

/// What a query took, its wait for a turn included.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Waiting for other queries.
    pub queued: Duration,
    /// From its turn to its answer.
    pub executing: Duration,
    /// What the engine counted; nothing where the query failed.
    pub engine: QueryStats,
}

impl Spent {
    /// `{"timings":{…},"samples":{…}}`, times in seconds; with the samples that each step used, if they are told.
    pub fn to_json(self, samples_per_step: &[(Millis, u64)]) -> Value {
        let QueryStats {
            total_queryable_samples,
            samples_read,
            peak_samples,
            preparation,
            evaluation,
            sorting,
        } = self.engine;
        let evaluating = preparation + evaluation + sorting;
        let mut spent = json!({
            "timings": {
                "evalTotalTime": evaluating.as_secs_f64(),
                "resultSortTime": sorting.as_secs_f64(),
                "queryPreparationTime": preparation.as_secs_f64(),
                "innerEvalTime": evaluation.as_secs_f64(),
                "execQueueTime": self.queued.as_secs_f64(),
                "execTotalTime": (self.queued + self.executing.max(evaluating)).as_secs_f64(),
            },
            "samples": {
                "totalQueryableSamples": total_queryable_samples,
                "samplesRead": samples_read,
                "peakSamples": peak_samples,
            },
        });
        if !samples_per_step.is_empty() {
            let steps = samples_per_step.iter().map(|(time, samples)| json!([seconds(*time), samples]));
            spent["samples"]["totalQueryableSamplesPerStep"] = steps.collect();
        }
        spent
    }
}

/// A moment in seconds, without decimals where it needs none.
fn seconds(time: Millis) -> Value {
    if time % 1000 == 0 { json!(time / 1000) } else { json!(time as f64 / 1000.0) }
}
