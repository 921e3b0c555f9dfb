//! Series with the same labels become one.

use model::Labels;
use rustc_hash::FxHashMap;
use vector::{SameLabelset, has_duplicates};

use super::Series;

/// Series in order of first appearance, no two with the same labels at the same step.
///
/// Where the name of only one of two is to go they stay two: at each step an instant query shows the one or the other, and so must a range.
#[derive(Default)]
pub(super) struct Distinct {
    series: Vec<Series>,
    /// The places of the series whose name stays and of the one whose name goes.
    places: FxHashMap<Labels, [Option<usize>; 2]>,
}

impl Distinct {
    /// Joins series with the same labels.
    pub(super) fn of(all: Vec<Series>) -> Result<Vec<Series>, SameLabelset> {
        if !has_duplicates(all.iter().map(|series| &series.labels)) {
            return Ok(all);
        }
        let mut distinct = Self::default();
        all.into_iter().try_for_each(|series| distinct.add(series))?;
        Ok(distinct.into_series())
    }

    /// Adds a series; fails where one with the same labels has a sample at the same step.
    pub(super) fn add(&mut self, series: Series) -> Result<(), SameLabelset> {
        let places = self.places.entry(series.labels.clone()).or_default();
        let own = usize::from(series.drop_name);
        if let Some(other) = places[1 - own]
            && self.series[other].meets(&series)
        {
            return Err(SameLabelset);
        }
        match places[own] {
            Some(at) => self.series[at].absorb(series),
            None => {
                places[own] = Some(self.series.len());
                self.series.push(series);
                Ok(())
            }
        }
    }

    pub(super) fn into_series(self) -> Vec<Series> {
        self.series
    }
}

/// Series, each with the others that have the same labels.
pub(super) fn by_labels(all: Vec<Series>) -> Vec<(Series, Vec<Series>)> {
    let alone = |series: Series| (series, Vec::new());
    if !has_duplicates(all.iter().map(|series| &series.labels)) {
        return all.into_iter().map(alone).collect();
    }
    let mut groups: Vec<(Series, Vec<Series>)> = Vec::new();
    let mut places: FxHashMap<Labels, usize> = FxHashMap::default();
    for series in all {
        match places.get(&series.labels) {
            Some(at) => groups[*at].1.push(series),
            None => {
                places.insert(series.labels.clone(), groups.len());
                groups.push(alone(series));
            }
        }
    }
    groups
}
