//! Labels as they are told to other servers: with the external ones.

use model::Labels;
use wire::prometheus::Label;

/// The labels of a series and the external labels that it does not have, by name.
pub(super) fn with_external(labels: &Labels, external: &Labels) -> Vec<Label> {
    let added = external.iter().filter(|(name, _)| labels.value(name).is_empty());
    let mut all: Vec<_> = labels
        .iter()
        .chain(added)
        .map(|(name, value)| Label { name: name.into(), value: value.into() })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}
