//! Recording rules: an expression's result under another name.

use std::collections::HashSet;

use model::{Labels, METRIC_NAME, Millis};

use crate::{EvalError, Evaluator, ResultSample};

/// A recording rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingRule {
    /// The metric that it writes.
    pub name: String,
    /// Its expression.
    pub expression: String,
    /// Labels that it sets.
    pub labels: Labels,
}

impl RecordingRule {
    /// The rule's result at a moment.
    pub(crate) fn evaluate(
        &self,
        evaluator: &dyn Evaluator,
        at: Millis,
        limit: u64,
    ) -> Result<Vec<ResultSample>, EvalError> {
        let mut samples = evaluator.evaluate(&self.expression, at)?;
        let mut seen = HashSet::with_capacity(samples.len());
        for sample in &mut samples {
            let mut labels = sample.labels.to_builder();
            labels.set(METRIC_NAME, &self.name);
            for (name, value) in self.labels.iter() {
                labels.set(name, value);
            }
            sample.labels = labels.build();
            if !seen.insert(sample.labels.clone()) {
                return Err(EvalError(
                    "vector contains metrics with the same labelset after applying rule labels".into(),
                ));
            }
        }
        if limit > 0 && samples.len() as u64 > limit {
            return Err(EvalError(format!("exceeded limit of {limit} with {} series", samples.len())));
        }
        Ok(samples)
    }
}
