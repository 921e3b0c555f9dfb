//! `limitk`: the first series of each group, step by step.

use crate::Bitmap;

/// Lets the first `k` series of each group and step through.
#[derive(Debug)]
pub struct Limiter {
    limits: Vec<usize>,
    /// Group by group, how many were let through at each step.
    taken: Vec<Vec<usize>>,
}

impl Limiter {
    /// `limits` holds, for each step, how many to let through a group.
    pub fn new(limits: Vec<usize>) -> Self {
        Self { limits, taken: Vec::new() }
    }

    /// The steps of `present` at which the group still has room; they count as taken from now on.
    pub fn take(&mut self, group: usize, present: &Bitmap) -> Bitmap {
        while self.taken.len() <= group {
            self.taken.push(vec![0; self.limits.len()]);
        }
        let taken = &mut self.taken[group];
        let mut through = Bitmap::empty(present.len());
        for step in present.iter() {
            if taken[step] < self.limits[step] {
                taken[step] += 1;
                through.set(step);
            }
        }
        through
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use crate::Bitmap;

    #[test]
    fn first_come_first_served_per_step() {
        let mut limiter = Limiter::new(vec![1, 2, 0]);
        let all = Bitmap::full(3);
        assert_eq!(limiter.take(0, &all).iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(limiter.take(0, &all).iter().collect::<Vec<_>>(), [1]);
        assert!(limiter.take(0, &all).is_empty());
        assert_eq!(limiter.take(1, &all).count(), 2);
    }
}
