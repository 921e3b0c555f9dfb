//! Names and values of labels, for all series or for those of some selectors.

use std::collections::HashSet;

use storage::LabelQuery;

use super::select::{PostingsSource, matching_any, matching_values};
use model::Labels;

/// Names of the labels that the series of the query's selectors have. `labels_of` shows a series' labels.
pub(crate) fn label_names<S: PostingsSource>(
    source: &S,
    query: &LabelQuery,
    mut labels_of: impl FnMut(u32, &mut dyn FnMut(&Labels)) -> Result<(), S::Error>,
) -> Result<Vec<String>, S::Error> {
    let mut names: HashSet<String> = HashSet::new();
    for series in matching_any(source, &query.selectors)? {
        labels_of(series, &mut |labels| {
            for (name, _) in labels.iter() {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        })?;
    }
    Ok(names.into_iter().collect())
}

/// Values of a label that the series of the query's selectors have; all values where there are no selectors.
pub(crate) fn label_values<S: PostingsSource>(
    source: &S,
    name: &str,
    query: &LabelQuery,
) -> Result<Vec<String>, S::Error> {
    let mut all = Vec::new();
    if query.selectors.is_empty() {
        all.reserve_exact(source.value_count(name));
        source.values(name, "", &mut |value, _| all.push(value.to_owned()))?;
        return Ok(all);
    }
    let mut values: HashSet<String> = HashSet::new();
    for selector in &query.selectors {
        matching_values(source, selector, name, &mut |value| {
            if !values.contains(value) {
                values.insert(value.to_owned());
            }
        })?;
    }
    all.extend(values);
    Ok(all)
}
