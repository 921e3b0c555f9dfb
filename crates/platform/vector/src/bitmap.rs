//! A set of step indices.

use smallvec::{SmallVec, smallvec};

const BITS: usize = u64::BITS as usize;

/// Which of `len` steps are meant. Up to 128 steps live without an allocation.
///
/// **Invariant**: bits at and above `len` are zero. Two bitmaps that meet in one call have the same length; it is checked in debug builds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bitmap {
    words: SmallVec<[u64; 2]>,
    len: usize,
}

impl Bitmap {
    /// None of `len` steps.
    pub fn empty(len: usize) -> Self {
        Self { words: smallvec![0; len.div_ceil(BITS)], len }
    }

    /// All of `len` steps.
    pub fn full(len: usize) -> Self {
        let mut bitmap = Self { words: smallvec![u64::MAX; len.div_ceil(BITS)], len };
        bitmap.trim();
        bitmap
    }

    /// The steps for which `is_in` says so. It is asked of each step in order.
    #[inline]
    pub fn from_fn(len: usize, mut is_in: impl FnMut(usize) -> bool) -> Self {
        let words = (0..len.div_ceil(BITS)).map(|word| {
            let steps = word * BITS..len.min((word + 1) * BITS);
            let mut bits = 0;
            for step in steps {
                bits |= u64::from(is_in(step)) << (step % BITS);
            }
            bits
        });
        Self { words: words.collect(), len }
    }

    /// How many steps there could be.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no step is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether every step is in the set.
    pub fn is_full(&self) -> bool {
        self.count() == self.len
    }

    /// How many steps are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether step `index` is in the set; false beyond the length.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        self.words.get(index / BITS).is_some_and(|word| word >> (index % BITS) & 1 == 1)
    }

    /// Adds step `index`.
    ///
    /// # Panics
    /// When `index` is not below the length.
    #[inline]
    pub fn set(&mut self, index: usize) {
        assert!(index < self.len, "BUG: step {index} of {}", self.len);
        self.words[index / BITS] |= 1 << (index % BITS);
    }

    /// Removes step `index`.
    #[inline]
    pub fn unset(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / BITS) {
            *word &= !(1 << (index % BITS));
        }
    }

    /// Removes every step.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Adds the steps of `other`.
    pub fn union(&mut self, other: &Self) {
        self.zip(other, |a, b| a | b);
    }

    /// Keeps the steps that are in `other` too.
    pub fn intersect(&mut self, other: &Self) {
        self.zip(other, |a, b| a & b);
    }

    /// Removes the steps that are in `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.zip(other, |a, b| a & !b);
    }

    /// The steps that are in both.
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.intersect(other);
        both
    }

    /// The steps that are here and not in `other`.
    pub fn and_not(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.subtract(other);
        rest
    }

    /// The first step that is in both.
    pub fn first_common(&self, other: &Self) -> Option<usize> {
        debug_assert_eq!(self.len, other.len);
        self.words
            .iter()
            .zip(&other.words)
            .enumerate()
            .find_map(|(at, (a, b))| (a & b != 0).then(|| at * BITS + (a & b).trailing_zeros() as usize))
    }

    /// The last step of the set.
    pub fn last(&self) -> Option<usize> {
        let at = self.words.iter().rposition(|word| *word != 0)?;
        Some(at * BITS + (BITS - 1 - self.words[at].leading_zeros() as usize))
    }

    /// The steps of the set in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(at * BITS + bit)
            })
        })
    }

    #[inline]
    fn zip(&mut self, other: &Self, op: impl Fn(u64, u64) -> u64) {
        debug_assert_eq!(self.len, other.len, "BUG: bitmaps of different queries");
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a = op(*a, *b);
        }
    }

    fn trim(&mut self) {
        let used = self.len % BITS;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;

    fn of(len: usize, steps: &[usize]) -> Bitmap {
        let mut bitmap = Bitmap::empty(len);
        for step in steps {
            bitmap.set(*step);
        }
        bitmap
    }

    #[test]
    fn sets_and_lists_steps_across_words() {
        let bitmap = of(200, &[0, 63, 64, 127, 199]);
        assert_eq!(bitmap.iter().collect::<Vec<_>>(), [0, 63, 64, 127, 199]);
        assert_eq!(bitmap.count(), 5);
        assert_eq!(bitmap.last(), Some(199));
        assert!(bitmap.get(127) && !bitmap.get(128) && !bitmap.get(1000));
    }

    #[test]
    fn full_has_exactly_its_length() {
        for len in [0, 1, 63, 64, 65, 130] {
            assert_eq!(Bitmap::full(len).count(), len);
            assert!(Bitmap::full(len).is_full());
        }
    }

    #[test]
    fn set_algebra() {
        let (a, b) = (of(70, &[1, 2, 65]), of(70, &[2, 65, 69]));
        assert_eq!(a.and(&b), of(70, &[2, 65]));
        assert_eq!(a.and_not(&b), of(70, &[1]));
        assert_eq!(a.first_common(&b), Some(2));
        assert_eq!(a.first_common(&of(70, &[3])), None);
    }
}
