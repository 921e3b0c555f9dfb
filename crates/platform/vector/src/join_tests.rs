//! Which series meet, and which must not.

use model::Labels;

use crate::{Bitmap, Cardinality, MatchError, Matching, Pair, join};

type Side = Vec<(Labels, Bitmap)>;

/// Labels and the steps at which the series has a sample.
type Given<'a> = (&'a [(&'a str, &'a str)], &'a [usize]);

fn series(steps: usize, list: &[Given<'_>]) -> Side {
    list.iter()
        .map(|(pairs, present)| {
            let mut bitmap = Bitmap::empty(steps);
            present.iter().for_each(|step| bitmap.set(*step));
            (Labels::from_pairs(pairs.iter().copied()), bitmap)
        })
        .collect()
}

fn run(matching: &Matching, left: &Side, right: &Side) -> Result<crate::Join, MatchError> {
    let steps = left.iter().chain(right).map(|(_, present)| present.len()).max().unwrap_or(0);
    join(matching, left.iter().map(|(l, p)| (l, p)), right.iter().map(|(l, p)| (l, p)), steps)
}

fn met(pairs: &[Pair]) -> Vec<(Option<usize>, Option<usize>, Vec<usize>)> {
    pairs.iter().map(|pair| (pair.left, pair.right, pair.steps.iter().collect())).collect()
}

fn on(labels: &[&str], cardinality: Cardinality) -> Matching {
    Matching {
        on: true,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        cardinality,
        ..Matching::default()
    }
}

#[test]
fn one_to_one_by_all_labels() {
    let left = series(2, &[(&[("a", "1")], &[0, 1]), (&[("a", "2")], &[0])]);
    let right = series(2, &[(&[("a", "2")], &[0, 1]), (&[("a", "3")], &[0])]);
    let join = run(&Matching::default(), &left, &right).unwrap();
    assert_eq!(met(&join.pairs), [(Some(1), Some(0), vec![0])]);
    assert_eq!(join.outputs, [left[1].0.clone()]);
}

#[test]
fn duplicates_on_the_one_side_matter_only_at_the_same_step() {
    let left = series(2, &[(&[("j", "x")], &[0, 1])]);
    let apart = series(2, &[(&[("j", "x"), ("i", "1")], &[0]), (&[("j", "x"), ("i", "2")], &[1])]);
    let matching = on(&["j"], Cardinality::OneToOne);
    let join = run(&matching, &left, &apart).unwrap();
    assert_eq!(join.outputs.len(), 1);
    assert_eq!(join.pairs.len(), 2);

    let together = series(2, &[(&[("j", "x"), ("i", "2")], &[1]), (&[("j", "x"), ("i", "1")], &[1])]);
    let error = run(&matching, &left, &together).unwrap_err();
    assert_eq!(
        error.to_string(),
        "found duplicate series for the match group {j=\"x\"} on the right hand-side of the operation: \
         [{i=\"1\", j=\"x\"}, {i=\"2\", j=\"x\"}];many-to-many matching not allowed: matching labels must be unique on one side"
    );
    // Nothing on the left at that step: nobody asks.
    let absent = series(2, &[(&[("j", "x")], &[0])]);
    assert!(run(&matching, &absent, &together).is_ok());
}

#[test]
fn many_to_one_has_to_be_asked_for() {
    let left = series(1, &[(&[("j", "x"), ("i", "1")], &[0]), (&[("j", "x"), ("i", "2")], &[0])]);
    let right = series(1, &[(&[("j", "x"), ("role", "db")], &[0])]);
    assert_eq!(
        run(&on(&["j"], Cardinality::OneToOne), &left, &right).unwrap_err(),
        MatchError::ImplicitManyToOne
    );
    let mut matching = on(&["j"], Cardinality::ManyToOne);
    matching.include = vec!["role".into()];
    let join = run(&matching, &left, &right).unwrap();
    assert_eq!(join.outputs[1], Labels::from_pairs([("i", "2"), ("j", "x"), ("role", "db")]));

    let mut flipped = on(&["j"], Cardinality::OneToMany);
    flipped.include = vec!["role".into()];
    let join = run(&flipped, &right, &left).unwrap();
    assert_eq!(met(&join.pairs), [(Some(0), Some(0), vec![0]), (Some(0), Some(1), vec![0])]);
    assert_eq!(join.outputs[0], Labels::from_pairs([("i", "1"), ("j", "x"), ("role", "db")]));
}

#[test]
fn results_of_a_group_have_to_differ() {
    let left = series(1, &[(&[("j", "x"), ("i", "1")], &[0]), (&[("j", "x"), ("i", "2")], &[0])]);
    let right = series(1, &[(&[("j", "x"), ("i", "same")], &[0])]);
    let mut matching = on(&["j"], Cardinality::ManyToOne);
    matching.include = vec!["i".into()];
    assert_eq!(run(&matching, &left, &right).unwrap_err(), MatchError::GroupNotUnique);
}

#[test]
fn fill_values_stand_in() {
    let left = series(2, &[(&[("a", "1")], &[0, 1]), (&[("a", "2")], &[0])]);
    let right = series(2, &[(&[("a", "1")], &[0]), (&[("a", "3")], &[1])]);
    let matching = Matching { fill_left: Some(0.0), fill_right: Some(0.0), ..Matching::default() };
    let join = run(&matching, &left, &right).unwrap();
    assert_eq!(
        met(&join.pairs),
        [
            (Some(0), Some(0), vec![0]),
            (Some(0), None, vec![1]),
            (Some(1), None, vec![0]),
            (None, Some(1), vec![1]),
        ]
    );
    assert_eq!(join.outputs.len(), 3);
}
