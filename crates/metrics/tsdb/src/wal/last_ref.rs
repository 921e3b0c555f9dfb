//! The highest number that a log has for any series, found without reading the rest of it.

use super::{
    reader::{ReadError, SegmentReader},
    record,
    segments::WalLayout,
};

/// The type byte of series records.
const SERIES: u8 = 1;

/// Looks at the series records only. Damage ends a segment here as in a replay, which then cuts it off.
pub(crate) fn last_ref(layout: &WalLayout) -> Result<u64, ReadError> {
    let checkpoint = layout.checkpoint.iter().flat_map(|(_, paths)| paths);
    let mut last = 0;
    for path in checkpoint.chain(layout.segments.iter().map(|(_, path)| path)) {
        let mut reader = SegmentReader::open(path)?;
        loop {
            match reader.next_record_if(|first| first == SERIES) {
                // What comes before a damaged entry counts; the replay names the damage.
                Ok(Some(record)) if record.first() == Some(&SERIES) => {
                    let _ = record::decode_series_refs(record, |series_ref| last = last.max(series_ref));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(ReadError::Corrupt { .. }) => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(last)
}
