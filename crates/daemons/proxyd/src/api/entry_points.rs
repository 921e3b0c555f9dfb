//! `/api/entrypoints`.

use serde_json::Value as Json;

use crate::shared::Shared;

/// Every entry point as configured, with its name.
pub(super) fn all(shared: &Shared) -> Vec<Json> {
    let points = shared.settings.entry_points.iter();
    points
        .map(|(name, point)| {
            let mut element = serde_json::to_value(&point.shape).unwrap_or_default();
            element["name"] = name.as_str().into();
            element
        })
        .collect()
}
