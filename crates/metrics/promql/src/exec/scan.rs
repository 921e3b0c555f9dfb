//! Makes a row of each series of a selector, on several threads where there are many.
//!
//! Series are taken from the storage in batches, by one thread at a time. Each thread makes the rows of its batch, and the calling thread
//! hands them on in the order of the series: what comes after it sees the same, however many threads there were.

use std::{collections::VecDeque, thread};

use model::{Columns, Millis};
use parking_lot::{Condvar, Mutex};
use storage::{QueryError, SeriesReader, SeriesSet, StartTimestamps};

use super::{Done, Executor, Series, Sink};
use crate::{
    engine::{
        EngineError,
        budget::{Account, Budget},
    },
    functions::range::Scratch,
    histogram,
};

/// The most series of a batch,
const BATCH_SERIES: usize = 64;
/// and about how many numbers its rows may have.
const BATCH_NUMBERS: usize = 1 << 16;
/// Batches a thread may be ahead of what is handed on.
const AHEAD: usize = 2;

/// What a thread keeps from one series to the next, so that series do not allocate.
pub(super) struct Worker<'b> {
    pub(super) columns: Columns,
    pub(super) starts: StartTimestamps,
    pub(super) scratch: Scratch,
    /// Pays for the columns.
    account: Account<'b>,
}

/// Makes the row of one series; none where it has no sample.
pub(super) type MakeRow<'m> =
    &'m (dyn Fn(storage::Series, &mut Worker<'_>) -> Result<Option<Series>, EngineError> + Sync);

type Taken = Result<storage::Series, QueryError>;
type Rows = Result<Vec<Series>, EngineError>;

/// A scan by several threads.
struct Scan<'s> {
    budget: &'s Budget,
    make: MakeRow<'s>,
    /// Series of a batch.
    size: usize,
    /// The most batches that are under way or wait to be handed on.
    ahead: usize,
    state: Mutex<State<'s>>,
    changed: Condvar,
}

struct State<'s> {
    set: Box<dyn SeriesSet + 's>,
    /// The first batch, which was taken to see whether there are many series.
    first: Vec<Taken>,
    /// Nothing is left in the set.
    exhausted: bool,
    /// Nobody wants more.
    stopped: bool,
    /// A thread panicked.
    broken: bool,
    /// Batches that were handed on.
    delivered: usize,
    /// The batches after those, as far as they were taken; none while a thread is at it.
    rows: VecDeque<Option<Rows>>,
}

impl Executor<'_> {
    /// Pushes the row that `make` gives of each series of `set`, in order.
    pub(super) fn scan<'s>(
        &'s self,
        mut set: Box<dyn SeriesSet + 's>,
        make: MakeRow<'s>,
        sink: Sink<'_>,
    ) -> Done {
        let size = (BATCH_NUMBERS / self.steps.count().max(1)).clamp(1, BATCH_SERIES);
        let first = take(&mut *set, size);
        let helpers = self.context.helpers.take(if first.len() < size { 0 } else { usize::MAX });
        if helpers.count() == 0 {
            let mut worker = Worker::new(&self.context.budget);
            let mut all = first.into_iter().chain(std::iter::from_fn(|| set.next()));
            return all.try_for_each(|next| {
                self.context.budget.check()?;
                make(next?, &mut worker)?.map_or(Ok(()), &mut *sink)
            });
        }
        let scan = Scan {
            budget: &self.context.budget,
            make,
            size,
            ahead: (helpers.count() + 1) * AHEAD,
            state: Mutex::new(State {
                set,
                first,
                exhausted: false,
                stopped: false,
                broken: false,
                delivered: 0,
                rows: VecDeque::new(),
            }),
            changed: Condvar::new(),
        };
        helpers.beside(
            || scan.help(),
            || {
                let _stop = StopAtEnd(&scan);
                scan.deliver(sink)
            },
        )
    }
}

fn take(set: &mut dyn SeriesSet, most: usize) -> Vec<Taken> {
    let mut batch = Vec::with_capacity(most);
    while batch.len() < most {
        match set.next() {
            Some(next) => batch.push(next),
            None => break,
        }
    }
    batch
}

// === impl Worker ===

impl<'b> Worker<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Self {
            columns: Columns::default(),
            starts: StartTimestamps::default(),
            scratch: Scratch::default(),
            account: Account::new(budget),
        }
    }

    /// Replaces the columns by a series' samples in `[first, last]`.
    pub(super) fn read(&mut self, samples: &mut dyn SeriesReader, first: Millis, last: Millis) -> Done {
        self.columns.clear();
        samples.read(first, last, &mut self.columns)?;
        self.account.fill(histogram::samples_in(&self.columns))
    }

    /// The same, for who looks at the newest of them only.
    pub(super) fn read_newest(
        &mut self,
        samples: &mut dyn SeriesReader,
        first: Millis,
        last: Millis,
    ) -> Done {
        self.columns.clear();
        samples.read_newest(first, last, &mut self.columns)?;
        self.account.fill(histogram::samples_in(&self.columns))
    }
}

// === impl Scan ===

impl Scan<'_> {
    /// Makes rows until there is nothing left to do.
    fn help(&self) {
        let _broken = BreakOnPanic(self);
        let mut worker = Worker::new(self.budget);
        let mut state = self.state.lock();
        while !state.stopped && !state.exhausted {
            let Some((number, batch)) = state.take(self.size, self.ahead) else {
                if !state.exhausted {
                    self.changed.wait(&mut state);
                }
                continue;
            };
            drop(state);
            let rows = self.make_rows(batch, &mut worker);
            state = self.state.lock();
            state.put(number, rows);
            self.changed.notify_all();
        }
    }

    /// Hands rows on in order, and makes some itself while the next ones are not there.
    fn deliver(&self, sink: Sink<'_>) -> Done {
        let mut worker = Worker::new(self.budget);
        let mut state = self.state.lock();
        loop {
            if let Some(rows) = state.next_rows() {
                drop(state);
                self.changed.notify_all();
                rows?.into_iter().try_for_each(&mut *sink)?;
                state = self.state.lock();
            } else if let Some((number, batch)) = state.take(self.size, self.ahead) {
                drop(state);
                let rows = self.make_rows(batch, &mut worker);
                state = self.state.lock();
                state.put(number, rows);
            } else if state.rows.is_empty() || state.broken {
                return Ok(());
            } else {
                self.changed.wait(&mut state);
            }
        }
    }

    /// The rows of a batch. Nobody pays for them until they are handed on, since they are few: see [`BATCH_NUMBERS`].
    fn make_rows(&self, batch: Vec<Taken>, worker: &mut Worker<'_>) -> Rows {
        self.budget.check()?;
        let mut rows = Vec::with_capacity(batch.len());
        for next in batch {
            rows.extend((self.make)(next?, worker)?);
        }
        Ok(rows)
    }
}

// === impl State ===

impl State<'_> {
    /// The next batch and its number, unless there is none or enough are under way.
    fn take(&mut self, size: usize, ahead: usize) -> Option<(usize, Vec<Taken>)> {
        if self.exhausted || self.rows.len() >= ahead {
            return None;
        }
        let batch = match self.first.is_empty() {
            false => std::mem::take(&mut self.first),
            true => take(&mut *self.set, size),
        };
        self.exhausted = batch.len() < size;
        if batch.is_empty() {
            return None;
        }
        self.rows.push_back(None);
        Some((self.delivered + self.rows.len() - 1, batch))
    }

    fn put(&mut self, number: usize, rows: Rows) {
        if let Some(slot) = self.rows.get_mut(number - self.delivered) {
            *slot = Some(rows);
        }
    }

    /// The batch whose turn it is, if it is ready.
    fn next_rows(&mut self) -> Option<Rows> {
        let rows = self.rows.front_mut()?.take()?;
        self.rows.pop_front();
        self.delivered += 1;
        Some(rows)
    }
}

/// Lets the helpers end when the rows are handed on, or are not wanted any more.
struct StopAtEnd<'a, 's>(&'a Scan<'s>);

impl Drop for StopAtEnd<'_, '_> {
    fn drop(&mut self) {
        self.0.state.lock().stopped = true;
        self.0.changed.notify_all();
    }
}

/// Wakes who waits for the rows of a thread that panicked. The panic goes on in the calling thread.
struct BreakOnPanic<'a, 's>(&'a Scan<'s>);

impl Drop for BreakOnPanic<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state.lock().broken = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
