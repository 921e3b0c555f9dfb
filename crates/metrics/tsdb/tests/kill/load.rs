//! What is written: batches by number, each with all its content given by that number, so that whoever reads can tell what is right.

use std::time::Duration;

use model::{Labels, Millis};
use tsdb::DbOptions;

/// Threads that write; batch `n` is written by thread `n % WRITERS`.
pub const WRITERS: u64 = 3;
/// Time between two batches, milliseconds of sample time.
const STEP: Millis = 10;
/// Width of the first blocks, milliseconds of sample time.
const BLOCK: Millis = 2_000;
/// How many numbers the fastest writer may be ahead of the slowest: a quarter of what the database takes.
pub const WINDOW: u64 = (BLOCK / STEP) as u64 / 8;
/// A batch that comes late is written after the one that has this much to its number: no other of those.
const DELAY: u64 = 30 * WRITERS;

/// A batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Batch(pub u64);

/// A series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    kind: Kind,
    writer: u64,
    number: u64,
    generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In every batch of its writer.
    Stable,
    /// In some batches, one after the other, and then never again.
    Churn,
    /// Stays away for longer than memory remembers it, and comes again.
    Returning,
}

/// A database that does all it does in hours within a second.
pub fn options(dir: &std::path::Path) -> DbOptions {
    let block = Duration::from_millis(BLOCK as u64);
    DbOptions {
        retention_time: Duration::ZERO,
        min_block_duration: block,
        max_block_duration: block * 27,
        wal_segment_size: 32 << 10,
        out_of_order_time_window: block * 10,
        ..DbOptions::new(dir)
    }
}

// === impl Batch ===

impl Batch {
    /// The batch that a sample of this time is of, or would be.
    pub fn at(timestamp: Millis) -> Option<Self> {
        (timestamp >= 0 && timestamp % STEP == 0).then_some(Self((timestamp / STEP) as u64))
    }

    pub fn timestamp(self) -> Millis {
        self.0 as Millis * STEP
    }

    pub fn writer(self) -> u64 {
        self.0 % WRITERS
    }

    /// Whether it is written when its series have younger samples by far.
    pub fn comes_late(self) -> bool {
        self.0 / WRITERS % 8 == 5
    }

    /// The batch that comes late and is written after this one.
    pub fn late_behind(self) -> Option<Self> {
        self.0.checked_sub(DELAY).map(Self).filter(|batch| batch.comes_late())
    }

    /// The batch of the same writer which, when it is done, says that this one is.
    pub fn witness(self) -> Self {
        Self(if self.comes_late() { self.0 + DELAY + WRITERS } else { self.0 })
    }

    /// The first batch of a writer that is not before this one.
    pub fn next_of(self, writer: u64) -> Self {
        Self(self.0 + (writer + WRITERS - self.writer()) % WRITERS)
    }

    /// The series it has a sample of.
    pub fn members(self) -> impl Iterator<Item = Member> {
        let [stable, churn, returning] = [Kind::Stable, Kind::Churn, Kind::Returning].map(|kind| {
            let (count, generation) = self.share_of(kind);
            (0..count).map(move |number| Member { kind, writer: self.writer(), number, generation })
        });
        stable.chain(churn).chain(returning)
    }

    pub fn len(self) -> u64 {
        [Kind::Stable, Kind::Churn, Kind::Returning].into_iter().map(|kind| self.share_of(kind).0).sum()
    }

    pub fn has(self, member: Member) -> bool {
        let (count, generation) = self.share_of(member.kind);
        member.writer == self.writer() && member.number < count && member.generation == generation
    }

    /// The value of its sample of a series.
    pub fn value(self, member: Member) -> f64 {
        (self.0 * 100 + member.number) as f64
    }

    /// How many series of a kind, and of which generation.
    fn share_of(self, kind: Kind) -> (u64, u64) {
        let turn = self.0 / WRITERS;
        match kind {
            Kind::Stable => (20, 0),
            // All samples of a batch that comes late are out of order: it is in one log, whole or not at all.
            Kind::Churn | Kind::Returning if self.comes_late() => (0, turn / 50),
            Kind::Churn => (5, turn / 50),
            Kind::Returning => (if (turn / 60).is_multiple_of(4) { 5 } else { 0 }, 0),
        }
    }
}

// === impl Member ===

impl Member {
    pub fn labels(self) -> Labels {
        let Self { kind, writer, number, generation } = self;
        let [writer, number, generation] = [writer, number, generation].map(|number| number.to_string());
        Labels::from_pairs([
            ("__name__", kind.name()),
            ("generation", &generation),
            ("number", &number),
            ("writer", &writer),
        ])
    }

    /// The series that has these labels.
    pub fn of(labels: &Labels) -> Option<Self> {
        let kinds = [Kind::Stable, Kind::Churn, Kind::Returning];
        let number = |name| labels.value(name).parse().ok();
        let member = Self {
            kind: kinds.into_iter().find(|kind| kind.name() == labels.value("__name__"))?,
            writer: number("writer")?,
            number: number("number")?,
            generation: number("generation")?,
        };
        (member.labels() == *labels).then_some(member)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Churn => "churn",
            Self::Returning => "returning",
        }
    }
}
