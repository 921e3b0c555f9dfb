//! How a label set lies in memory: `size name size value …` in one string.
//!
//! A size is written as a character, so that the whole is valid UTF-8 and can be sliced safely: below 0xD800 the character with that
//! number (one byte for sizes below 128); above, two characters, U+E000 plus the high bits, then U+10000 plus the low 16 bits.

use std::{borrow::Cow, cmp::Ordering};

/// Longest name or value that can be written: all inputs are bounded far below it.
const MAX_SIZE: usize = (0x1fff << 16) | 0xffff;

/// Appends one pair.
pub(super) fn push_pair(text: &mut String, name: &str, value: &str) {
    push_part(text, name);
    push_part(text, value);
}

fn push_part(text: &mut String, part: &str) {
    let size = part.len();
    if size < 0x80 {
        text.push(char::from(size as u8));
        text.push_str(part);
        return;
    }
    assert!(size <= MAX_SIZE, "BUG: label of {size} bytes passed the input limits");
    let code = size as u32;
    match char::from_u32(code) {
        Some(c) if code < 0xd800 => text.push(c),
        _ => text.extend([
            char::from_u32(0xe000 + (code >> 16)).expect("BUG: size in range"),
            char::from_u32(0x10000 + (code & 0xffff)).expect("BUG: size in range"),
        ]),
    }
    text.push_str(part);
}

/// The first `count` pairs of `bytes`, if they lie there as in a set: sorted, unique, no value empty, all sizes of one byte.
pub(super) fn short_pairs(bytes: &[u8], count: usize) -> Option<&str> {
    let mut at = 0;
    let mut part = || {
        let size = usize::from(*bytes.get(at)?);
        let text = bytes.get(at + 1..at + 1 + size)?;
        at += 1 + size;
        (size < 0x80).then_some(text)
    };
    let mut last: Option<&[u8]> = None;
    for _ in 0..count {
        let (name, value) = (part()?, part()?);
        if value.is_empty() || last.is_some_and(|last| last >= name) {
            return None;
        }
        last = Some(name);
    }
    // Sizes are characters of their own: where the whole is valid, so is each part.
    std::str::from_utf8(bytes.get(..at)?).ok()
}

/// The pairs whose names satisfy `keep`; they are copied only where they do not lie together.
pub(super) fn filter<'a>(encoded: &'a str, mut keep: impl FnMut(&str) -> bool) -> Cow<'a, str> {
    let mut kept = Cow::Borrowed("");
    let mut pairs = Pairs::new(encoded);
    // Where the pairs begin that stay and are not in `kept` yet.
    let mut run = encoded;
    let mut add = |run: &'a str, rest: &str| {
        let run = &run[..run.len() - rest.len()];
        match &kept {
            _ if run.is_empty() => {}
            Cow::Borrowed("") => kept = Cow::Borrowed(run),
            _ => kept.to_mut().push_str(run),
        }
    };
    loop {
        let rest = pairs.rest;
        match pairs.next() {
            Some((name, _)) if keep(name) => {}
            Some(_) => {
                add(run, rest);
                run = pairs.rest;
            }
            None => {
                add(run, rest);
                return kept;
            }
        }
    }
}

/// Writes a set to `text` with the value of one label replaced, added, or left out where the new one is empty.
pub(super) fn replace(encoded: &str, name: &str, value: &str, text: &mut String) {
    let mut pairs = Pairs::new(encoded);
    let (mut before, mut after) = (encoded, "");
    loop {
        let rest = pairs.rest;
        match pairs.next() {
            Some((other, _)) if other < name => {}
            Some((other, _)) => {
                before = &encoded[..encoded.len() - rest.len()];
                after = if other == name { pairs.rest } else { rest };
                break;
            }
            None => break,
        }
    }
    text.push_str(before);
    if !value.is_empty() {
        push_pair(text, name, value);
    }
    text.push_str(after);
}

/// Compares two sets text by text.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (a, b) = (left.as_bytes(), right.as_bytes());
    // Sets of one metric are the same far into them: that much needs no look at where texts begin.
    let words = a.chunks_exact(8).zip(b.chunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    let same = words + a[words..].iter().zip(&b[words..]).take_while(|(a, b)| a == b).count();
    if same == a.len() || same == b.len() {
        return a.len().cmp(&b.len());
    }
    // The text that differs, in its size or its bytes, begins at the same place in both.
    let (mut left, mut right) = (Pairs::new(left), Pairs::new(right));
    loop {
        let end = a.len() - left.rest.len();
        let (Some(text), rest) = (left.take_part(), left.rest) else {
            return Ordering::Equal;
        };
        if a.len() - rest.len() > same {
            right.rest = right.rest.get(end..).unwrap_or_default();
            return right.take_part().map_or(Ordering::Greater, |other| text.cmp(other));
        }
    }
}

/// Walks over the pairs of an encoded set.
#[derive(Clone)]
pub(super) struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(encoded: &'a str) -> Self {
        Self { rest: encoded }
    }

    #[inline]
    fn take_part(&mut self) -> Option<&'a str> {
        // Nearly all are short: no character needs to be decoded then.
        let first = *self.rest.as_bytes().first()?;
        if first < 0x80 {
            let (part, rest) = self.rest.get(1..)?.split_at_checked(first.into())?;
            self.rest = rest;
            return Some(part);
        }
        let mut chars = self.rest.chars();
        let first = chars.next()? as u32;
        let size =
            if first < 0xd800 { first } else { ((first - 0xe000) << 16) | (chars.next()? as u32 - 0x10000) };
        let (part, rest) = chars.as_str().split_at_checked(size as usize)?;
        self.rest = rest;
        Some(part)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.take_part()?, self.take_part()?))
    }
}
