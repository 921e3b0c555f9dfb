//! What the rules need of the daemon they run in.

use std::{path::Path, sync::Arc};

use model::{Labels, Matcher, Millis};

/// One element of a rule expression's result, or of what a rule writes.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSample {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// Why an expression has no result.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

/// Why results could not be stored.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Runs rule expressions and keeps their results. All methods block: the engine calls them on blocking threads.
pub trait Evaluator: Send + Sync + 'static {
    /// The same for the rules of one group: a daemon that logs its queries says for whom they are.
    fn for_group(self: Arc<Self>, file: &Path, name: &str) -> Arc<dyn Evaluator>;

    /// Whether an expression parses; the error is the language's own.
    fn check(&self, expression: &str) -> Result<(), String>;

    /// The expression's value at a moment, as a vector; a scalar is a vector of one element without labels.
    fn evaluate(&self, expression: &str, at: Millis) -> Result<Vec<ResultSample>, EvalError>;

    /// The newest sample in `[from, to]` of every series that satisfies the matchers: how alerts find their state after a restart.
    fn newest(
        &self,
        matchers: &[Matcher],
        from: Millis,
        to: Millis,
    ) -> Result<Vec<(Labels, Millis, f64)>, EvalError>;

    /// Stores the results of one rule, all with one timestamp; staleness markers among them.
    fn store(&self, at: Millis, samples: &[ResultSample]) -> Result<(), StoreError>;
}
