//! `decolorize`: removes terminal colours and other control sequences (ECMA-48).

use go_regex::Regex;

use super::{Stage, Verdict};
use crate::{Record, StageError, run::Context};

/// A sequence begins with ESC or CSI and some opening characters; it is a string that BEL ends, or parameters and a final character.
const SEQUENCE: &str = concat!(
    r"[\x{1b}\x{9b}][\[\]()#;?]*",
    r"(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\x07|(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])",
);

pub(crate) struct DecolorizeStage(Regex);

impl DecolorizeStage {
    pub(crate) fn new() -> Result<Self, StageError> {
        Ok(Self(Regex::new(SEQUENCE)?))
    }
}

impl Stage for DecolorizeStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        if record.line.contains(['\u{1b}', '\u{9b}'])
            && let std::borrow::Cow::Owned(plain) = self.0.replace_all_literal(&record.line, "")
        {
            record.line = plain;
        }
        Verdict::Keep
    }
}
