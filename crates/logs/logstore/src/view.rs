//! What the store consists of at one moment.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::{head::Generation, segment::Segment, stream_index::StreamIndex};

/// All places where entries are. A clone is a consistent view: entries move from one place to another only together with the view.
#[derive(Clone)]
pub(crate) struct View {
    /// Takes pushes.
    pub(crate) active: Arc<Generation>,
    /// Was cut and is being written into segments.
    pub(crate) sealing: Option<Sealing>,
    /// Sealed segments, by ascending id.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    /// The streams of all of them.
    pub(crate) index: Arc<RwLock<StreamIndex>>,
}

/// A generation that no longer changes.
#[derive(Clone)]
pub(crate) struct Sealing {
    pub(crate) generation: Arc<Generation>,
    /// Its records, and all earlier ones, lie in log segments with smaller numbers.
    pub(crate) wal_before: u64,
}

// === impl View ===

impl View {
    /// The generations with entries in memory, the older first.
    pub(crate) fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.sealing.iter().map(|sealing| &sealing.generation).chain([&self.active])
    }

    /// Bytes of entries in memory.
    pub(crate) fn buffer_bytes(&self) -> u64 {
        self.generations().map(|generation| generation.bytes()).sum()
    }

    /// Replaces some segments by others.
    pub(crate) fn replace_segments(&mut self, gone: &[Arc<Segment>], new: Vec<Arc<Segment>>) {
        let mut segments: Vec<Arc<Segment>> =
            self.segments.iter().filter(|s| !gone.iter().any(|g| g.id == s.id)).cloned().collect();
        segments.extend(new);
        segments.sort_unstable_by_key(|segment| segment.id);
        self.segments = Arc::new(segments);
    }
}
