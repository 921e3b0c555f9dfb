//! Aggregations that need no more than a few numbers a group and step.

use crate::{
    Bitmap, Row,
    kahan::{self, Mean},
};

/// What becomes of the values of a group at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduce {
    /// Their compensated sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least; NaN only when all are.
    Min,
    /// The greatest; NaN only when all are.
    Max,
    /// How many there are.
    Count,
    /// One.
    Group,
    /// Population standard deviation.
    Stddev,
    /// Population variance.
    Stdvar,
}

/// Takes rows one by one and keeps one state a group and step.
///
/// The numbers it keeps are columns of all groups, one group after the other, empty where the reduction does not use them: groups come and
/// go with instant queries by the hundred.
#[derive(Debug)]
pub struct Reducer {
    reduce: Reduce,
    steps: usize,
    /// Sum, extreme, running mean.
    values: Vec<f64>,
    /// Compensation of the sum, sum of squared differences.
    extras: Vec<f64>,
    counts: Vec<f64>,
    means: Vec<Mean>,
    /// One a group.
    present: Vec<Bitmap>,
}

/// The numbers of one group, one a step.
struct Group<'a> {
    value: &'a mut [f64],
    extra: &'a mut [f64],
    count: &'a mut [f64],
    means: &'a mut [Mean],
    present: &'a mut Bitmap,
}

impl Reducer {
    /// A reduction without groups, over `steps` steps.
    pub fn new(reduce: Reduce, steps: usize) -> Self {
        Self {
            reduce,
            steps,
            values: Vec::new(),
            extras: Vec::new(),
            counts: Vec::new(),
            means: Vec::new(),
            present: Vec::new(),
        }
    }

    /// Adds a series' row to a group; groups up to that number come into being.
    pub fn add(&mut self, group: usize, row: &Row) {
        debug_assert_eq!(row.len(), self.steps);
        let reduce = self.reduce;
        let Group { value, extra, count, means, present } = self.group(group);
        match reduce {
            // Most rows have a value at each step.
            Reduce::Sum if row.present().is_full() => {
                for ((number, value), lost) in row.values().iter().zip(value).zip(extra) {
                    (*value, *lost) = kahan::add(*number, *value, *lost);
                }
            }
            Reduce::Sum => {
                for (step, number) in row.iter() {
                    (value[step], extra[step]) = kahan::add(number, value[step], extra[step]);
                }
            }
            Reduce::Avg if row.present().is_full() => {
                for (mean, number) in means.iter_mut().zip(row.values()) {
                    mean.add(*number);
                }
            }
            Reduce::Avg => {
                for (step, number) in row.iter() {
                    means[step].add(number);
                }
            }
            Reduce::Min => {
                for (step, number) in row.iter() {
                    if !present.get(step) || value[step] > number || value[step].is_nan() {
                        value[step] = number;
                    }
                }
            }
            Reduce::Max => {
                for (step, number) in row.iter() {
                    if !present.get(step) || value[step] < number || value[step].is_nan() {
                        value[step] = number;
                    }
                }
            }
            Reduce::Count => {
                for step in row.present().iter() {
                    value[step] += 1.0;
                }
            }
            Reduce::Group => {}
            Reduce::Stddev | Reduce::Stdvar => {
                for (step, number) in row.iter() {
                    count[step] += 1.0;
                    if count[step] == 1.0 {
                        value[step] = number;
                        extra[step] = if number.is_finite() { 0.0 } else { f64::NAN };
                    } else {
                        let delta = number - value[step];
                        value[step] += delta / count[step];
                        extra[step] += delta * (number - value[step]);
                    }
                }
            }
        }
        present.union(row.present());
    }

    /// Counts samples that are no numbers (histograms) into `count` and `group`; other reductions ignore them.
    pub fn add_presence(&mut self, group: usize, steps: &Bitmap) {
        let reduce = self.reduce;
        let Group { value, present, .. } = self.group(group);
        match reduce {
            Reduce::Count => {
                for step in steps.iter() {
                    value[step] += 1.0;
                }
            }
            Reduce::Group => {}
            _ => return,
        }
        present.union(steps);
    }

    /// How many numbers are kept in memory, for a budget.
    pub fn samples(&self) -> usize {
        self.present.len() * self.steps
    }

    /// One row a group, in order of their numbers.
    pub fn finish(self) -> Vec<Row> {
        let row = |(group, present): (usize, &Bitmap)| {
            let first = group * self.steps;
            Row::from_fn(self.steps, |step| present.get(step).then(|| self.value(first + step)))
        };
        self.present.iter().enumerate().map(row).collect()
    }

    /// What became of the values at a place of the columns.
    fn value(&self, at: usize) -> f64 {
        match self.reduce {
            Reduce::Sum => self.values[at] + self.extras[at],
            Reduce::Avg => self.means[at].value(),
            Reduce::Min | Reduce::Max | Reduce::Count => self.values[at],
            Reduce::Group => 1.0,
            Reduce::Stdvar => self.extras[at] / self.counts[at],
            Reduce::Stddev => (self.extras[at] / self.counts[at]).sqrt(),
        }
    }

    fn group(&mut self, group: usize) -> Group<'_> {
        if self.present.len() <= group {
            self.grow(group + 1);
        }
        let numbers = group * self.steps..(group + 1) * self.steps;
        Group {
            value: self.values.get_mut(numbers.clone()).unwrap_or_default(),
            extra: self.extras.get_mut(numbers.clone()).unwrap_or_default(),
            count: self.counts.get_mut(numbers.clone()).unwrap_or_default(),
            means: self.means.get_mut(numbers).unwrap_or_default(),
            present: &mut self.present[group],
        }
    }

    fn grow(&mut self, groups: usize) {
        let numbers = groups * self.steps;
        let squares = matches!(self.reduce, Reduce::Stddev | Reduce::Stdvar);
        if !matches!(self.reduce, Reduce::Avg | Reduce::Group) {
            self.values.resize(numbers, 0.0);
        }
        if squares || self.reduce == Reduce::Sum {
            self.extras.resize(numbers, 0.0);
        }
        if squares {
            self.counts.resize(numbers, 0.0);
        }
        if self.reduce == Reduce::Avg {
            self.means.resize(numbers, Mean::default());
        }
        self.present.resize(groups, Bitmap::empty(self.steps));
    }
}

#[cfg(test)]
mod tests {
    use super::{Reduce, Reducer};
    use crate::Row;

    const NONE: f64 = f64::NEG_INFINITY;

    /// Rows of two steps; `NONE` is no value.
    fn check(reduce: Reduce, rows: &[[f64; 2]], want: [f64; 2]) {
        let mut reducer = Reducer::new(reduce, 2);
        for values in rows {
            let mut row = Row::empty(2);
            for (step, value) in values.iter().enumerate().filter(|(_, value)| **value != NONE) {
                row.set(step, *value);
            }
            reducer.add(0, &row);
        }
        let got = reducer.finish().remove(0);
        for (step, want) in want.into_iter().enumerate() {
            let got = got.get(step).unwrap_or(NONE);
            assert!(got == want || got.is_nan() && want.is_nan(), "{reduce:?} step {step}: {got} != {want}");
        }
    }

    #[test]
    fn reduces_what_is_present() {
        let rows = [[1.0, NONE], [2.0, 5.0], [6.0, NONE]];
        check(Reduce::Sum, &rows, [9.0, 5.0]);
        check(Reduce::Avg, &rows, [3.0, 5.0]);
        check(Reduce::Min, &rows, [1.0, 5.0]);
        check(Reduce::Max, &rows, [6.0, 5.0]);
        check(Reduce::Count, &rows, [3.0, 1.0]);
        check(Reduce::Group, &rows, [1.0, 1.0]);
        check(Reduce::Stdvar, &[[1.0, 3.0], [3.0, 3.0]], [1.0, 0.0]);
        check(Reduce::Stddev, &[[1.0, NONE], [5.0, NONE]], [2.0, NONE]);
    }

    #[test]
    fn nan_loses_against_numbers_in_min_and_max() {
        let rows = [[f64::NAN, f64::NAN], [2.0, f64::NAN], [1.0, f64::NAN]];
        check(Reduce::Min, &rows, [1.0, f64::NAN]);
        check(Reduce::Max, &rows, [2.0, f64::NAN]);
        check(Reduce::Stddev, &rows, [f64::NAN, f64::NAN]);
    }

    #[test]
    fn groups_without_rows_are_empty() {
        let mut reducer = Reducer::new(Reduce::Sum, 1);
        reducer.add(1, &Row::constant(3.0, 1));
        let rows = reducer.finish();
        assert!(rows[0].is_empty());
        assert_eq!(rows[1].get(0), Some(3.0));
    }
}
