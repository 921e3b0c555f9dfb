//! One series of an intermediate result.

use std::sync::Arc;

use model::{FloatHistogram, Labels};
use vector::{Bitmap, Row, SameLabelset};

use crate::{engine::budget::Memory, functions::window::Point, histogram};

/// Labels and samples. At a step there is a float or a histogram or nothing.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Whether the metric's name is to go when the query is done; never where names go at once.
    pub(crate) drop_name: bool,
    pub(crate) floats: Row,
    /// Native histograms by step, ascending; empty for nearly every series.
    pub(crate) histograms: Vec<(usize, Arc<FloatHistogram>)>,
}

impl Series {
    pub(crate) fn of_row(labels: Labels, floats: Row) -> Self {
        Self { labels, drop_name: false, floats, histograms: Vec::new() }
    }

    /// A series of `steps` steps without samples.
    pub(crate) fn empty(labels: Labels, steps: usize) -> Self {
        Self::of_row(labels, Row::empty(steps))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.histograms.is_empty() && self.floats.is_empty()
    }

    /// How many samples there are.
    pub(crate) fn sample_count(&self) -> usize {
        self.floats.count() + self.histograms.len()
    }

    /// How many samples there are as limits and statistics count them: histograms by their size.
    pub(crate) fn samples(&self) -> usize {
        self.floats.count() + self.histogram_samples()
    }

    fn histogram_samples(&self) -> usize {
        self.histograms.iter().map(|(_, histogram)| histogram::samples(histogram)).sum()
    }

    /// The steps at which there is a sample of either kind.
    pub(crate) fn present(&self) -> Bitmap {
        let mut present = self.floats.present().clone();
        for (step, _) in &self.histograms {
            present.set(*step);
        }
        present
    }

    /// The steps at which there is a histogram.
    pub(crate) fn histogram_steps(&self) -> Bitmap {
        let mut present = Bitmap::empty(self.floats.len());
        for (step, _) in &self.histograms {
            present.set(*step);
        }
        present
    }

    pub(crate) fn histogram_at(&self, step: usize) -> Option<&Arc<FloatHistogram>> {
        let at = self.histograms.binary_search_by_key(&step, |(step, _)| *step).ok()?;
        Some(&self.histograms[at].1)
    }

    /// Adds a sample behind all others.
    pub(crate) fn push(&mut self, step: usize, point: Point) {
        match point {
            Point::Float(value) => self.floats.set(step, value),
            Point::Histogram(histogram) => self.histograms.push((step, histogram)),
        }
    }

    /// Keeps the samples at these steps only.
    pub(crate) fn retain(&mut self, steps: &Bitmap) {
        self.floats.retain(steps);
        self.histograms.retain(|(step, _)| steps.get(*step));
    }

    /// Whether both have a sample at the same step.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.present().first_common(&other.present()).is_some()
    }

    /// Takes over the samples of a series with the same labels, which must have none at the same steps.
    pub(crate) fn absorb(&mut self, other: Self) -> Result<(), SameLabelset> {
        if self.meets(&other) {
            return Err(SameLabelset);
        }
        for (step, value) in other.floats.iter() {
            self.floats.set(step, value);
        }
        if !other.histograms.is_empty() {
            self.histograms.extend(other.histograms);
            self.histograms.sort_by_key(|(step, _)| *step);
        }
        Ok(())
    }

    /// The only step's sample at each of `count` steps.
    pub(crate) fn repeated(self, count: usize) -> Self {
        let floats = match self.floats.get(0) {
            Some(value) => Row::constant(value, count),
            None => Row::empty(count),
        };
        let histograms = match self.histograms.first() {
            Some((_, histogram)) => (0..count).map(|step| (step, Arc::clone(histogram))).collect(),
            None => Vec::new(),
        };
        Self { floats, histograms, ..self }
    }

    /// What the series costs of a query's budget: rows are dense, so absent steps count, too.
    pub(crate) fn memory(&self) -> Memory {
        (Memory::of_rows(self.floats.len()) + Memory::of_columns(self.histogram_samples()))
            .with_labels(&self.labels)
    }
}
