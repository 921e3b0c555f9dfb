//! Weighted round robin.

use parking_lot::Mutex;

/// Picks members in proportion to their weights, evenly spread: of weights 2 and 1 come `a b a a b a`, never `a a … b b`.
#[derive(Debug)]
pub(crate) struct Picker {
    weights: Vec<i64>,
    credit: Mutex<Vec<i64>>,
}

impl Picker {
    /// Members with a weight of 0 or less are never picked.
    pub(crate) fn new(weights: Vec<i64>) -> Self {
        // Bounded, so that sums cannot overflow.
        let weights: Vec<i64> = weights.into_iter().map(|weight| weight.clamp(0, 1 << 32)).collect();
        Self { credit: Mutex::new(vec![0; weights.len()]), weights }
    }

    /// The next of the members that may be picked.
    pub(crate) fn pick(&self, may: impl Fn(usize) -> bool) -> Option<usize> {
        let mut credit = self.credit.lock();
        let mut total = 0;
        let mut best: Option<(usize, i64)> = None;
        for (index, (credit, weight)) in credit.iter_mut().zip(&self.weights).enumerate() {
            if *weight == 0 || !may(index) {
                continue;
            }
            total += weight;
            *credit += weight;
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((index, *credit));
            }
        }
        let (index, _) = best?;
        if let Some(credit) = credit.get_mut(index) {
            *credit -= total;
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::Picker;

    #[test]
    fn spreads_by_weight() {
        let check = |weights: &[i64], down: &[usize], want: &str| {
            let picker = Picker::new(weights.to_vec());
            let picked: String = (0..want.len())
                .map(|_| match picker.pick(|index| !down.contains(&index)) {
                    Some(index) => char::from(b'a' + u8::try_from(index).expect("few")),
                    None => '-',
                })
                .collect();
            assert_eq!(picked, want, "{weights:?}");
        };
        check(&[1, 1, 1], &[], "abcabc");
        check(&[2, 1], &[], "abaaba");
        check(&[3, 1], &[], "aabaaaba");
        check(&[1, 1, 1], &[1], "acacac");
        check(&[0, 1], &[], "bbb");
        check(&[0, 0], &[], "--");
        check(&[1], &[0], "-");
        check(&[], &[], "-");
    }
}
