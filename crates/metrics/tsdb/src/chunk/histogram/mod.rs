//! Native histograms of one series.
//!
//! ```text
//! ┌──────────────────┬──────────────────────────────┬────────┬────┬────┬─────
//! │ samples <2b, BE> │ flags <1b>: 2 bits, 6 unused │ layout │ h0 │ h1 │ …
//! └──────────────────┴──────────────────────────────┴────────┴────┴────┴─────
//! with start times:
//! ┌─────────────────────────────┬────────────────────────┬────────┬────┬─────────────┬────┬─────────────┬─────
//! │ flags 2 bits, samples <14b> │ start time header <1b> │ layout │ h0 │ start time? │ h1 │ start time? │ …
//! └─────────────────────────────┴────────────────────────┴────────┴────┴─────────────┴────┴─────────────┴─────
//! flags   00 nothing is known about a reset before the chunk · 01 there was none · 10 there was one · 11 gauges
//! layout  ┌────────────────┬────────┬────────────────┬────────────────┬───────────────────────────────┐
//!         │ zero threshold │ schema │ positive spans │ negative spans │ bounds, only of custom buckets│
//!         └────────────────┴────────┴────────────────┴────────────────┴───────────────────────────────┘
//! h       ┌──────┬───────┬────────────┬─────┬──────────────────┬──────────────────┐
//!         │ time │ count │ zero count │ sum │ positive buckets │ negative buckets │   no buckets when the sum says stale
//!         └──────┴───────┴────────────┴─────┴──────────────────┴──────────────────┘
//! ```
//!
//! All histograms of a chunk have one layout, and within a counter's chunk no reset happens: [`HistogramEncoder::append`] finds out whether
//! a sample fits, widens the chunk or the sample where buckets are missing, and begins a new chunk otherwise.

mod decode;
mod encode;
mod fit;
mod flavor;
mod lane;
mod layout;
#[cfg(test)]
mod tests;

pub(crate) use decode::{DecodedHistogram, decode_histograms};
pub(crate) use encode::{Appended, HistogramEncoder};
pub(crate) use flavor::{Flavor, Floats, Integers};

use model::CounterResetHint;

use lane::{FloatLane, IntegerLane, Lane};

/// Bytes before the layout.
const HEADER: usize = 3;

/// What is written of a sample behind the layout, and how it changes.
#[derive(Debug, Clone, Default)]
struct Lanes<L> {
    time: IntegerLane,
    count: L,
    zero_count: L,
    sum: FloatLane,
    /// The positive buckets, then the negative ones.
    buckets: [Vec<L>; 2],
}

impl<L: Lane> Lanes<L> {
    /// For as many positive and negative buckets.
    fn new(buckets: [usize; 2]) -> Self {
        Self { buckets: buckets.map(|count| vec![L::default(); count]), ..Self::default() }
    }
}

/// The flags of a chunk, as they are in the upper two bits of a byte.
fn flags_of(hint: CounterResetHint) -> u8 {
    match hint {
        CounterResetHint::Unknown => 0b00 << 6,
        CounterResetHint::NotReset => 0b01 << 6,
        CounterResetHint::Reset => 0b10 << 6,
        CounterResetHint::Gauge => 0b11 << 6,
    }
}

/// What the upper two bits of a byte say.
fn hint_of(flags: u8) -> CounterResetHint {
    match flags >> 6 {
        0b00 => CounterResetHint::Unknown,
        0b01 => CounterResetHint::NotReset,
        0b10 => CounterResetHint::Reset,
        _ => CounterResetHint::Gauge,
    }
}
