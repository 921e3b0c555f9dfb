//! The rules for native histograms in a series, where they differ from those for floats.

use model::Millis;
use storage::{AppendError, HistogramSample};

use super::{AppendRules, Appended, Place, SeriesState, Verdict};
use crate::{
    chunk::{Encoding, Floats, Integers},
    head::{
        isolation::CommitId,
        open_chunk::{ChunkForm, HistogramKind, OpenChunk},
    },
    recode::Sample,
};

impl SeriesState {
    /// Whether a histogram may be appended, by Prometheus' rules.
    pub(crate) fn check_histogram(
        &self,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
        rules: AppendRules,
    ) -> Result<Verdict, AppendError> {
        match self.check_time(timestamp, rules)? {
            Place::Behind => return Ok(Verdict::Take),
            Place::Late => return Ok(Verdict::Late),
            Place::OnNewest => {}
        }
        match &self.open {
            Some(open) if !open.ends_with(histogram) => Err(AppendError::DuplicateHistogram),
            // What a closed chunk ends with is not looked up.
            _ => Ok(Verdict::Known),
        }
    }

    /// Whether a sample of any kind may be appended.
    pub(crate) fn check_any(
        &self,
        timestamp: Millis,
        sample: &Sample,
        rules: AppendRules,
    ) -> Result<Verdict, AppendError> {
        match sample {
            Sample::Float(value) => self.check(timestamp, *value, rules),
            Sample::Histogram(histogram) => {
                self.check_histogram(timestamp, HistogramSample::Integer(histogram), rules)
            }
            Sample::FloatHistogram(histogram) => {
                self.check_histogram(timestamp, HistogramSample::Float(histogram), rules)
            }
        }
    }

    /// Appends a sample of any kind, as [`SeriesState::append`] does. Another kind than before begins a new chunk.
    pub(crate) fn append_any(
        &mut self,
        timestamp: Millis,
        sample: Sample,
        commit: Option<CommitId>,
        form: ChunkForm,
    ) -> Appended {
        if timestamp <= self.last_time {
            return Appended::Not;
        }
        match sample {
            Sample::Float(value) => self.append(timestamp, value, commit, form),
            Sample::Histogram(histogram) => {
                self.append_histogram::<Integers>(timestamp, histogram, commit, form.width)
            }
            Sample::FloatHistogram(histogram) => {
                self.append_histogram::<Floats>(timestamp, histogram, commit, form.width)
            }
        }
    }

    fn append_histogram<F: HistogramKind>(
        &mut self,
        timestamp: Millis,
        histogram: Box<F::Histogram>,
        commit: Option<CommitId>,
        width: Millis,
    ) -> Appended {
        let open = self.open.as_mut();
        let next = OpenChunk::append_histogram::<F>(open, self.last_time, timestamp, histogram, width);
        let cut = next.is_some();
        if cut {
            self.close();
            self.open = next;
        }
        self.last_time = timestamp;
        self.note(commit);
        if cut { Appended::NewChunk } else { Appended::Same }
    }

    /// How the chunk of the newest sample is encoded; none where it has left memory.
    pub(crate) fn newest_encoding(&self) -> Option<Encoding> {
        self.open.as_ref().map(OpenChunk::encoding).or_else(|| self.closed.newest_encoding())
    }

    /// Whether the newest sample is a histogram.
    pub(super) fn ends_with_histogram(&self) -> bool {
        self.newest_encoding().is_some_and(Encoding::holds_histograms)
    }
}
