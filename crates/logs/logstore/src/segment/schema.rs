//! The columns of a segment, for people and programs who read it without us.
//!
//! | column | Parquet type | content |
//! |---|---|---|
//! | `timestamp` | INT64, TIMESTAMP(nanoseconds, UTC) | when it happened |
//! | `stream` | INT64, unsigned | Prometheus' fingerprint of the labels: groups rows of one stream |
//! | `labels` | BYTE_ARRAY, string | the stream's labels as a JSON object |
//! | `level` | BYTE_ARRAY, string, optional | `detected_level` or `level` of the metadata, else of the labels |
//! | `line` | BYTE_ARRAY, string | the log line |
//! | `structured_metadata` | BYTE_ARRAY, string, optional | the entry's own labels as a JSON object |
//!
//! Rows are sorted by `labels` (by label set, not by text) and `timestamp`. In DuckDB:
//! `SELECT timestamp, line FROM 'segments/*.parquet' WHERE labels->>'app' = 'api' AND line LIKE '%error%'`.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    },
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::PageIndexPolicy,
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};

use super::input::Input;

pub(super) const TIMESTAMP: &str = "timestamp";
pub(super) const STREAM: &str = "stream";
pub(super) const LABELS: &str = "labels";
pub(super) const LEVEL: &str = "level";
pub(super) const LINE: &str = "line";
pub(super) const METADATA: &str = "structured_metadata";

/// The key of [`super::Origin`] in the file's metadata.
pub(super) const ORIGIN_KEY: &str = "logstore";

/// Bytes of a page of lines before compression. Larger ones compress better, smaller ones cost less where few rows are wanted.
const LINE_PAGE: usize = 1 << 20;
/// Rows of a page at most.
const PAGE_ROWS: usize = 16 << 10;

/// The columns as they are written.
pub(super) fn schema() -> SchemaRef {
    let text = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new(TIMESTAMP, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
        Field::new(STREAM, DataType::UInt64, false),
        Field::new(LABELS, text(), false),
        Field::new(LEVEL, text(), true),
        Field::new(LINE, DataType::Utf8, false),
        Field::new(METADATA, DataType::Utf8, true),
    ]))
}

/// How they are encoded.
pub(super) fn properties(zstd_level: i32) -> WriterProperties {
    let level = ZstdLevel::try_new(zstd_level).unwrap_or_default();
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_row_count(None)
        .set_column_dictionary_enabled(column(TIMESTAMP), false)
        .set_column_encoding(column(TIMESTAMP), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(column(LINE), false)
        .set_column_encoding(column(LINE), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_data_page_size_limit(column(LINE), LINE_PAGE)
        .set_column_statistics_enabled(column(LINE), EnabledStatistics::None)
        .set_column_statistics_enabled(column(METADATA), EnabledStatistics::Chunk)
        .build()
}

/// Reads the footer and where the pages are. Types are those of the Parquet file itself, strings are not dictionaries.
pub(super) fn read_footer(input: &Input) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_offset_index_policy(PageIndexPolicy::Optional);
    guarded(|| ArrowReaderMetadata::load(input, options))
}

/// The named columns.
pub(super) fn projection(footer: &ArrowReaderMetadata, names: &[&str]) -> ProjectionMask {
    ProjectionMask::columns(footer.parquet_schema(), names.iter().copied())
}

/// Runs a decoder over bytes from disk. Should it panic on damaged ones, that is an error like any other.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ParquetError::General("decoding panicked: the file is damaged".to_owned())))
}
