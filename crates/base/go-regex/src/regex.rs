//! A compiled pattern.

mod captures;
mod find;
mod recent;
mod replace;
mod shape;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex_automata::Input;
use regex_automata::meta;
use regex_syntax::hir::{Hir, Look};

pub use self::captures::{Captures, Locations};
pub use self::shape::Literals;
use self::shape::Shape;
use crate::error::{Error, ErrorKind};
use crate::parser;

/// The most memory the program of one pattern may take, in bytes. Go allows 128 MiB.
const MAX_PROGRAM_BYTES: usize = 32 << 20;

/// Patterns that string comparison answers build their automaton at first need, if it cannot fail: this small.
const MAX_LAZY_BYTES: usize = 64 << 10;

/// A compiled pattern, cheap to clone and safe to share among threads.
#[derive(Clone)]
pub struct Regex {
    inner: Arc<Inner>,
}

struct Inner {
    pattern: Box<str>,
    names: Vec<Option<Box<str>>>,
    /// The whole expression, with the anchors of [`Regex::anchored`].
    hir: Hir,
    automaton: OnceLock<meta::Regex>,
    shape: Option<Shape>,
    literals: Literals,
    prefix: Box<str>,
}

impl Regex {
    /// Compiles a pattern as Go's `regexp.Compile`: it may match anywhere in the text, and `.` does not match a
    /// newline.
    ///
    /// # Errors
    /// Everything Go refuses, with Go's text; and `expression too large` for patterns of more than 1 MiB, with more
    /// than 262,144 pieces, or whose program exceeds 32 MiB (Go: 128 MiB).
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        let parsed = parser::parse(pattern, false)?;
        Regex::build(pattern, parsed, false)
    }

    /// Compiles a pattern that must match the whole text, `.` matching newlines too: `^(?s:pattern)$`, as Prometheus
    /// has it in label matchers and relabelling. The pattern is parsed on its own: `a)|(b` is an error.
    ///
    /// What was compiled lately is not compiled again.
    ///
    /// # Errors
    /// As [`Regex::new`].
    pub fn anchored(pattern: &str) -> Result<Regex, Error> {
        if let Some(regex) = recent::get(pattern) {
            return Ok(regex);
        }
        let mut parsed = parser::parse(pattern, true)?;
        parsed.hir = Hir::concat(vec![Hir::look(Look::Start), parsed.hir, Hir::look(Look::End)]);
        let regex = Regex::build(pattern, parsed, true)?;
        recent::put(&regex);
        Ok(regex)
    }

    fn build(pattern: &str, parsed: parser::Parsed, anchored: bool) -> Result<Regex, Error> {
        let parser::Parsed { hir, names } = parsed;
        let shape = Shape::of(&hir);
        let inner = Inner {
            literals: shape.as_ref().map_or(Literals::None, Shape::literals),
            prefix: shape::required_prefix(&hir).into(),
            pattern: pattern.into(),
            automaton: OnceLock::new(),
            names,
            shape,
            hir,
        };
        let can_wait = anchored
            && inner.shape.as_ref().is_some_and(|shape| shape.bytes() <= MAX_LAZY_BYTES)
            && pattern.len() <= MAX_LAZY_BYTES;
        if !can_wait {
            let automaton = compile(&inner.hir).ok_or_else(|| Error::new(ErrorKind::Large, pattern))?;
            let _ = inner.automaton.set(automaton);
        }
        Ok(Regex { inner: Arc::new(inner) })
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.inner.pattern
    }

    /// What the pattern's shape allows to do without an automaton.
    pub fn literals(&self) -> &Literals {
        &self.inner.literals
    }

    /// A string that every matching text begins with; empty if there is none or if the pattern may match elsewhere
    /// than at the start. It narrows a scan over sorted values: the pattern must still be asked about each.
    pub fn required_prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// Does the pattern match?
    pub fn is_match(&self, text: &str) -> bool {
        match &self.inner.shape {
            Some(shape) => shape.is_match(text.as_bytes()),
            None => self.automaton().is_match(text),
        }
    }

    /// As [`Regex::is_match`] for text that may not be UTF-8. As in Go, each stray byte counts as one U+FFFD.
    pub fn is_match_bytes(&self, text: &[u8]) -> bool {
        match &self.inner.shape {
            Some(shape) => shape.is_match(text),
            None => self.automaton().is_match(&*decode(text)),
        }
    }

    /// The first match in the text.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        self.find_at(text, 0)
    }

    /// The first match that begins at byte `start` or later; assertions see the text before it. `None` too if `start`
    /// is beyond the end.
    pub fn find_at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        if start > text.len() {
            return None;
        }
        let input = Input::new(text).range(start..);
        self.automaton().search(&input).map(|found| found.range())
    }

    /// The first match and its groups.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let mut locations = self.locations();
        self.captures_at(text, 0, &mut locations).then(|| Captures::new(self.clone(), text, locations))
    }

    /// Room for the groups of one match, to be used again and again with [`Regex::captures_at`].
    pub fn locations(&self) -> Locations {
        Locations::new(self.captures_len())
    }

    /// Finds the first match at byte `start` or later and writes where its groups are. False, and all groups unset, if
    /// there is none. `locations` may come from another pattern: groups it has no room for are not reported.
    pub fn captures_at(&self, text: &str, start: usize, locations: &mut Locations) -> bool {
        locations.clear();
        if start > text.len() {
            return false;
        }
        let input = Input::new(text).range(start..);
        self.automaton().search_slots(&input, locations.slots_mut()).is_some()
    }

    /// The names of all groups in order, the whole match (never named) first. Two groups may share a name.
    pub fn capture_names(&self) -> impl ExactSizeIterator<Item = Option<&str>> + '_ {
        self.inner.names.iter().map(Option::as_deref)
    }

    /// The number of groups, the whole match included: at least 1.
    pub fn captures_len(&self) -> usize {
        self.inner.names.len()
    }

    fn automaton(&self) -> &meta::Regex {
        self.inner.automaton.get_or_init(|| {
            compile(&self.inner.hir).expect("BUG: a pattern of a few literals exceeds the size limit")
        })
    }
}

fn compile(hir: &Hir) -> Option<meta::Regex> {
    let config = meta::Config::new().nfa_size_limit(Some(MAX_PROGRAM_BYTES));
    meta::Builder::new().configure(config).build_from_hir(hir).ok()
}

/// Text as Go's `range` over a string sees it: each byte that belongs to no character is one U+FFFD.
fn decode(text: &[u8]) -> Cow<'_, str> {
    if let Ok(valid) = str::from_utf8(text) {
        return Cow::Borrowed(valid);
    }
    let mut decoded = String::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(decoded)
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
