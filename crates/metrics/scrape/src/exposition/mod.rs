//! The text formats that exporters write: Prometheus' 0.0.4 (and 1.0.0, with quoted names) and OpenMetrics 1.0.
//!
//! [`Lines`] walks over an exposition and yields borrowed parts; a sample's labels are not decoded until [`labels`] is asked, since a
//! scraper knows most series by their raw bytes.

mod cursor;
mod labels;
mod lines;

#[cfg(test)]
mod tests;

pub use labels::labels;
pub use lines::{Format, Item, Lines, ParseError, RawExemplar, RawSample};
