//! How far a run may go, and what it is told besides its data.

use crate::functions::Function;

/// Bounds of one run. Templates come from users and loop as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of output, and of any one text that a function makes on the way.
    pub max_output_bytes: usize,
    /// The most steps. Each action, command and turn of a loop counts, and so does each element that a function
    /// walks over and every 256 bytes of text that it reads or makes.
    pub max_steps: u64,
    /// The deepest nesting of templates, blocks and parentheses at one time. Each level takes up to about 4 KiB of stack.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_output_bytes: 4 << 20, max_steps: 1_000_000, max_depth: 200 }
    }
}

/// What a missing key of a map gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MissingKey {
    /// Nothing, which prints as `<no value>`.
    #[default]
    Default,
    /// The zero value of the map's elements: the empty string in a map of strings; in a map of anything still nothing.
    Zero,
    /// The run fails.
    Error,
}

/// How to run a template.
#[derive(Debug, Clone, Copy, Default)]
pub struct Execution<'a> {
    /// The bounds.
    pub limits: Limits,
    /// What a missing key of a map gives.
    pub missing_key: MissingKey,
    /// Functions of this run alone: they come before those that the template was parsed with. The template must have
    /// known functions of these names when it was parsed; see [`Functions::declare`](crate::Functions::declare).
    pub bindings: &'a [(&'a str, Function)],
}
