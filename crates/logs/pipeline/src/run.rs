//! Running a pipeline.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::{
    Entry, Receipt,
    extracted::Extracted,
    selector::Selector,
    stages::{Stage, Verdict},
};

/// What stages are told about the moment.
pub struct Context<'a> {
    /// The time of day.
    pub now: Timestamp,
    /// The same on a clock that only goes forward.
    pub instant: Instant,
    /// Waits; false if the agent stops meanwhile. Called by `limit` without `drop`.
    pub wait: &'a dyn Fn(Duration) -> bool,
}

/// Stages in order. Not shared: one task runs it.
pub struct Pipeline<T> {
    pub(crate) steps: Vec<Step<T>>,
}

pub(crate) enum Step<T> {
    /// One entry in, at most that one out.
    Each(Box<dyn Stage>),
    /// Keeps entries back.
    Hold(Box<dyn Hold<T>>),
    /// Stages for some entries.
    Match { selector: Selector, stages: Pipeline<T> },
    /// Drops some entries.
    MatchDrop { selector: Selector, dropped: prometheus_client::metrics::counter::Counter },
}

/// A stage that keeps entries back and hands them on later, alone or joined.
pub(crate) trait Hold<T>: Send {
    fn process(&mut self, entry: Entry<T>, context: &Context<'_>, out: &mut Vec<Entry<T>>);

    /// Hands on what has waited long enough, or everything.
    fn flush(&mut self, context: &Context<'_>, all: bool, out: &mut Vec<Entry<T>>);
}

impl Context<'_> {
    /// Waits so many seconds; the new time, or `None` if the agent stops.
    pub(crate) fn wait(&self, seconds: f64) -> Option<Instant> {
        let pause = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        (self.wait)(pause).then(Instant::now)
    }
}

impl<T: Receipt> Pipeline<T> {
    /// Without stages.
    pub fn empty() -> Self {
        Self { steps: Vec::new() }
    }

    /// Runs an entry through all stages. What comes out is appended to `out`; what is dropped has its receipts done.
    pub fn process(&mut self, mut entry: Entry<T>, context: &Context<'_>, out: &mut Vec<Entry<T>>) {
        if !self.steps.is_empty() {
            entry.record.extracted = Extracted::of_labels(&entry.record.labels);
        }
        self.run_from(0, entry, context, out);
    }

    /// Hands on what stages have kept back for as long as they are to. To be called every now and then.
    pub fn flush_due(&mut self, context: &Context<'_>, out: &mut Vec<Entry<T>>) {
        self.flush(context, false, out);
    }

    /// Hands on everything that stages keep back, since nothing more comes.
    pub fn finish(&mut self, context: &Context<'_>, out: &mut Vec<Entry<T>>) {
        self.flush(context, true, out);
    }

    fn run_from(
        &mut self,
        start: usize,
        mut entry: Entry<T>,
        context: &Context<'_>,
        out: &mut Vec<Entry<T>>,
    ) {
        for at in start..self.steps.len() {
            match &mut self.steps[at] {
                Step::Each(stage) => match stage.apply(&mut entry.record, context) {
                    Verdict::Keep => {}
                    Verdict::Drop => return entry.discard(),
                    Verdict::Abandon => return,
                },
                Step::MatchDrop { selector, dropped } => {
                    if selector.matches(&entry.record.labels, &entry.record.line) {
                        dropped.inc();
                        return entry.discard();
                    }
                }
                Step::Match { selector, stages } => {
                    if selector.matches(&entry.record.labels, &entry.record.line) {
                        let mut ready = Vec::new();
                        stages.run_from(0, entry, context, &mut ready);
                        return self.run_all_from(at + 1, ready, context, out);
                    }
                }
                Step::Hold(stage) => {
                    let mut ready = Vec::new();
                    stage.process(entry, context, &mut ready);
                    return self.run_all_from(at + 1, ready, context, out);
                }
            }
        }
        out.push(entry);
    }

    fn run_all_from(
        &mut self,
        start: usize,
        entries: Vec<Entry<T>>,
        context: &Context<'_>,
        out: &mut Vec<Entry<T>>,
    ) {
        for entry in entries {
            self.run_from(start, entry, context, out);
        }
    }

    fn flush(&mut self, context: &Context<'_>, all: bool, out: &mut Vec<Entry<T>>) {
        for at in 0..self.steps.len() {
            let mut ready = Vec::new();
            match &mut self.steps[at] {
                Step::Hold(stage) => stage.flush(context, all, &mut ready),
                Step::Match { stages, .. } => stages.flush(context, all, &mut ready),
                Step::Each(_) | Step::MatchDrop { .. } => {}
            }
            self.run_all_from(at + 1, ready, context, out);
        }
    }
}
