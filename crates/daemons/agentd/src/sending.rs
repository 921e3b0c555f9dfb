//! Sending: queues, batches, transports, trying again.

mod batch;
mod client;
mod encode;
mod grpc;
mod http;
mod transport;

use bytes::Bytes;
use jiff::Timestamp;
use pipeline::{Entry, LabelSet, Receipt};
use std::sync::Arc;
use tail::Ack;
use tokio::sync::mpsc;

pub(crate) use client::ClientTask;
pub(crate) use transport::TransportError;

/// Deliveries that wait for a client: with a delivery of at most about half a MiB this is what an outage costs in memory.
const QUEUE: usize = 8;

/// An entry on its way to a client.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub labels: LabelSet,
    pub timestamp: Timestamp,
    pub line: Bytes,
    pub metadata: Vec<(Arc<str>, Arc<str>)>,
    pub acks: Vec<Ack>,
}

/// A line's acknowledgement as pipelines pass it on.
#[derive(Debug)]
pub(crate) struct LineReceipt(pub Ack);

/// All clients' queues. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Fanout(Arc<Vec<mpsc::Sender<Vec<Outgoing>>>>);

impl Receipt for LineReceipt {
    fn done(self) {
        self.0.done();
    }
}

impl Outgoing {
    pub(crate) fn of(entry: Entry<LineReceipt>) -> Self {
        let Entry { mut record, receipts } = entry;
        Self {
            line: record.take_line(),
            labels: record.labels,
            timestamp: record.timestamp,
            metadata: record.metadata,
            acks: receipts.into_iter().map(|receipt| receipt.0).collect(),
        }
    }

    /// The same for another client, with acknowledgements of its own.
    fn for_another(&self) -> Self {
        Self {
            labels: self.labels.clone(),
            timestamp: self.timestamp,
            line: self.line.clone(),
            metadata: self.metadata.clone(),
            acks: self.acks.clone(),
        }
    }

    /// The entry is taken care of.
    fn done(self) {
        self.acks.into_iter().for_each(Ack::done);
    }

    /// Its size as batches count it.
    fn bytes(&self) -> usize {
        self.line.len() + self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

impl Fanout {
    /// Queues for so many clients, and their other ends.
    pub(crate) fn new(clients: usize) -> (Self, Vec<mpsc::Receiver<Vec<Outgoing>>>) {
        let (senders, receivers) = (0..clients).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self(Arc::new(senders)), receivers)
    }

    /// Hands entries to every client; waits while a queue is full. Without clients entries are done at once.
    pub(crate) async fn send(&self, entries: Vec<Outgoing>) {
        let Some((last, others)) = self.0.split_last() else {
            entries.into_iter().for_each(Outgoing::done);
            return;
        };
        for sender in others {
            // A queue is closed only when its client was told to give up; the entries stay unacknowledged then.
            let _ = sender.send(entries.iter().map(Outgoing::for_another).collect()).await;
        }
        let _ = last.send(entries).await;
    }
}
