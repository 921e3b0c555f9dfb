//! `and`, `or`, `unless`.

use model::Labels;

use crate::{Bitmap, Grouping, Groups};

/// A set operation between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOp {
    /// Left series that have a partner on the right.
    And,
    /// All left series, and the right ones that have no partner on the left.
    Or,
    /// Left series that have no partner on the right.
    Unless,
}

/// The steps at which each left and each right series stays, in their order. Series are given as labels and the steps at which they have
/// a sample; `key` says which labels make partners.
pub fn set_operation<'a>(
    op: SetOp,
    key: Grouping,
    left: impl IntoIterator<Item = (&'a Labels, &'a Bitmap)>,
    right: impl IntoIterator<Item = (&'a Labels, &'a Bitmap)>,
) -> (Vec<Bitmap>, Vec<Bitmap>) {
    let mut keys = Groups::new(key);
    let mut number = |(labels, present): (&Labels, &'a Bitmap)| (keys.assign(labels), present);
    let left: Vec<_> = left.into_iter().map(&mut number).collect();
    let right: Vec<_> = right.into_iter().map(&mut number).collect();

    let mut stay_left: Vec<Bitmap> = left.iter().map(|(_, present)| (*present).clone()).collect();
    match op {
        SetOp::And | SetOp::Unless => {
            let partners = presence_by_key(&right, keys.len());
            for (stay, (key, _)) in stay_left.iter_mut().zip(&left) {
                match (&partners[*key], op) {
                    (Some(partners), SetOp::And) => stay.intersect(partners),
                    (Some(partners), _) => stay.subtract(partners),
                    (None, SetOp::And) => stay.clear(),
                    (None, _) => {}
                }
            }
            let stay_right = right.iter().map(|(_, present)| Bitmap::empty(present.len())).collect();
            (stay_left, stay_right)
        }
        SetOp::Or => {
            let partners = presence_by_key(&left, keys.len());
            let stay_right = right
                .iter()
                .map(|(key, present)| match &partners[*key] {
                    Some(partners) => present.and_not(partners),
                    None => (*present).clone(),
                })
                .collect();
            (stay_left, stay_right)
        }
    }
}

fn presence_by_key(side: &[(usize, &Bitmap)], keys: usize) -> Vec<Option<Bitmap>> {
    let mut by_key: Vec<Option<Bitmap>> = vec![None; keys];
    for (key, present) in side {
        match &mut by_key[*key] {
            Some(steps) => steps.union(present),
            empty => *empty = Some((*present).clone()),
        }
    }
    by_key
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::{SetOp, set_operation};
    use crate::{Bitmap, Grouping};

    #[test]
    fn partners_are_found_step_by_step() {
        let labels = |pairs: &[(&str, &str)]| Labels::from_pairs(pairs.iter().copied());
        let steps = |list: &[usize]| {
            let mut bitmap = Bitmap::empty(3);
            list.iter().for_each(|step| bitmap.set(*step));
            bitmap
        };
        let left =
            [(labels(&[("i", "1"), ("x", "a")]), steps(&[0, 1])), (labels(&[("i", "2")]), steps(&[0, 1, 2]))];
        let right = [(labels(&[("i", "1")]), steps(&[1, 2])), (labels(&[("i", "3")]), steps(&[2]))];
        let run = |op| {
            set_operation(
                op,
                Grouping::By(vec!["i".into()]),
                left.iter().map(|(l, p)| (l, p)),
                right.iter().map(|(l, p)| (l, p)),
            )
        };
        assert_eq!(run(SetOp::And).0, [steps(&[1]), steps(&[])]);
        assert_eq!(run(SetOp::Unless).0, [steps(&[0]), steps(&[0, 1, 2])]);
        let (stay_left, stay_right) = run(SetOp::Or);
        assert_eq!(stay_left, [steps(&[0, 1]), steps(&[0, 1, 2])]);
        assert_eq!(stay_right, [steps(&[2]), steps(&[2])]);
    }
}
