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
#[derive(Debug)]
pub struct Reducer {
    reduce: Reduce,
    steps: usize,
    groups: Vec<Group>,
}

/// The numbers a reduction keeps, one column each, empty where the reduction does not use it.
#[derive(Debug)]
struct Group {
    /// Sum, extreme, running mean.
    value: Vec<f64>,
    /// Compensation of the sum, sum of squared differences.
    extra: Vec<f64>,
    count: Vec<f64>,
    means: Vec<Mean>,
    present: Bitmap,
}

impl Reducer {
    /// A reduction without groups, over `steps` steps.
    pub fn new(reduce: Reduce, steps: usize) -> Self {
        Self { reduce, steps, groups: Vec::new() }
    }

    /// Adds a series' row to a group; groups up to that number come into being.
    pub fn add(&mut self, group: usize, row: &Row) {
        debug_assert_eq!(row.len(), self.steps);
        self.reserve(group);
        let Group { value, extra, count, means, present } = &mut self.groups[group];
        match self.reduce {
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
        self.reserve(group);
        let state = &mut self.groups[group];
        match self.reduce {
            Reduce::Count => {
                for step in steps.iter() {
                    state.value[step] += 1.0;
                }
            }
            Reduce::Group => {}
            _ => return,
        }
        state.present.union(steps);
    }

    /// How many numbers are kept in memory, for a budget.
    pub fn samples(&self) -> usize {
        self.groups.len() * self.steps
    }

    /// One row a group, in order of their numbers.
    pub fn finish(self) -> Vec<Row> {
        let Self { reduce, steps, groups } = self;
        groups.into_iter().map(|group| group.finish(reduce, steps)).collect()
    }

    fn reserve(&mut self, group: usize) {
        while self.groups.len() <= group {
            self.groups.push(Group::new(self.reduce, self.steps));
        }
    }
}

impl Group {
    fn new(reduce: Reduce, steps: usize) -> Self {
        let column = |used: bool| if used { vec![0.0; steps] } else { Vec::new() };
        let squares = matches!(reduce, Reduce::Stddev | Reduce::Stdvar);
        Self {
            value: column(!matches!(reduce, Reduce::Avg | Reduce::Group)),
            extra: column(squares || reduce == Reduce::Sum),
            count: column(squares),
            means: if reduce == Reduce::Avg { vec![Mean::default(); steps] } else { Vec::new() },
            present: Bitmap::empty(steps),
        }
    }

    fn finish(self, reduce: Reduce, steps: usize) -> Row {
        let mut row = Row::empty(steps);
        for step in self.present.iter() {
            let value = match reduce {
                Reduce::Sum => self.value[step] + self.extra[step],
                Reduce::Avg => self.means[step].value(),
                Reduce::Min | Reduce::Max | Reduce::Count => self.value[step],
                Reduce::Group => 1.0,
                Reduce::Stdvar => self.extra[step] / self.count[step],
                Reduce::Stddev => (self.extra[step] / self.count[step]).sqrt(),
            };
            row.set(step, value);
        }
        row
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
