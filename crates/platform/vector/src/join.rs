//! Pairs the series of two sides, once per series set.

use model::Labels;
use rustc_hash::FxHashMap;

use crate::{Bitmap, Cardinality, Groups, MatchError, Matching, Side};

/// What to compute: pairs of rows, and the labels of the rows they go to.
#[derive(Debug)]
pub struct Join {
    /// The labels of each output row.
    pub outputs: Vec<Labels>,
    /// Who meets whom. Several pairs may share an output: series that replace each other over time.
    pub pairs: Vec<Pair>,
}

/// Two rows that meet.
#[derive(Debug)]
pub struct Pair {
    /// Number of the left row; `None` where the left fill value stands in.
    pub left: Option<usize>,
    /// Number of the right row; `None` where the right fill value stands in.
    pub right: Option<usize>,
    /// The steps at which they meet.
    pub steps: Bitmap,
    /// Number of the output row.
    pub output: usize,
}

/// One side, seen from the roles "many" and "one".
struct Series<'a> {
    labels: &'a Labels,
    present: &'a Bitmap,
    key: usize,
}

/// Pairs `left` and `right`, each given as labels and the steps at which the series has a sample.
///
/// Whether series pair up is decided step by step, as if each step were a query of its own: two series with the same key are an error
/// only when they are there at the same step.
pub fn join<'a>(
    matching: &Matching,
    left: impl IntoIterator<Item = (&'a Labels, &'a Bitmap)>,
    right: impl IntoIterator<Item = (&'a Labels, &'a Bitmap)>,
    steps: usize,
) -> Result<Join, MatchError> {
    let mut keys = Groups::new(matching.key());
    let left = number(&mut keys, left);
    let right = number(&mut keys, right);
    let swapped = matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if swapped { (&right, &left) } else { (&left, &right) };
    // Prometheus swaps the sides and not the fill values: `fill_right` stands in for whatever the "one" side lacks.
    let (fill_many, fill_one) = (matching.fill_left, matching.fill_right);

    let relevant = relevant_steps(many, one, fill_many.is_some() || fill_one.is_some(), steps);
    let ones = by_key(one, keys.len());
    check_one_side(&keys, one, &ones, &relevant, swapped)?;

    let mut builder = Builder {
        matching,
        swapped,
        index: FxHashMap::default(),
        join: Join { outputs: Vec::new(), pairs: Vec::new() },
        keys: Vec::new(),
    };
    let mut seen_many = vec![None; keys.len()];
    for (at, series) in many.iter().enumerate() {
        merge(&mut seen_many[series.key], series.present);
        let mut missing = fill_one.map(|_| series.present.clone());
        for partner in &ones[series.key] {
            let steps = series.present.and(one[*partner].present);
            if let Some(missing) = &mut missing {
                missing.subtract(one[*partner].present);
            }
            builder.add(Some((at, series)), Some((*partner, &one[*partner])), steps, &keys);
        }
        if let Some(missing) = missing {
            builder.add(Some((at, series)), None, missing, &keys);
        }
    }
    if fill_many.is_some() {
        for (at, series) in one.iter().enumerate() {
            let steps = match &seen_many[series.key] {
                Some(seen) => series.present.and_not(seen),
                None => series.present.clone(),
            };
            builder.add(None, Some((at, series)), steps, &keys);
        }
    }
    builder.check()?;
    Ok(builder.join)
}

struct Builder<'a> {
    matching: &'a Matching,
    swapped: bool,
    index: FxHashMap<Labels, usize>,
    join: Join,
    /// The match key of each pair.
    keys: Vec<usize>,
}

impl Builder<'_> {
    fn add(
        &mut self,
        many: Option<(usize, &Series<'_>)>,
        one: Option<(usize, &Series<'_>)>,
        steps: Bitmap,
        keys: &Groups,
    ) {
        if steps.is_empty() {
            return;
        }
        let Some((_, any)) = many.or(one) else { return };
        let key = any.key;
        // Where a fill value stands in for a series, the match labels stand in for its labels.
        let many_labels = many.map_or(&keys.labels()[key], |(_, series)| series.labels);
        let one_labels = one.map_or(&keys.labels()[key], |(_, series)| series.labels);
        let labels = self.matching.result_labels(many_labels, one_labels);
        let outputs = &mut self.join.outputs;
        let output = *self.index.entry(labels).or_insert_with_key(|labels| {
            outputs.push(labels.clone());
            outputs.len() - 1
        });
        let (many, one) = (many.map(|(at, _)| at), one.map(|(at, _)| at));
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        self.join.pairs.push(Pair { left, right, steps, output });
        self.keys.push(key);
    }

    /// Within a match group and step: one pair in one-to-one, one pair an output otherwise.
    fn check(&self) -> Result<(), MatchError> {
        let one_to_one = self.matching.cardinality == Cardinality::OneToOne;
        let mut taken: FxHashMap<(usize, usize), Bitmap> = FxHashMap::default();
        for (pair, key) in self.join.pairs.iter().zip(&self.keys) {
            let slot = (*key, if one_to_one { 0 } else { pair.output });
            match taken.entry(slot) {
                std::collections::hash_map::Entry::Occupied(mut taken) => {
                    if taken.get().first_common(&pair.steps).is_some() {
                        return Err(if one_to_one {
                            MatchError::ImplicitManyToOne
                        } else {
                            MatchError::GroupNotUnique
                        });
                    }
                    taken.get_mut().union(&pair.steps);
                }
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(pair.steps.clone());
                }
            }
        }
        Ok(())
    }
}

fn number<'a>(
    keys: &mut Groups,
    side: impl IntoIterator<Item = (&'a Labels, &'a Bitmap)>,
) -> Vec<Series<'a>> {
    side.into_iter().map(|(labels, present)| Series { labels, present, key: keys.assign(labels) }).collect()
}

fn by_key(series: &[Series<'_>], keys: usize) -> Vec<Vec<usize>> {
    let mut by_key = vec![Vec::new(); keys];
    for (at, series) in series.iter().enumerate() {
        by_key[series.key].push(at);
    }
    by_key
}

/// The steps at which anything is matched at all: both sides have series there, or one of them and fill values.
fn relevant_steps(many: &[Series<'_>], one: &[Series<'_>], filled: bool, steps: usize) -> Bitmap {
    if filled {
        return Bitmap::full(steps);
    }
    let mut any = [Bitmap::empty(steps), Bitmap::empty(steps)];
    for (any, side) in any.iter_mut().zip([many, one]) {
        for series in side {
            any.union(series.present);
        }
    }
    let [many, one] = any;
    many.and(&one)
}

/// The "one" side must have one series a key and step. Reports the first step that breaks this.
fn check_one_side(
    keys: &Groups,
    one: &[Series<'_>],
    by_key: &[Vec<usize>],
    relevant: &Bitmap,
    swapped: bool,
) -> Result<(), MatchError> {
    let mut worst: Option<(usize, usize, usize)> = None;
    for members in by_key.iter().filter(|members| members.len() > 1) {
        let mut seen = Bitmap::empty(relevant.len());
        for (at, member) in members.iter().enumerate() {
            let present = one[*member].present.and(relevant);
            if let Some(step) = seen.first_common(&present)
                && worst.is_none_or(|(first, ..)| step < first)
                && let Some(other) = members[..at].iter().find(|other| one[**other].present.get(step))
            {
                worst = Some((step, *other, *member));
            }
            seen.union(&present);
        }
    }
    let Some((_, first, second)) = worst else {
        return Ok(());
    };
    let group = keys.labels()[one[first].key].clone();
    let (mut first, mut second) = (one[first].labels.clone(), one[second].labels.clone());
    if first.to_string() > second.to_string() {
        std::mem::swap(&mut first, &mut second);
    }
    Err(MatchError::DuplicateOnOneSide {
        group,
        side: if swapped { Side::Left } else { Side::Right },
        first,
        second,
    })
}

fn merge(into: &mut Option<Bitmap>, steps: &Bitmap) {
    match into {
        Some(into) => into.union(steps),
        None => *into = Some(steps.clone()),
    }
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
