//! Appends samples of the log, each series on one thread.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::Scope,
};

use model::Millis;
use rustc_hash::FxHashMap;

use super::{
    Totals,
    gather::{self, Gathered, Pushed},
    ref_map::RefMap,
};
use crate::{
    head::{
        Head, MemSeries,
        ooo::Late,
        open_chunk::ChunkForm,
        series::{Appended, SeriesState},
    },
    recode::Sample,
    wal::record::{RefHistogram, RefSample, RefTombstone},
};

/// Samples that are handed over together.
const BATCH: usize = 4096;
const _: () = assert!(gather::MOST <= BATCH);
/// Histograms among them at most: they are larger.
const HISTOGRAMS: usize = 512;
/// Batches that may wait for a worker.
const QUEUE: usize = 8;
/// Workers at most: one reader keeps no more of them busy.
const MOST: usize = 8;

/// What a worker is told.
enum Message {
    Batch(Batch),
    Tombstone(RefTombstone),
    /// From here on samples may be out of order: nobody has checked them.
    TakeLate,
    /// Answer when everything before is done.
    Wait(SyncSender<Totals>),
}

/// Samples in the order of the log. Floats are apart, since nearly all logs have nothing else.
#[derive(Default)]
struct Batch {
    /// Series that are new to the worker, by their numbers; any of the samples may be theirs.
    series: Vec<(u64, Arc<MemSeries>)>,
    floats: Vec<RefSample>,
    /// Each with the number of floats before it.
    histograms: Vec<(usize, RefHistogram<Sample>)>,
}

/// All workers, and what has not been handed over to them yet.
pub(super) struct Workers {
    queues: Vec<SyncSender<Message>>,
    batches: Vec<Batch>,
    /// Floats that are not in the batches yet.
    gathered: Gathered,
    /// The number that the workers know a series by, for each further one: samples under all of them must stay in order.
    further: FxHashMap<u64, u64>,
    /// All of them are from this number on.
    first_further: u64,
}

struct Worker<'a> {
    head: &'a Head,
    series: RefMap,
    min_valid_time: Millis,
    take_late: bool,
    /// Samples of the batch in hand that may be out of order.
    late: Vec<Late>,
    totals: Totals,
}

// === impl Workers ===

impl Workers {
    /// One for each core but the reader's.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, head: &'scope Head) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let queues = (0..cores.saturating_sub(1).clamp(1, MOST))
            .map(|_| {
                let (sender, receiver) = sync_channel(QUEUE);
                scope.spawn(move || Worker::new(head).run(&receiver));
                sender
            })
            .collect();
        Self::new(queues)
    }

    fn new(queues: Vec<SyncSender<Message>>) -> Self {
        let batches = queues.iter().map(|_| Batch::default()).collect();
        Self {
            queues,
            batches,
            gathered: Gathered::default(),
            further: FxHashMap::default(),
            first_further: u64::MAX,
        }
    }

    /// Makes a series known under a number. Until the workers end it stays, with samples or without.
    pub(super) fn series(&mut self, series_ref: u64, series: Arc<MemSeries>) {
        let known = series.series_ref();
        if known != series_ref {
            self.further.insert(series_ref, known);
            self.first_further = self.first_further.min(series_ref);
        }
        // By that one: the log may name it later, where a batch of this run has made the series anew.
        self.gathered.add_series(known);
        let at = self.of(known);
        let batch = &mut self.batches[at];
        batch.series.push((known, series));
        if batch.series.len() >= BATCH {
            self.hand_over(at);
        }
    }

    #[inline]
    pub(super) fn sample(&mut self, mut sample: RefSample) {
        sample.series_ref = self.known(sample.series_ref);
        match self.gathered.push(sample) {
            Pushed::Kept => {}
            Pushed::Full(span) => {
                self.pass_on(span);
                let pushed = self.gathered.push(sample);
                debug_assert_eq!(pushed, Pushed::Kept, "BUG: an empty span has room");
            }
            // The worker counts it, if it is not too old for anyone to care.
            Pushed::Nobody => {
                let at = self.of(sample.series_ref);
                self.room_for(1, at).push(sample);
            }
        }
    }

    pub(super) fn histogram(&mut self, mut sample: RefHistogram<Sample>) {
        sample.series_ref = self.known(sample.series_ref);
        let at = self.pass_on_neighbours(sample.series_ref);
        let batch = &mut self.batches[at];
        batch.histograms.push((batch.floats.len(), sample));
        if batch.histograms.len() >= HISTOGRAMS {
            self.hand_over(at);
        }
    }

    pub(super) fn tombstone(&mut self, mut tombstone: RefTombstone) {
        tombstone.series_ref = self.known(tombstone.series_ref);
        let at = self.pass_on_neighbours(tombstone.series_ref);
        // It concerns the samples before it only.
        self.hand_over(at);
        self.send(at, Message::Tombstone(tombstone));
    }

    /// From here on samples that are not younger than their series' newest are taken out of order, if they are not too old: batches that
    /// came while a head loaded, which nobody could check.
    pub(super) fn take_late(&mut self) {
        (0..self.gathered.spans()).for_each(|span| self.pass_on(span));
        for at in 0..self.queues.len() {
            self.hand_over(at);
            self.send(at, Message::TakeLate);
        }
    }

    /// Waits until everything is appended; returns what came since the last call.
    pub(super) fn wait(&mut self) -> Totals {
        let mut totals = Totals::default();
        (0..self.gathered.spans()).for_each(|span| self.pass_on(span));
        // The index is brought up to date next, and may have it.
        self.gathered.shrink();
        for at in 0..self.queues.len() {
            self.hand_over(at);
            let (sender, receiver) = sync_channel(1);
            self.send(at, Message::Wait(sender));
            totals.add(receiver.recv().expect("BUG: a replay worker died"));
        }
        totals
    }

    /// Waits, and ends the workers.
    pub(super) fn end(mut self) -> Totals {
        self.wait()
    }

    /// The number that the workers know a series by.
    #[inline]
    fn known(&self, series_ref: u64) -> u64 {
        if series_ref >= self.first_further
            && let Some(known) = self.further.get(&series_ref)
        {
            return *known;
        }
        series_ref
    }

    /// The worker of a series, and of its neighbours.
    fn of(&self, series_ref: u64) -> usize {
        (series_ref / gather::SPAN) as usize % self.queues.len()
    }

    /// Moves the floats of a span to the batch of their worker.
    fn pass_on(&mut self, span: usize) {
        let (number, count) = self.gathered.describe(span);
        let at = self.of(number);
        self.room_for(count, at);
        self.batches[at].floats.extend(self.gathered.take(span));
    }

    /// Sees to it that nothing of a series overtakes its floats; returns its worker.
    fn pass_on_neighbours(&mut self, series_ref: u64) -> usize {
        if let Some(span) = self.gathered.span_of(series_ref) {
            self.pass_on(span);
        }
        self.of(series_ref)
    }

    /// The floats of a worker's batch, with room for more.
    fn room_for(&mut self, count: usize, at: usize) -> &mut Vec<RefSample> {
        if self.batches[at].floats.len() + count > BATCH {
            self.hand_over(at);
        }
        let floats = &mut self.batches[at].floats;
        if floats.capacity() == 0 {
            floats.reserve_exact(BATCH);
        }
        floats
    }

    fn hand_over(&mut self, at: usize) {
        let batch = std::mem::take(&mut self.batches[at]);
        if !batch.series.is_empty() || !batch.floats.is_empty() || !batch.histograms.is_empty() {
            self.send(at, Message::Batch(batch));
        }
    }

    fn send(&self, at: usize, message: Message) {
        self.queues[at].send(message).expect("BUG: a replay worker died");
    }
}

// === impl Worker ===

impl<'a> Worker<'a> {
    fn new(head: &'a Head) -> Self {
        Self {
            head,
            series: RefMap::default(),
            min_valid_time: head.min_valid_time(),
            take_late: false,
            late: Vec::new(),
            totals: Totals::default(),
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            match message {
                Message::Batch(batch) => self.append_all(batch),
                Message::Tombstone(tombstone) => {
                    if let Some(series) = self.series.get(tombstone.series_ref) {
                        series.state().delete(tombstone.min_time, tombstone.max_time);
                    }
                }
                Message::TakeLate => self.take_late = true,
                Message::Wait(answer) => {
                    // Whoever asked and went away does not want to know.
                    let _ = answer.send(std::mem::take(&mut self.totals));
                }
            }
        }
        self.series.iter().for_each(|series| series.release());
    }

    fn append_all(&mut self, batch: Batch) {
        // A block is written only when everything before is appended.
        self.min_valid_time = self.head.min_valid_time();
        for (series_ref, series) in batch.series {
            // A block may be written, and the series without samples dropped, before its samples come.
            if series.hold()
                && let Some(before) = self.series.insert(series_ref, series)
            {
                before.release();
            }
        }
        let mut floats = batch.floats.into_iter();
        let mut taken = 0;
        for (before, RefHistogram { series_ref, timestamp, histogram }) in batch.histograms {
            floats.by_ref().take(before - taken).for_each(|sample| self.append_float(sample));
            taken = before;
            if self.comes_late(series_ref, timestamp) {
                self.append_late(series_ref, timestamp, histogram);
                continue;
            }
            self.append(series_ref, timestamp, |state, form| {
                state.append_any(timestamp, histogram, None, form)
            });
        }
        floats.for_each(|sample| self.append_float(sample));
        if !self.late.is_empty() {
            self.totals.samples += self.head.replay_late(std::mem::take(&mut self.late));
        }
    }

    #[inline]
    fn append_float(&mut self, sample: RefSample) {
        let RefSample { series_ref, timestamp, value } = sample;
        if self.comes_late(series_ref, timestamp) {
            return self.append_late(series_ref, timestamp, Sample::Float(value));
        }
        self.append(series_ref, timestamp, |state, form| state.replay(timestamp, value, form));
    }

    /// Whether a sample may belong to those out of order.
    #[inline]
    fn comes_late(&mut self, series_ref: u64, timestamp: Millis) -> bool {
        let is_older = |series: &Arc<MemSeries>| series.state().is_before_newest(timestamp);
        self.take_late
            && (timestamp < self.min_valid_time || self.series.get(series_ref).is_some_and(is_older))
    }

    fn append_late(&mut self, series_ref: u64, timestamp: Millis, sample: Sample) {
        match self.series.get(series_ref) {
            Some(series) => self.late.push(Late { series: Arc::clone(series), timestamp, sample }),
            None => self.totals.unknown += 1,
        }
    }

    #[inline]
    fn append(
        &mut self,
        series_ref: u64,
        timestamp: Millis,
        append: impl FnOnce(&mut SeriesState, ChunkForm) -> Appended,
    ) {
        if timestamp < self.min_valid_time {
            return;
        }
        let Some(series) = self.series.get(series_ref) else {
            self.totals.unknown += 1;
            return;
        };
        self.totals.note(timestamp, timestamp);
        let mut state = series.state();
        let waits_already = !state.waiting().is_empty();
        let appended = append(&mut state, self.head.chunk_form());
        let waits = !waits_already && !state.waiting().is_empty();
        drop(state);
        if waits {
            self.head.mapping.add([Arc::clone(series)]);
            self.head.map_chunks_when_many();
        }
        self.totals.samples += u64::from(appended != Appended::Not);
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::*;

    #[test]
    fn all_numbers_of_a_series_are_one_to_the_workers() {
        let (queues, receivers): (Vec<_>, Vec<_>) = (0..4).map(|_| sync_channel(8)).unzip();
        let mut workers = Workers::new(queues);
        let series = Arc::new(MemSeries::new(1, Labels::from_pairs([("a", "b")])));
        // The one that it goes by is not the first that the log names.
        let numbers = [64, 1, 5000, 1];
        for number in numbers {
            workers.series(number, Arc::clone(&series));
        }
        for number in numbers {
            workers.sample(RefSample { series_ref: number, timestamp: 0, value: 0.0 });
        }
        workers.pass_on(0);
        workers.hand_over(0);
        let last = receivers[0].try_iter().last();
        let Some(Message::Batch(batch)) = last else { panic!("all is sent to the first worker") };
        assert!(batch.series.iter().all(|(number, _)| *number == 1));
        assert!(batch.floats.iter().map(|sample| sample.series_ref).eq([1; 4]));
    }
}
