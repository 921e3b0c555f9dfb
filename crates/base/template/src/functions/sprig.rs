//! The functions of sprig that log pipelines use: strings, numbers, lists, maps, dates, encodings, regular expressions.
//!
//! Left out are those that make secrets or random numbers, read the environment or the network, or change maps in
//! place: a template that calls them does not parse.

mod dates;
mod decimal;
mod encoding;
mod lists;
mod logic;
mod maps;
mod numbers;
mod regex;
mod strings;

use super::clock::Clock;
use super::set::Functions;

pub(super) use encoding::hex;

/// Go's functions and sprig's.
pub fn functions(clock: &Clock) -> Functions {
    let mut functions = Functions::builtin();
    strings::add_to(&mut functions);
    numbers::add_to(&mut functions);
    lists::add_to(&mut functions);
    maps::add_to(&mut functions);
    logic::add_to(&mut functions);
    dates::add_to(&mut functions, clock);
    encoding::add_to(&mut functions);
    regex::add_to(&mut functions);
    functions
}
