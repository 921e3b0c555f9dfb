//! Series as one table: a column a label.

use std::collections::BTreeSet;

use super::{
    frame::{Column, Field, Frame},
    series::Series,
};

/// Time, one column for each label that any series has, and the value under `value_name`. Rows are in the order of the series and of time.
pub(super) fn frame(ref_id: &str, series: &[Series], value_name: &str) -> Frame {
    let names: BTreeSet<&str> =
        series.iter().flat_map(|series| series.labels.keys().map(String::as_str)).collect();
    let times = series.iter().flat_map(|series| series.times.iter().copied()).collect();
    let values = series.iter().flat_map(|series| series.values.iter().copied()).collect();
    let mut fields = vec![Field::new("Time", Column::Time(times))];
    for name in names {
        let column = series.iter().flat_map(|series| {
            let value = series.labels.get(name).cloned().unwrap_or_default();
            std::iter::repeat_n(value, series.times.len())
        });
        fields.push(Field::new(name, Column::Text(column.collect())).config("filterable", true));
    }
    fields.push(Field::new(value_name, Column::Number(values)));
    let mut frame = Frame { ref_id: ref_id.to_owned(), fields, ..Frame::default() };
    frame.meta.insert("preferredVisualisationType".into(), "table".into());
    frame
}
