//! Making a sidecar again from the Parquet file alone.

use std::path::Path;

use arrow_array::{Array, StringArray};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
};

use super::{
    Group, Layout, Origin, Rows, StreamRows,
    input::Input,
    labels_json,
    rows::column,
    schema,
    tokens::{TokenFilter, TokenSet},
};

const BATCH_ROWS: usize = 4096;

/// Why a Parquet file is no segment.
#[derive(Debug, thiserror::Error)]
pub(super) enum RebuildError {
    #[error("cannot read the file")]
    Io(#[from] std::io::Error),
    #[error("cannot decode the file")]
    Parquet(#[from] ParquetError),
    #[error("rows are not sorted by stream and time")]
    Order,
}

/// Reads the whole file; returns its layout and the filters of its row groups.
pub(super) fn rebuild(path: &Path) -> Result<(Layout, Vec<Option<TokenFilter>>), RebuildError> {
    let input = Input::open(path)?;
    let footer = schema::read_footer(&input)?;
    let mut layout = Layout { origin: origin(&footer), ..Layout::default() };
    let mut filters = Vec::new();
    for group in 0..footer.metadata().num_row_groups() {
        let filter = schema::guarded(|| read_group(&input, &footer, group, &mut layout))?;
        filters.push(filter);
    }
    if layout.is_consistent() { Ok((layout, filters)) } else { Err(RebuildError::Order) }
}

/// What the file says about itself; a file of another maker says nothing.
fn origin(footer: &ArrowReaderMetadata) -> Origin {
    let pairs = footer.metadata().file_metadata().key_value_metadata();
    let pair = pairs.into_iter().flatten().find(|pair| pair.key == schema::ORIGIN_KEY);
    let text = pair.and_then(|pair| pair.value.as_deref());
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn read_group(
    input: &Input,
    footer: &ArrowReaderMetadata,
    at: usize,
    layout: &mut Layout,
) -> Result<Option<TokenFilter>, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer.clone())
        .with_row_groups(vec![at])
        .with_projection(schema::projection(footer, &[schema::TIMESTAMP, schema::LABELS, schema::LINE]))
        .with_batch_size(BATCH_ROWS)
        .build()?;
    let start = layout.rows();
    let mut group = Group { rows: start..start, first: i64::MAX, last: i64::MIN, ..Group::default() };
    let mut tokens = TokenSet::new();
    let mut text = String::new();
    for batch in reader {
        let batch = batch.map_err(|error| ParquetError::External(Box::new(error)))?;
        let rows = Rows::new(&batch)?;
        let missing = || ParquetError::General("column `labels` is missing".to_owned());
        let labels = column::<StringArray>(&batch, schema::LABELS)?.ok_or_else(missing)?;
        for row in 0..rows.len() {
            let labels = if labels.is_null(row) { "{}" } else { labels.value(row) };
            let is_new = layout.streams.is_empty() || labels != text;
            if is_new {
                text.clear();
                text.push_str(labels);
            }
            add_row(layout, &mut group, &rows, row, &text, is_new)?;
            tokens.add_line(rows.line(row));
        }
    }
    layout.groups.push(group);
    Ok(tokens.take_filter())
}

/// Counts a row in. `is_new` says that its labels are not those of the row before it, as far as that was seen.
fn add_row(
    layout: &mut Layout,
    group: &mut Group,
    rows: &Rows,
    at: usize,
    labels: &str,
    is_new: bool,
) -> Result<(), ParquetError> {
    let time = rows.timestamp(at);
    let bytes = rows.line(at).len() as u64;
    let row = group.rows.end;
    group.rows.end += 1;
    group.first = group.first.min(time);
    group.last = group.last.max(time);
    group.text_bytes += bytes;
    if is_new {
        let labels = labels_json::read(labels).map_err(|error| ParquetError::External(Box::new(error)))?;
        // A stream may go on from the row group before.
        if layout.streams.last().is_none_or(|stream| stream.labels != labels) {
            layout.streams.push(StreamRows {
                labels,
                rows: row..row,
                first: time,
                last: time,
                text_bytes: 0,
            });
        }
    }
    let Some(stream) = layout.streams.last_mut() else {
        return Ok(());
    };
    if time < stream.last {
        return Err(ParquetError::General("rows are not sorted by time".to_owned()));
    }
    stream.rows.end += 1;
    stream.last = time;
    stream.text_bytes += bytes;
    Ok(())
}
