//! Go's `fmt`: how values become text.

pub(crate) mod float;
pub(crate) mod print;
pub(crate) mod printf;
pub(crate) mod quote;

#[cfg(test)]
mod tests;
