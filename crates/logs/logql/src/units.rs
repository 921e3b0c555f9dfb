//! Durations, byte sizes and numbers as Go's libraries read and print them: the texts that queries and log lines hold.

mod bytes;
mod duration;
mod number;

#[cfg(test)]
mod tests;

pub(crate) use bytes::{format_bytes, parse_bytes};
pub(crate) use duration::{
    SECOND, format_go_duration, format_prometheus_duration, parse_duration, parse_go_duration,
    parse_prometheus_duration,
};
pub(crate) use number::{format_number, parse_number};
