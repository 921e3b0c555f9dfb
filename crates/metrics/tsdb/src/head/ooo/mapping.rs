//! Takes full out-of-order chunks to files, and says so in their log.

use tracing::warn;

use crate::{
    head::{Head, MemSeries, sample_records},
    head_chunks::{ChunkFiles, MappedChunk},
    wal::{
        Wal, WalRecord,
        record::{RefMarker, encode_markers},
    },
};

// === impl Head ===

impl Head {
    /// Lets the series know which of the chunks are in files now; returns how many.
    pub(in crate::head) fn settle_late(
        &self,
        written: Vec<(&MemSeries, MappedChunk)>,
        files: &ChunkFiles,
    ) -> usize {
        let mut settled = written;
        settled.retain(|(_, chunk)| files.has_flushed(chunk.reference()));
        for (series, chunk) in &settled {
            series.state().settle_late(*chunk);
        }
        if let Some(log) = self.out_of_order.log().filter(|_| self.is_live() && !settled.is_empty()) {
            self.mark(log, &settled);
        }
        settled.len()
    }

    /// Writes to the log that everything before is in these chunks, and then what is not. Prometheus forgets at such a mark what it has
    /// read of the series so far; here a mark only tells where to look.
    fn mark(&self, log: &Wal, chunks: &[(&MemSeries, MappedChunk)]) {
        let _order = self.out_of_order.order.write();
        let (mut markers, mut samples) = (Vec::new(), Vec::new());
        for run in chunks.chunk_by(|(a, _), (b, _)| std::ptr::eq(*a, *b)) {
            let Some((series, _)) = run.first() else { continue };
            let series_ref = series.series_ref();
            let state = series.state();
            let Some(late) = state.late().filter(|late| late.waiting().is_empty()) else {
                continue; // a chunk is in no file: nothing can be said without naming its samples again
            };
            markers.extend(
                run.iter().map(|(_, chunk)| RefMarker { series_ref, chunk: chunk.reference().to_u64() }),
            );
            let open = late.open().map(|(timestamp, sample)| (series_ref, timestamp, sample.clone()));
            samples.extend(open);
        }
        let samples = samples.iter().map(|(series_ref, timestamp, sample)| (*series_ref, *timestamp, sample));
        let records: Vec<_> = std::iter::once(encode_markers(&markers))
            .chain(sample_records::encode(samples))
            .filter(|record| !record.is_empty())
            .map(|record| WalRecord::new(record, log.compression()))
            .collect();
        if let Err(error) = log.commit(records) {
            // The samples are in the log already: a restart reads more than it needs to.
            warn!(%error, "cannot note in the log of out-of-order samples which chunks are in files");
        }
    }
}
