//! All matches of a text.

use std::ops::Range;

use super::Regex;

impl Regex {
    /// The matches in order, not overlapping, as Go's `FindAllStringIndex`: an empty match right after another match
    /// does not count.
    pub fn find_iter<'r, 't>(&'r self, text: &'t str) -> impl Iterator<Item = Range<usize>> + use<'r, 't> {
        Matches { regex: self, text, start: 0, last_end: None }
    }
}

struct Matches<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    start: usize,
    last_end: Option<usize>,
}

impl Iterator for Matches<'_, '_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let found = self.regex.find_at(self.text, self.start)?;
            let follows = found.is_empty() && self.last_end == Some(found.start);
            self.start = if found.is_empty() {
                let next = self.text.get(found.end..).and_then(|rest| rest.chars().next());
                found.end + next.map_or(1, char::len_utf8)
            } else {
                found.end
            };
            self.last_end = Some(found.end);
            if !follows {
                return Some(found);
            }
        }
    }
}
