//! Which labels a query needs from its parsers.

use crate::syntax::Grouping;

use super::ERROR;

const EXTRACTED: &str = "_extracted";

/// Which labels parsers have to extract.
///
/// Only metric queries restrict it: when series are grouped `by` labels, or into one, nothing but these labels and those that stages
/// read can matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    /// No label at all is needed.
    none: bool,
    /// The labels needed; empty means all.
    required: Vec<String>,
    keep_errors: bool,
}

impl Hints {
    /// Everything is needed.
    pub fn all() -> Self {
        Self::default()
    }

    /// What a metric query with this grouping needs, whose stages and unwrap read the labels `read`.
    pub fn for_metric(grouping: Option<&Grouping>, read: &[String]) -> Self {
        let Some(grouping) = grouping else {
            return Self::all();
        };
        if grouping.without {
            return Self::all();
        }
        let mut required: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !name.is_empty() && !required.iter().any(|known| known == name) {
                required.push(name.to_owned());
            }
        };
        for name in read.iter().chain(&grouping.labels) {
            add(name);
            // The suffix is given by the parser where names collide: it must also look at the name without it.
            if let Some(stem) = name.strip_suffix(EXTRACTED) {
                add(stem);
            }
        }
        Self { none: required.is_empty(), keep_errors: required.iter().any(|name| name == ERROR), required }
    }

    /// Whether parsers need not run at all.
    pub fn nothing_needed(&self) -> bool {
        self.none
    }

    /// Whether this label is needed.
    pub fn wants(&self, name: &str) -> bool {
        self.required.is_empty() || self.required.iter().any(|required| required == name)
    }

    /// Whether a label that begins so may be needed.
    pub fn wants_prefix(&self, prefix: &str) -> bool {
        self.required.is_empty() || self.required.iter().any(|required| required.starts_with(prefix))
    }

    /// Whether errors were asked for as a label, so that they do not fail the query.
    pub fn keeps_errors(&self) -> bool {
        self.keep_errors
    }

    /// The labels needed; empty means all.
    pub fn required(&self) -> &[String] {
        &self.required
    }
}
