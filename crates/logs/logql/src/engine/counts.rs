//! Counting entries in windows: where each entry's windows begin and end is noted, and summing up gives every window at once.

use vector::Row;

/// How many entries, and bytes, are in each window of one series. Entries may come in any order.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The first window of the columns.
    first: usize,
    /// How many entries begin to count at a window, less those that cease to.
    entries: Vec<i64>,
    /// The same of their bytes; empty where nobody asks.
    bytes: Vec<i64>,
}

/// What is wanted of the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// Entries, divided.
    Entries(f64),
    /// Bytes, divided.
    Bytes(f64),
}

impl Counts {
    /// Notes an entry that is in the windows from `from` to `to`, both inclusive. Returns by how many bytes the columns grew.
    pub fn add(&mut self, (from, to): (usize, usize), bytes: Option<usize>) -> usize {
        let before = self.heap_bytes();
        if self.entries.is_empty() {
            self.first = from;
        } else if from < self.first {
            let shift = self.first - from;
            self.entries.splice(0..0, std::iter::repeat_n(0, shift));
            if bytes.is_some() {
                self.bytes.splice(0..0, std::iter::repeat_n(0, shift));
            }
            self.first = from;
        }
        let (from, end) = (from - self.first, to + 1 - self.first);
        if self.entries.len() <= end {
            self.entries.resize(end + 1, 0);
        }
        self.entries[from] += 1;
        self.entries[end] -= 1;
        if let Some(bytes) = bytes {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.bytes.resize(self.entries.len(), 0);
            self.bytes[from] += bytes;
            self.bytes[end] -= bytes;
        }
        self.heap_bytes() - before
    }

    fn heap_bytes(&self) -> usize {
        (self.entries.len() + self.bytes.len()) * size_of::<i64>()
    }

    /// One value for each window that has an entry.
    pub fn row(&self, windows: usize, wanted: Wanted) -> Row {
        let mut row = Row::empty(windows);
        let (mut entries, mut bytes) = (0, 0);
        for (at, change) in self.entries.iter().enumerate() {
            entries += change;
            bytes += self.bytes.get(at).copied().unwrap_or(0);
            if entries > 0 {
                let value = match wanted {
                    Wanted::Entries(divisor) => entries as f64 / divisor,
                    Wanted::Bytes(divisor) => bytes as f64 / divisor,
                };
                row.set(self.first + at, value);
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Wanted};

    #[test]
    fn entries_count_in_each_of_their_windows_in_any_order() {
        let mut counts = Counts::default();
        counts.add((3, 5), Some(10));
        counts.add((1, 3), Some(0));
        counts.add((9, 9), Some(7));
        let row = |wanted| counts.row(12, wanted).iter().collect::<Vec<_>>();
        assert_eq!(row(Wanted::Entries(1.0)), [(1, 1.0), (2, 1.0), (3, 2.0), (4, 1.0), (5, 1.0), (9, 1.0)]);
        assert_eq!(row(Wanted::Bytes(2.0)), [(1, 0.0), (2, 0.0), (3, 5.0), (4, 5.0), (5, 5.0), (9, 3.5)]);
    }
}
