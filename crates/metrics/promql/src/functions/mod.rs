//! What the functions compute. One file a group; nothing here knows series sets, steps or storage.

pub(crate) mod buckets;
pub(crate) mod clock;
pub(crate) mod counter;
pub(crate) mod extended;
pub(crate) mod extended_histograms;
pub(crate) mod floats;
pub(crate) mod histograms_over_time;
pub(crate) mod layout;
pub(crate) mod math;
pub(crate) mod natural;
pub(crate) mod over_time;
pub(crate) mod range;
pub(crate) mod rate;
pub(crate) mod regression;
pub(crate) mod smoothing;
pub(crate) mod starts;
pub(crate) mod stretch;
pub(crate) mod window;
