//! `label_replace`: a label is made of another.

use go_regex::Regex;
use vector::SeriesTable;

use super::binary::same_labels;
use super::metric::{Evaluator, Sink};
use super::{EngineError, EngineErrorKind};
use crate::syntax::LabelReplace;

/// Gives each series, relabelled, to `sink`.
pub(super) fn each(
    evaluator: &mut Evaluator<'_>,
    node: &LabelReplace,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let regex = Regex::anchored(&node.regex)
        .map_err(|error| EngineError::new(EngineErrorKind::Parse, error.to_string()))?;
    let mut table = SeriesTable::new();
    let mut locations = regex.locations();
    let mut value = String::new();
    for (labels, row) in evaluator.collect(&node.expr)? {
        let source = labels.value(&node.src);
        if !regex.captures_at(source, 0, &mut locations) {
            table.add(&labels, &row).map_err(same_labels)?;
            continue;
        }
        value.clear();
        regex.expand(&node.replacement, source, &locations, &mut value);
        let mut builder = labels.to_builder();
        builder.set(&node.dst, &value);
        table.add(&builder.build(), &row).map_err(same_labels)?;
    }
    table.into_series().into_iter().try_for_each(|(labels, row)| sink(labels, row))
}
