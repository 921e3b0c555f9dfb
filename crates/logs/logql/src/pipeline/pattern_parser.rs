//! `| pattern`: named gaps become labels.

use super::pattern::Pattern;
use super::regexp::set_parsed;
use super::{Entry, EntryLabels, Run};

pub(super) struct PatternParser {
    pattern: Pattern,
    suffixed: String,
}

impl PatternParser {
    pub fn new(text: &str) -> Result<Self, String> {
        Ok(Self { pattern: Pattern::parser(text)?, suffixed: String::new() })
    }
}

impl Run for PatternParser {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if labels.is_complete() {
            return true;
        }
        let Self { pattern, suffixed } = self;
        pattern.captures(&entry.line, |name, value| set_parsed(labels, name, value, suffixed));
        true
    }
}
