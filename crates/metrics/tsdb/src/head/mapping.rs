//! Moves closed chunks from memory to files, apart from appending: no series is locked while the disk is waited for.

use std::{
    io, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};
use tracing::{info, warn};

use super::{Head, closed::ClosedChunk, series::MemSeries};
use crate::head_chunks::{MappedChunk, NewChunk, OUT_OF_ORDER};

/// Series whose chunks are written before the series are told: bounds what is held twice.
const GROUP: usize = 1024;
/// Series with closed chunks in memory, at which a replay has these written to files.
const MANY: usize = 16 * 1024;

/// The series that have closed chunks in memory.
#[derive(Default)]
pub(super) struct Mapping {
    /// About one entry a series at most: it is added when a series has no such chunk yet.
    series: Mutex<Vec<Arc<MemSeries>>>,
    /// Held by whoever writes: a series' chunks must come into the files in order.
    turn: Mutex<()>,
    failing: AtomicBool,
}

// === impl Mapping ===

impl Mapping {
    /// Adds series that have a closed chunk in memory since just now.
    pub(super) fn add(&self, series: impl IntoIterator<Item = Arc<MemSeries>>) {
        self.series.lock().extend(series);
    }

    /// Keeps others from moving chunks.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    fn len(&self) -> usize {
        self.series.lock().len()
    }
}

// === impl Head ===

impl Head {
    /// Writes the closed chunks that are in memory to files and lets go of them; returns how many. What cannot be written stays in
    /// memory and is tried again by the next call: that is counted, and named in the log when it begins and when it ends.
    pub(crate) fn map_chunks(&self) -> usize {
        let _turn = self.mapping.turn();
        let mut series = mem::take(&mut *self.mapping.series.lock());
        // A series is added for its chunks in order and for those out of order, and anew after a failure.
        series.sort_unstable_by_key(|series| series.series_ref());
        series.dedup_by_key(|series| series.series_ref());
        if self.chunk_files.is_broken() {
            return 0; // said already; nothing is gained by remembering whose chunks they are
        }
        let mut mapped = 0;
        for (at, group) in series.chunks(GROUP).enumerate() {
            let (count, result) = self.map_group(group);
            mapped += count;
            if let Err(error) = result {
                self.mapping.add(series.drain(at * GROUP..));
                self.mapping_failed(&error);
                return mapped;
            }
        }
        if mapped > 0 && self.mapping.failing.swap(false, Ordering::Relaxed) {
            info!("head chunks can be written again");
        }
        mapped
    }

    /// [`Head::map_chunks`] where so many series have closed chunks that a replay would need more memory for them than running does.
    pub(in crate::head) fn map_chunks_when_many(&self) {
        if self.mapping.len() >= MANY {
            self.map_chunks();
        }
    }

    fn map_group(&self, group: &[Arc<MemSeries>]) -> (usize, io::Result<()>) {
        let mut written = Vec::with_capacity(group.len());
        let mut late = Vec::new();
        let mut result = Ok(());
        for series in group {
            let (waiting, waiting_late) = {
                let state = series.state();
                (state.waiting().to_vec(), state.late_waiting())
            };
            result = self
                .write_chunks(series, &waiting, 0, &mut written)
                .and_then(|()| self.write_chunks(series, &waiting_late, OUT_OF_ORDER, &mut late));
            if result.is_err() {
                break;
            }
        }
        // Also after an error: what comes into the file must leave memory, or it would be written twice.
        let result = result.and(self.chunk_files.flush());
        let files = self.chunk_files.files();
        let mut mapped = 0;
        for (series, chunk) in written {
            if files.has_flushed(chunk.reference()) {
                series.state().settle(chunk);
                mapped += 1;
            }
        }
        mapped += self.settle_late(late, &files);
        self.metrics.chunks_mapped.inc_by(mapped as u64);
        (mapped, result)
    }

    fn write_chunks<'a>(
        &self,
        series: &'a MemSeries,
        chunks: &[ClosedChunk],
        flag: u8,
        written: &mut Vec<(&'a MemSeries, MappedChunk)>,
    ) -> io::Result<()> {
        for chunk in chunks {
            let new = NewChunk {
                series_ref: series.series_ref(),
                min_time: chunk.min_time,
                max_time: chunk.max_time,
                encoding: chunk.encoding.as_byte() | flag,
                data: &chunk.data,
            };
            // One that spans months has no place in a file, and neither have those behind it.
            if !new.fits() {
                break;
            }
            let reference = self.chunk_files.write(&new)?;
            written.extend(MappedChunk::written(reference, &new).map(|chunk| (series, chunk)));
        }
        Ok(())
    }

    fn mapping_failed(&self, error: &io::Error) {
        self.metrics.chunk_writes_failed.inc();
        if !self.mapping.failing.swap(true, Ordering::Relaxed) {
            warn!(%error, "cannot write head chunks, they stay in memory");
        }
    }
}
