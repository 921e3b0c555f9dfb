//! Taking a push.

use std::{io, sync::atomic::Ordering};

use streams::{PushError, Stream, TooFarBehind};
use tracing::warn;

use super::{Inner, Reason, nanos};
use crate::{MaintainError, head::OverLimit, wal::WalError};

/// Times `seal_bytes` in memory at which pushers seal themselves.
const SEAL_AT: u64 = 2;
/// Times `seal_bytes` in memory at which pushes are refused if sealing fails.
const REFUSE_AT: u64 = 4;

// === impl Inner ===

impl Inner {
    pub(super) fn push(&self, streams: Vec<Stream>) -> Result<(), PushError> {
        self.relieve()?;
        let _pushing = self.gate.read();
        if self.closed.load(Ordering::Acquire) {
            return Err(PushError::Closed);
        }
        let (active, index) = {
            let view = self.view.read();
            (std::sync::Arc::clone(&view.active), std::sync::Arc::clone(&view.index))
        };
        let window = nanos(self.options.max_chunk_age / 2);
        let limit = self.options.max_streams;
        let mut late: Vec<TooFarBehind> = Vec::new();
        let mut over_limit = Vec::new();
        let mut created = 0;
        let mut duplicates = 0;
        let mut buffers = Vec::with_capacity(streams.len());
        let mut admitted = Vec::with_capacity(streams.len());
        for Stream { labels, entries } in streams {
            if entries.is_empty() {
                continue;
            }
            let buffer = match active.buffer(&labels, &index, limit) {
                Ok((buffer, is_new)) => {
                    created += u64::from(is_new);
                    buffer
                }
                Err(OverLimit) => {
                    over_limit.push(labels);
                    continue;
                }
            };
            let (offered, refused) = (entries.len(), late.len());
            let entries = buffer.admit(entries, window, &mut late);
            duplicates += (offered - entries.len() - (late.len() - refused)) as u64;
            if !entries.is_empty() {
                buffers.push(buffer);
                admitted.push(Stream { labels, entries });
            }
        }
        if created > 0 {
            self.metrics.streams_created.get_or_create(&self.tenant()).inc_by(created);
        }
        if !admitted.is_empty() {
            if let Some(wal) = self.wal.get() {
                wal.commit(&admitted).map_err(refused)?;
            }
            let now = self.clock.load(Ordering::Acquire);
            for (buffer, stream) in buffers.iter().zip(admitted) {
                duplicates += active.insert(buffer, stream.entries, now);
            }
        }
        self.metrics.duplicates.inc_by(duplicates);
        if !over_limit.is_empty() {
            let streams = over_limit;
            return Err(PushError::StreamLimit { limit, streams });
        }
        if !late.is_empty() {
            return Err(PushError::TooFarBehind(late));
        }
        Ok(())
    }

    /// Keeps memory bounded where ticks do not come in time: whoever pushes then seals first.
    fn relieve(&self) -> Result<(), PushError> {
        if self.disk_full.load(Ordering::Acquire) {
            let text = "the device is fuller than `disk_full_threshold` allows";
            self.metrics.wal_disk_full.inc();
            return Err(PushError::DiskFull(io::Error::new(io::ErrorKind::StorageFull, text)));
        }
        let limit = self.options.seal_bytes;
        let bytes = self.view.read().buffer_bytes();
        if bytes < limit.saturating_mul(SEAL_AT) || self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        let tolerable = bytes < limit.saturating_mul(REFUSE_AT);
        if self.clock.load(Ordering::Acquire) < self.seal_again_at.load(Ordering::Acquire) {
            if tolerable {
                return Ok(());
            }
            let text = "entries in memory cannot be sealed and there are too many of them";
            return Err(PushError::Log(io::Error::other(text)));
        }
        let Err(error) = self.seal_if_free(tolerable) else {
            return Ok(());
        };
        if tolerable {
            let cause: &dyn std::error::Error = &error;
            warn!(error = cause, "cannot seal, entries stay in memory");
            return Ok(());
        }
        Err(match error {
            MaintainError::DiskFull(source) => {
                PushError::DiskFull(io::Error::new(io::ErrorKind::StorageFull, source))
            }
            MaintainError::Closed => PushError::Closed,
            other => PushError::Log(io::Error::other(other)),
        })
    }

    /// Seals; where someone else is at it and `may_skip`, leaves it to them.
    fn seal_if_free(&self, may_skip: bool) -> Result<usize, MaintainError> {
        if !may_skip {
            return self.seal(Reason::Full);
        }
        match self.maintenance.try_lock() {
            Some(_one) => self.seal_alone(Reason::Full),
            None => Ok(0),
        }
    }
}

/// Why nothing was taken.
fn refused(error: WalError) -> PushError {
    match error {
        WalError::Closed => PushError::Closed,
        WalError::Io(source) if disk::is_disk_full(&source) => PushError::DiskFull(source),
        WalError::Io(source) => PushError::Log(source),
    }
}
