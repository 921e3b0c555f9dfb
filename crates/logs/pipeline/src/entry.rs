//! What flows through a pipeline.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{LabelSet, extracted::Extracted, raw_text};

/// Proof that a line was read, to be handed back when the line is taken care of: sent, or dropped on purpose.
///
/// A receipt that is dropped without [`Receipt::done`] says that its line was not taken care of.
pub trait Receipt: Send + 'static {
    /// The line is taken care of.
    fn done(self);
}

/// One log entry as stages see it.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its time.
    pub timestamp: Timestamp,
    /// Its labels, with [`crate::TENANT_LABEL`] if a stage set a tenant.
    pub labels: LabelSet,
    /// Its structured metadata, names unique, in the order in which they were added.
    pub metadata: Vec<(Arc<str>, Arc<str>)>,
    pub(crate) line: String,
    /// The line has bytes that are not UTF-8, see `raw_text`.
    pub(crate) has_stray: bool,
    pub(crate) extracted: Extracted,
}

/// A record with the receipts of the lines it was made of.
#[derive(Debug)]
pub struct Entry<T> {
    /// The entry itself.
    pub record: Record,
    /// One for each line.
    pub receipts: Vec<T>,
}

impl Record {
    /// A line that was read at `timestamp` under `labels`.
    pub fn new(labels: LabelSet, line: &[u8], timestamp: Timestamp) -> Self {
        let (line, has_stray) = raw_text::decode(line);
        Self { timestamp, labels, metadata: Vec::new(), line, has_stray, extracted: Extracted::default() }
    }

    /// The line's bytes.
    pub fn into_line(self) -> Bytes {
        raw_text::encode(self.line, self.has_stray)
    }

    /// Takes the line's bytes away, as [`Record::into_line`] does.
    pub fn take_line(&mut self) -> Bytes {
        raw_text::encode(std::mem::take(&mut self.line), self.has_stray)
    }

    /// Whether a text made of this line cannot be sent where UTF-8 is due.
    pub(crate) fn is_broken(&self, text: &str) -> bool {
        self.has_stray && raw_text::has_stray(text)
    }
}

impl<T> Entry<T> {
    /// An entry of one line.
    pub fn new(record: Record, receipt: T) -> Self {
        Self { record, receipts: vec![receipt] }
    }
}

impl<T: Receipt> Entry<T> {
    /// The entry is not sent, on purpose.
    pub fn discard(self) {
        self.receipts.into_iter().for_each(Receipt::done);
    }
}

/// For those who need no receipts.
impl Receipt for () {
    fn done(self) {}
}
