//! Samples of one series, and the windows over them.

use vector::Row;

use super::functions::{Function, LabelSample};
use super::steps::Windows;

/// The samples of one series, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Samples {
    samples: Vec<LabelSample>,
    /// Whether they are in time order so far.
    unordered: bool,
}

impl Samples {
    /// Adds a sample; returns by how many bytes the memory grew.
    pub fn add(&mut self, sample: LabelSample) -> usize {
        let before = self.samples.capacity();
        self.unordered |= self.samples.last().is_some_and(|last| last.timestamp > sample.timestamp);
        self.samples.push(sample);
        (self.samples.capacity() - before) * size_of::<LabelSample>()
    }

    /// The function's value for each window that has a sample.
    pub fn row(mut self, windows: &Windows, function: &Function, scratch: &mut Vec<f64>) -> Row {
        if self.unordered {
            self.samples.sort_by_key(|sample| sample.timestamp);
        }
        let samples = &self.samples;
        let mut row = Row::empty(windows.count());
        let (mut low, mut high) = (0, 0);
        for index in 0..windows.count() {
            let (after, end) = windows.bounds(index);
            while high < samples.len() && samples[high].timestamp <= end {
                high += 1;
            }
            while low < high && samples[low].timestamp <= after {
                low += 1;
            }
            if low < high {
                row.set(index, function.apply(&samples[low..high], scratch));
            }
        }
        row
    }
}
