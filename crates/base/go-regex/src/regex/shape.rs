//! Patterns that are strings in disguise: `a|b|c`, `foo.*`, `.*foo`, `foo.+`, `.*foo.*`.
//!
//! Most label matchers and many line filters have such a shape. Comparing strings is several times cheaper than the
//! smallest automaton, and the caller can do better still when it knows the strings: look a set up in an index, or
//! seek to a prefix in sorted values.

use memchr::memmem::Finder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The most strings a pattern is expanded to.
const MAX_STRINGS: usize = 256;

/// The most bytes of all these strings together.
const MAX_BYTES: usize = 1 << 20;

/// Exactly what a pattern matches, if that can be said with strings. Case-insensitive pieces count as long as their
/// variants fit the limit of 256 strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literals {
    /// Matches if and only if the text is this.
    Literal(String),
    /// Matches if and only if the text is one of these; sorted, without duplicates. Empty: it never matches.
    Set(Vec<String>),
    /// Matches if and only if the text begins with this. Empty: it always matches.
    Prefix(String),
    /// Matches if and only if the text ends with this.
    Suffix(String),
    /// Matches if and only if the text contains this.
    Contains(String),
    /// Something else.
    None,
}

/// What may stand before or after the strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing: the text begins or ends here.
    Edge,
    /// Any text.
    Any,
    /// Any text but the empty one.
    Some,
}

/// `gap string gap`, with one or more strings to choose from.
#[derive(Debug)]
pub(super) struct Shape {
    head: Gap,
    /// Sorted, without duplicates.
    strings: Vec<String>,
    tail: Gap,
    /// For a string with gaps on both sides.
    finder: Option<Finder<'static>>,
}

impl Shape {
    /// `None` if the expression has no such shape, or has U+FFFD, which in Go also matches a stray byte.
    pub fn of(hir: &Hir) -> Option<Shape> {
        let mut parts = Parts::of(hir);
        let (head, tail) = (parts.take_head()?, parts.take_tail()?);
        let mut strings = vec![String::new()];
        for part in &parts.parts {
            strings = append(strings, &expand(part)?)?;
        }
        strings.sort_unstable();
        strings.dedup();
        if strings.iter().any(|string| string.contains(char::REPLACEMENT_CHARACTER)) {
            return None;
        }
        let finder = match strings.as_slice() {
            _ if head == Gap::Edge || tail == Gap::Edge => None,
            [string] => Some(Finder::new(string).into_owned()),
            _ => return None,
        };
        Some(Shape { head, strings, tail, finder })
    }

    pub fn bytes(&self) -> usize {
        self.strings.iter().map(String::len).sum()
    }

    pub fn literals(&self) -> Literals {
        match (self.head, self.strings.as_slice(), self.tail) {
            (Gap::Edge, [string], Gap::Edge) => Literals::Literal(string.clone()),
            (Gap::Edge, strings, Gap::Edge) => Literals::Set(strings.to_vec()),
            (Gap::Edge | Gap::Any, [string], Gap::Any) if string.is_empty() => {
                Literals::Prefix(String::new())
            }
            (Gap::Any, [string], Gap::Edge) if string.is_empty() => Literals::Prefix(String::new()),
            (Gap::Edge, [string], Gap::Any) => Literals::Prefix(string.clone()),
            (Gap::Any, [string], Gap::Edge) => Literals::Suffix(string.clone()),
            (Gap::Any, [string], Gap::Any) => Literals::Contains(string.clone()),
            _ => Literals::None,
        }
    }

    /// The same answer for any bytes as the automaton has for their decoded form.
    pub fn is_match(&self, text: &[u8]) -> bool {
        match (self.head, self.tail) {
            (Gap::Edge, Gap::Edge) => match self.strings.as_slice() {
                [string] => string.as_bytes() == text,
                strings => strings.binary_search_by(|string| string.as_bytes().cmp(text)).is_ok(),
            },
            (Gap::Edge, tail) => self.any(tail, text.len(), |string| text.starts_with(string)),
            (head, Gap::Edge) => self.any(head, text.len(), |string| text.ends_with(string)),
            (head, tail) => {
                let start = usize::from(head == Gap::Some);
                let end = text.len().checked_sub(usize::from(tail == Gap::Some));
                let within = end.and_then(|end| text.get(start..end));
                let finder = self.finder.as_ref();
                within.zip(finder).is_some_and(|(within, finder)| finder.find(within).is_some())
            }
        }
    }

    fn any(&self, gap: Gap, text_len: usize, fits: impl Fn(&[u8]) -> bool) -> bool {
        let least = usize::from(gap == Gap::Some);
        self.strings.iter().any(|string| text_len >= string.len() + least && fits(string.as_bytes()))
    }
}

/// The literal that every match begins with, at the start of the text.
pub(super) fn required_prefix(hir: &Hir) -> String {
    let mut parts = Parts::of(hir);
    if parts.take_head() != Some(Gap::Edge) {
        return String::new();
    }
    let mut prefix = String::new();
    for part in parts.parts {
        let HirKind::Literal(literal) = part.kind() else { break };
        let Ok(text) = str::from_utf8(&literal.0) else { break };
        // In Go it also matches a stray byte.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            break;
        }
        prefix.push_str(text);
    }
    prefix
}

/// The top-level concatenation, groups opened.
struct Parts<'h> {
    parts: Vec<&'h Hir>,
}

impl<'h> Parts<'h> {
    fn of(hir: &'h Hir) -> Parts<'h> {
        let mut parts = Vec::new();
        // Iterative, since patterns nest a thousand levels deep.
        let mut pending = vec![hir];
        while let Some(hir) = pending.pop() {
            match hir.kind() {
                HirKind::Capture(capture) => pending.push(&capture.sub),
                HirKind::Concat(subs) => pending.extend(subs.iter().rev()),
                HirKind::Empty => {}
                _ => parts.push(hir),
            }
        }
        Parts { parts }
    }

    fn take_head(&mut self) -> Option<Gap> {
        let anchors = self.parts.iter().take_while(|part| is_look(part, Look::Start)).count();
        self.parts.drain(..anchors);
        let (gap, taken) = gap(self.parts.iter().copied(), anchors > 0)?;
        self.parts.drain(..taken);
        Some(gap)
    }

    fn take_tail(&mut self) -> Option<Gap> {
        let anchors = self.parts.iter().rev().take_while(|part| is_look(part, Look::End)).count();
        self.parts.truncate(self.parts.len() - anchors);
        let (gap, taken) = gap(self.parts.iter().rev().copied(), anchors > 0)?;
        self.parts.truncate(self.parts.len() - taken);
        Some(gap)
    }
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(found) if *found == look)
}

/// Joins the gaps at one side, going inwards; with the number of parts that they take. `None` if two gaps in a row must
/// not be empty: that is a length, and no shape.
fn gap<'h>(parts: impl Iterator<Item = &'h Hir>, anchored: bool) -> Option<(Gap, usize)> {
    let mut gap = if anchored { Gap::Edge } else { Gap::Any };
    let mut taken = 0;
    for part in parts {
        let found = match dots(part) {
            Some((0, true)) => Gap::Any,
            Some((1, true)) => Gap::Some,
            // Text without newlines that may be empty, next to any text: it takes nothing, then.
            Some((0, false)) if !anchored && gap == Gap::Any => Gap::Any,
            _ => break,
        };
        gap = match (gap, found) {
            (Gap::Some, Gap::Some) => return None,
            (Gap::Some, _) | (_, Gap::Some) => Gap::Some,
            _ => Gap::Any,
        };
        taken += 1;
    }
    Some((gap, taken))
}

/// `.*` or `.+`: the minimum, and whether newlines are included.
fn dots(hir: &Hir) -> Option<(u32, bool)> {
    let HirKind::Repetition(repetition) = hir.kind() else {
        return None;
    };
    if repetition.max.is_some() {
        return None;
    }
    let HirKind::Class(Class::Unicode(class)) = repetition.sub.kind() else {
        return None;
    };
    match class.ranges() {
        [all] if all.start() == '\0' && all.end() == char::MAX => Some((repetition.min, true)),
        [low, high]
            if (low.start(), low.end(), high.start(), high.end()) == ('\0', '\x09', '\x0b', char::MAX) =>
        {
            Some((repetition.min, false))
        }
        _ => None,
    }
}

/// All strings that the expression matches, if they are few.
fn expand(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![str::from_utf8(&literal.0).ok()?.to_owned()]),
        HirKind::Class(Class::Unicode(class)) => {
            let mut strings = Vec::new();
            for range in class.ranges() {
                for char in range.start()..=range.end() {
                    if strings.len() == MAX_STRINGS {
                        return None;
                    }
                    strings.push(String::from(char));
                }
            }
            Some(strings)
        }
        // How the automaton's form writes the class that is empty.
        HirKind::Class(Class::Bytes(class)) if class.ranges().is_empty() => Some(Vec::new()),
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) => None,
        HirKind::Capture(capture) => expand(&capture.sub),
        HirKind::Concat(subs) => {
            let mut strings = vec![String::new()];
            for sub in subs {
                strings = append(strings, &expand(sub)?)?;
            }
            Some(strings)
        }
        HirKind::Alternation(subs) => {
            let mut strings = Vec::new();
            for sub in subs {
                strings.extend(expand(sub)?);
                if strings.len() > MAX_STRINGS {
                    return None;
                }
            }
            Some(strings)
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max?;
            let once = expand(&repetition.sub)?;
            let mut current = vec![String::new()];
            let mut strings = Vec::new();
            for count in 0..=max {
                if count >= repetition.min {
                    strings.extend(current.iter().cloned());
                }
                if strings.len() > MAX_STRINGS {
                    return None;
                }
                if count < max {
                    current = append(current, &once)?;
                }
            }
            Some(strings)
        }
    }
}

/// Every head with every tail.
fn append(heads: Vec<String>, tails: &[String]) -> Option<Vec<String>> {
    if let [tail] = tails {
        let mut strings = heads;
        for string in &mut strings {
            string.push_str(tail);
        }
        return fits(strings);
    }
    if heads.len() * tails.len() > MAX_STRINGS {
        return None;
    }
    let joined = heads.iter().flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}")));
    fits(joined.collect())
}

fn fits(strings: Vec<String>) -> Option<Vec<String>> {
    let bytes: usize = strings.iter().map(String::len).sum();
    (strings.len() <= MAX_STRINGS && bytes <= MAX_BYTES).then_some(strings)
}
