//! `| drop` and `| keep`: which labels stay.

use super::{ERROR, ERROR_DETAILS, Entry, EntryLabels, PRESERVE_ERROR, Run};
use crate::syntax::NamedMatcher;

pub(super) struct Drop {
    names: Vec<NamedMatcher>,
}

pub(super) struct Keep {
    names: Vec<NamedMatcher>,
    gone: Vec<String>,
}

impl Drop {
    pub fn new(names: &[NamedMatcher]) -> Self {
        Self { names: names.to_vec() }
    }
}

impl Run for Drop {
    fn run(&mut self, _: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        for named in &self.names {
            let (name, matcher) = match named {
                NamedMatcher::Name(name) => (name.as_str(), None),
                NamedMatcher::Matcher(matcher) => (matcher.name(), Some(matcher)),
            };
            let fits = |value: &str| matcher.is_none_or(|matcher| matcher.matches(value));
            match name {
                ERROR if fits(labels.error()) => labels.clear_error(),
                ERROR_DETAILS if fits(labels.error_details()) => labels.clear_error_details(),
                ERROR | ERROR_DETAILS => {}
                _ => {
                    let value = labels.get(name);
                    if (value.is_some() || matcher.is_some()) && fits(value.unwrap_or_default()) {
                        labels.remove(name);
                    }
                }
            }
        }
        true
    }
}

impl Keep {
    pub fn new(names: &[NamedMatcher]) -> Self {
        Self { names: names.to_vec(), gone: Vec::new() }
    }
}

impl Run for Keep {
    fn run(&mut self, _: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        self.gone.clear();
        for (name, value, _) in labels.all() {
            if matches!(name, ERROR | ERROR_DETAILS | PRESERVE_ERROR) {
                continue;
            }
            let stays = self.names.iter().any(|named| match named {
                NamedMatcher::Name(kept) => kept == name,
                NamedMatcher::Matcher(matcher) => matcher.name() == name && matcher.matches(value),
            });
            if !stays {
                self.gone.push(name.to_owned());
            }
        }
        for name in &self.gone {
            labels.remove(name);
        }
        true
    }
}
