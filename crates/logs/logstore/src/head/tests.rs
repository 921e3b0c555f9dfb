//! Buffers on their own.

use std::sync::Arc;

use model::{Labels, Nanos};
use parking_lot::RwLock;

use super::{Generation, StreamBuffer};
use crate::{
    stream_index::StreamIndex,
    test_support::{entry, labels},
};

fn buffer() -> StreamBuffer {
    StreamBuffer::new(0, labels("a"))
}

fn times(buffer: &StreamBuffer, start: Nanos, end: Nanos) -> Vec<Vec<Nanos>> {
    let blocks = buffer.read(start, end);
    blocks.iter().map(|block| block.entries().iter().map(|entry| entry.timestamp).collect()).collect()
}

#[test]
fn full_tails_become_blocks() {
    let buffer = buffer();
    buffer.insert((0..3000).map(|time| entry(time, "x")).collect(), 1);
    let lengths: Vec<_> = times(&buffer, 0, 3000).iter().map(Vec::len).collect();
    assert_eq!(lengths, [1024, 1024, 952]);
    // Blocks outside the range are left out, the tail is cut.
    assert_eq!(times(&buffer, 2990, 2992), [[2990, 2991]]);
    assert_eq!(times(&buffer, 3000, 4000), Vec::<Vec<Nanos>>::new());
    assert_eq!(times(&buffer, 1024, 1025).len(), 1);
}

#[test]
fn blocks_are_sorted_by_time() {
    let buffer = buffer();
    buffer.insert([5, 1, 3].map(|time| entry(time, "x")).to_vec(), 1);
    assert_eq!(times(&buffer, 0, 10), [[1, 3, 5]]);
    let extent = buffer.extent().expect("it has entries");
    assert_eq!((extent.first, extent.last), (1, 5));
}

#[test]
fn a_successor_remembers_the_last_entry_and_time() {
    let buffer = buffer();
    buffer.insert(vec![entry(50, "x"), entry(10, "y")], 1);
    let next = buffer.successor();
    assert!(next.is_empty());
    let mut late = Vec::new();
    let admitted =
        next.admit(vec![entry(10, "y"), entry(39, "late"), entry(40, "z"), entry(40, "z")], 10, &mut late);
    assert_eq!(admitted, [entry(40, "z")], "the first repeats, the second is late, the last repeats");
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].oldest, 40);
}

#[test]
fn streams_that_are_idle_do_not_come_along() {
    let generation = Generation::new();
    let index = RwLock::new(StreamIndex::default());
    for (app, now) in [("old", 5), ("new", 20)] {
        let (buffer, is_new) = generation.buffer(&labels(app), &index, 0).ok().expect("there is no limit");
        assert!(is_new);
        generation.insert(&buffer, vec![entry(1, "x")], now);
    }
    assert!(generation.has_idle(10) && !generation.has_idle(5));
    assert_eq!(generation.born(), Some(5));
    let next = generation.successor(10);
    assert_eq!((next.streams(), next.filled_streams(), next.bytes()), (1, 0, 0));
    assert_eq!(next.forget_idle(21), 1);
    assert_eq!(generation.forget_idle(21), 0, "streams with entries stay");
}

#[test]
fn a_stream_is_made_once_however_many_ask() {
    let generation = Arc::new(Generation::new());
    let index = Arc::new(RwLock::new(StreamIndex::default()));
    let made: usize = std::thread::scope(|scope| {
        let ask = || {
            let (generation, index) = (Arc::clone(&generation), Arc::clone(&index));
            scope.spawn(move || {
                let names = (0..100).map(|number| Labels::from_pairs([("n", number.to_string())]));
                names
                    .filter(|labels| generation.buffer(labels, &index, 0).is_ok_and(|(_, is_new)| is_new))
                    .count()
            })
        };
        let asking: Vec<_> = (0..4).map(|_| ask()).collect();
        asking.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((made, generation.streams()), (100, 100));
}
