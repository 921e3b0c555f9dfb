//! `count_values`: how many series of a group have which value.

use rustc_hash::FxHashMap;

use crate::Row;

/// One value of one group, and how many series have it at each step.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedValue {
    /// The group's number.
    pub group: usize,
    /// The value; all NaN count as one.
    pub value: f64,
    /// The counts.
    pub counts: Row,
}

/// Takes rows one by one and counts equal values.
#[derive(Debug)]
pub struct ValueCounter {
    steps: usize,
    counts: FxHashMap<(usize, u64), Row>,
}

impl ValueCounter {
    /// Nothing counted yet, over `steps` steps.
    pub fn new(steps: usize) -> Self {
        Self { steps, counts: FxHashMap::default() }
    }

    /// Counts a series' row into a group.
    pub fn add(&mut self, group: usize, row: &Row) {
        for (step, value) in row.iter() {
            let key = if value.is_nan() { f64::NAN } else { value }.to_bits();
            let counts = self.counts.entry((group, key)).or_insert_with(|| Row::empty(self.steps));
            let count = counts.get(step).unwrap_or(0.0);
            counts.set(step, count + 1.0);
        }
    }

    /// How many numbers are kept in memory, for a budget.
    pub fn samples(&self) -> usize {
        self.counts.len() * self.steps
    }

    /// What was counted, ordered by group and value.
    pub fn finish(self) -> Vec<CountedValue> {
        let mut counted: Vec<CountedValue> = self
            .counts
            .into_iter()
            .map(|((group, bits), counts)| CountedValue { group, value: f64::from_bits(bits), counts })
            .collect();
        counted.sort_by(|a, b| a.group.cmp(&b.group).then(a.value.total_cmp(&b.value)));
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::ValueCounter;
    use crate::Row;

    #[test]
    fn counts_equal_values_per_step() {
        let mut counter = ValueCounter::new(2);
        counter.add(0, &Row::full([6.0, 7.0]));
        counter.add(0, &Row::full([6.0, f64::NAN]));
        let counted = counter.finish();
        assert_eq!(counted.len(), 3);
        assert_eq!((counted[0].value, counted[0].counts.get(0)), (6.0, Some(2.0)));
        assert_eq!((counted[1].value, counted[1].counts.get(1)), (7.0, Some(1.0)));
        assert!(counted[2].value.is_nan());
    }
}
