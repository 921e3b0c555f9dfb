//! Log entries as columns.

use bytes::{Bytes, BytesMut};
use model::{Labels, Nanos};

/// Entries of one stream, ordered by time in the direction of the query.
///
/// All three columns have one length, or `metadata` is empty because no entry has any. Lines lie one after the other in one buffer;
/// each is valid UTF-8. Line `i` is `text[ends[i-1]..ends[i]]`.
#[derive(Debug, Clone)]
pub struct LineBatch {
    /// The stream's labels; a clone of one allocation per stream.
    pub stream: Labels,
    /// When each entry happened.
    pub timestamps: Vec<Nanos>,
    text: Bytes,
    ends: Vec<u32>,
    metadata: Vec<Labels>,
}

impl LineBatch {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// All lines, one after the other without separators.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// Where each line ends in [`LineBatch::text`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// One line's bytes. Empty where lines were not asked for.
    pub fn line(&self, at: usize) -> &[u8] {
        match self.line_range(at) {
            Some(range) => &self.text[range],
            None => &[],
        }
    }

    /// One line as a share of the batch's buffer.
    pub fn line_bytes(&self, at: usize) -> Bytes {
        match self.line_range(at) {
            Some(range) => self.text.slice(range),
            None => Bytes::new(),
        }
    }

    /// One entry's structured metadata.
    pub fn metadata(&self, at: usize) -> Option<&Labels> {
        self.metadata.get(at).filter(|labels| !labels.is_empty())
    }

    fn line_range(&self, at: usize) -> Option<std::ops::Range<usize>> {
        let end = *self.ends.get(at)? as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        Some(start..end)
    }
}

/// Collects entries into a [`LineBatch`].
#[derive(Debug)]
pub struct LineBatchBuilder {
    stream: Labels,
    timestamps: Vec<Nanos>,
    text: BytesMut,
    ends: Vec<u32>,
    metadata: Vec<Labels>,
    any_metadata: bool,
}

impl LineBatchBuilder {
    /// Text of one batch at most: a line that would go beyond starts the next batch.
    pub const MAX_TEXT: usize = 64 << 20;

    /// A batch of the given stream.
    pub fn new(stream: Labels) -> Self {
        Self {
            stream,
            timestamps: Vec::new(),
            text: BytesMut::new(),
            ends: Vec::new(),
            metadata: Vec::new(),
            any_metadata: false,
        }
    }

    /// Adds an entry; `false` when the batch is full and the entry was not added.
    #[must_use]
    pub fn push(&mut self, timestamp: Nanos, line: &[u8], metadata: &Labels) -> bool {
        if !self.text.is_empty() && self.text.len() + line.len() > Self::MAX_TEXT {
            return false;
        }
        self.timestamps.push(timestamp);
        self.text.extend_from_slice(line);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.any_metadata |= !metadata.is_empty();
        self.metadata.push(metadata.clone());
        true
    }

    /// Number of entries so far.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is no entry yet.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Bytes of text so far.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The batch.
    pub fn finish(self) -> LineBatch {
        LineBatch {
            stream: self.stream,
            timestamps: self.timestamps,
            text: self.text.freeze(),
            ends: self.ends,
            metadata: if self.any_metadata { self.metadata } else { Vec::new() },
        }
    }
}
