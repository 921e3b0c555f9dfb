//! Applying rules.

use std::borrow::Cow;

use md5::{Digest, Md5};
use model::LabelsBuilder;

use crate::{Action, Rule};

/// What becomes of a label set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It goes on, changed or not.
    Keep,
    /// It is dropped.
    Drop,
}

/// Applies rules in order; stops at the first that drops.
pub fn relabel(rules: &[Rule], labels: &mut LabelsBuilder) -> Verdict {
    for rule in rules {
        if rule.apply(labels) == Verdict::Drop {
            return Verdict::Drop;
        }
    }
    Verdict::Keep
}

impl Rule {
    fn apply(&self, labels: &mut LabelsBuilder) -> Verdict {
        let joined = match self.source_labels.as_slice() {
            [] => String::new(),
            [name] => labels.get(name).to_owned(),
            names => {
                let values: Vec<&str> = names.iter().map(|name| labels.get(name)).collect();
                values.join(&self.separator)
            }
        };
        let keep_if = |keep: bool| if keep { Verdict::Keep } else { Verdict::Drop };
        match self.action {
            Action::Keep => return keep_if(self.regex.is_match(&joined)),
            Action::Drop => return keep_if(!self.regex.is_match(&joined)),
            Action::KeepEqual => return keep_if(joined == labels.get(&self.target_label)),
            Action::DropEqual => return keep_if(joined != labels.get(&self.target_label)),
            Action::Replace => self.replace(&joined, labels),
            Action::HashMod => {
                labels.set(&self.target_label, &hash_modulo(&joined, self.modulus).to_string());
            }
            Action::Lowercase => {
                labels.set(&self.target_label, &joined.to_lowercase());
            }
            Action::Uppercase => {
                labels.set(&self.target_label, &uppercase(&joined));
            }
            Action::LabelMap => self.map_names(labels),
            Action::LabelDrop => {
                labels.retain(|name| !self.regex.is_match(name));
            }
            Action::LabelKeep => {
                labels.retain(|name| self.regex.is_match(name));
            }
        }
        Verdict::Keep
    }

    fn replace(&self, joined: &str, labels: &mut LabelsBuilder) {
        let Some(captures) = self.regex.captures(joined) else { return };
        let target: Cow<'_, str> = if self.target_label.contains('$') {
            let mut expanded = String::new();
            captures.expand(&self.target_label, &mut expanded);
            expanded.into()
        } else {
            self.target_label.as_str().into()
        };
        if target.is_empty() {
            return;
        }
        let mut value = String::new();
        captures.expand(&self.replacement, &mut value);
        labels.set(&target, &value);
    }

    fn map_names(&self, labels: &mut LabelsBuilder) {
        let mapped: Vec<(String, String)> = labels
            .iter()
            .filter_map(|(name, value)| {
                let mut target = String::new();
                self.regex.captures(name)?.expand(&self.replacement, &mut target);
                Some((target, value.to_owned()))
            })
            .collect();
        for (name, value) in mapped.iter().filter(|(name, _)| !name.is_empty()) {
            labels.set(name, value);
        }
    }
}

/// The last eight bytes of the MD5, big endian, modulo `modulus`.
fn hash_modulo(text: &str, modulus: u64) -> u64 {
    let digest = Md5::digest(text.as_bytes());
    let last: [u8; 8] = std::array::from_fn(|at| digest[8 + at]);
    u64::from_be_bytes(last) % modulus.max(1)
}

/// Go's `strings.ToUpper`: character by character, so that `ß` stays itself.
fn uppercase(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(only), None) => only,
                _ => c,
            }
        })
        .collect()
}
