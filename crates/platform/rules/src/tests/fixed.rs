//! An evaluator whose answers are fixed, for tests.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use model::{Labels, Matcher, Millis};
use parking_lot::Mutex;

use crate::{EvalError, Evaluator, ResultSample, StoreError};

type Stored = Vec<(Millis, Vec<ResultSample>)>;

#[derive(Default)]
pub(super) struct FixedEvaluator {
    results: Mutex<BTreeMap<String, Vec<ResultSample>>>,
    newest: Mutex<Vec<(Labels, Millis, f64)>>,
    stored: Mutex<Stored>,
    lenient: bool,
}

impl FixedEvaluator {
    /// One that takes every expression.
    pub(super) fn lenient() -> Self {
        Self { lenient: true, ..Self::default() }
    }

    pub(super) fn set(&self, expression: &str, samples: &[(&[(&str, &str)], f64)]) {
        let samples = samples
            .iter()
            .map(|(labels, value)| ResultSample {
                labels: Labels::from_pairs(labels.iter().copied()),
                value: *value,
            })
            .collect();
        self.results.lock().insert(expression.to_owned(), samples);
    }

    pub(super) fn set_newest(&self, newest: Vec<(Labels, Millis, f64)>) {
        *self.newest.lock() = newest;
    }

    pub(super) fn stored(&self) -> Stored {
        self.stored.lock().clone()
    }

    pub(super) fn take_stored(&self) -> Stored {
        std::mem::take(&mut *self.stored.lock())
    }
}

impl Evaluator for FixedEvaluator {
    fn for_group(self: Arc<Self>, _: &Path, _: &str) -> Arc<dyn Evaluator> {
        self
    }

    fn check(&self, expression: &str) -> Result<(), String> {
        if !self.lenient && expression.contains('(') {
            return Err("unclosed left parenthesis".into());
        }
        Ok(())
    }

    fn evaluate(&self, expression: &str, _at: Millis) -> Result<Vec<ResultSample>, EvalError> {
        self.results
            .lock()
            .get(expression)
            .cloned()
            .ok_or_else(|| EvalError(format!("no such expression: {expression}")))
    }

    fn newest(
        &self,
        _: &[Matcher],
        from: Millis,
        to: Millis,
    ) -> Result<Vec<(Labels, Millis, f64)>, EvalError> {
        Ok(self.newest.lock().iter().filter(|(_, at, _)| (from..=to).contains(at)).cloned().collect())
    }

    fn store(&self, at: Millis, samples: &[ResultSample]) -> Result<(), StoreError> {
        self.stored.lock().push((at, samples.to_vec()));
        Ok(())
    }
}
