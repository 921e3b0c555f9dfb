//! The values of one series over the steps of a query.

use smallvec::{SmallVec, smallvec};

use crate::Bitmap;

/// A value for each step at which there is one. A row of an instant query lives without an allocation.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// One entry a step; where `present` has no bit the number means nothing.
    values: SmallVec<[f64; 2]>,
    present: Bitmap,
}

impl Row {
    /// A row of `len` steps without any value.
    pub fn empty(len: usize) -> Self {
        Self { values: smallvec![0.0; len], present: Bitmap::empty(len) }
    }

    /// A row that has `value` at each of `len` steps.
    pub fn constant(value: f64, len: usize) -> Self {
        Self { values: smallvec![value; len], present: Bitmap::full(len) }
    }

    /// A row that has a value at each step.
    pub fn full(values: impl IntoIterator<Item = f64>) -> Self {
        let values: SmallVec<[f64; 2]> = values.into_iter().collect();
        let present = Bitmap::full(values.len());
        Self { values, present }
    }

    /// A row of the values that `value` gives for the steps, in order.
    #[inline]
    pub fn from_fn(len: usize, mut value: impl FnMut(usize) -> Option<f64>) -> Self {
        let mut values: SmallVec<[f64; 2]> = smallvec![0.0; len];
        let slots = values.as_mut_slice();
        let present = Bitmap::from_fn(len, |step| match value(step) {
            Some(value) => {
                slots[step] = value;
                true
            }
            None => false,
        });
        Self { values, present }
    }

    /// How many steps there are, with and without value.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no step has a value.
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// How many steps have a value.
    pub fn count(&self) -> usize {
        self.present.count()
    }

    /// The value at a step, if there is one.
    #[inline]
    pub fn get(&self, step: usize) -> Option<f64> {
        self.present.get(step).then(|| self.values[step])
    }

    /// Gives a step its value.
    ///
    /// # Panics
    /// When the row has no such step.
    #[inline]
    pub fn set(&mut self, step: usize, value: f64) {
        self.present.set(step);
        self.values[step] = value;
    }

    /// Takes the value of a step away.
    pub fn unset(&mut self, step: usize) {
        self.present.unset(step);
    }

    /// Takes all values away and keeps the memory.
    pub fn clear(&mut self) {
        self.present.clear();
    }

    /// The steps that have a value.
    pub fn present(&self) -> &Bitmap {
        &self.present
    }

    /// One number a step; it means nothing where [`Row::present`] has no bit.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Step and value, in order, for the steps that have one.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.present.iter().map(|step| (step, self.values[step]))
    }

    /// Replaces each value.
    #[inline]
    pub fn map(&mut self, mut change: impl FnMut(f64) -> f64) {
        // Numbers at absent steps are changed too: they mean nothing, and the loop stays free of branches.
        for value in &mut self.values {
            *value = change(*value);
        }
    }

    /// Replaces each value, told its step, or takes it away.
    #[inline]
    pub fn filter_map(&mut self, mut change: impl FnMut(usize, f64) -> Option<f64>) {
        for step in 0..self.values.len() {
            if self.present.get(step) {
                match change(step, self.values[step]) {
                    Some(value) => self.values[step] = value,
                    None => self.present.unset(step),
                }
            }
        }
    }

    /// Keeps the values at these steps only.
    pub fn retain(&mut self, steps: &Bitmap) {
        self.present.intersect(steps);
    }
}

impl PartialEq for Row {
    /// Equal where values are; a NaN equals itself bit by bit.
    fn eq(&self, other: &Self) -> bool {
        self.present == other.present
            && self.present.iter().all(|step| self.values[step].to_bits() == other.values[step].to_bits())
    }
}
