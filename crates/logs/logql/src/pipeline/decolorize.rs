//! `| decolorize`: takes ANSI escape sequences out of the line.

use std::borrow::Cow;

use go_regex::Regex;

use super::{Entry, EntryLabels, Run};

/// Control sequences of terminals: an introducer, then either a title up to BEL or parameters and a final letter.
const SEQUENCE: &str = "[\\x{1B}\\x{9B}][\\[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\\x{07})|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))";

pub(super) struct Decolorize {
    sequence: Regex,
}

impl Decolorize {
    pub fn new() -> Result<Self, String> {
        let sequence = Regex::new(SEQUENCE).map_err(|error| error.to_string())?;
        Ok(Self { sequence })
    }
}

impl Run for Decolorize {
    fn run(&mut self, entry: &mut Entry<'_>, _: &mut EntryLabels) -> bool {
        if entry.line.contains(['\u{1b}', '\u{9b}']) {
            let plain = self.sequence.replace_all_literal(&entry.line, "").into_owned();
            entry.line = Cow::Owned(plain);
        }
        true
    }
}
