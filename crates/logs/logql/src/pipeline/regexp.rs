//! `| regexp`: named groups become labels.

use go_regex::{Locations, Regex};

use super::sanitize::{EXTRACTED, push_sanitized};
use super::{Entry, EntryLabels, Run};

pub(super) struct Regexp {
    regex: Regex,
    /// Group and label.
    groups: Vec<(usize, String)>,
    locations: Locations,
    suffixed: String,
}

impl Regexp {
    pub fn new(pattern: &str) -> Result<Self, String> {
        let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
        let mut groups: Vec<(usize, String)> = Vec::new();
        for (index, name) in regex.capture_names().enumerate() {
            let Some(name) = name else {
                continue;
            };
            let mut label = String::new();
            push_sanitized(&mut label, name);
            if groups.iter().any(|(_, known)| *known == label) {
                return Err(format!("duplicate extracted label name '{name}'"));
            }
            groups.push((index, label));
        }
        if groups.is_empty() {
            return Err("at least one named capture must be supplied".to_owned());
        }
        Ok(Self { locations: regex.locations(), regex, groups, suffixed: String::new() })
    }
}

impl Run for Regexp {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if labels.is_complete() || !self.regex.captures_at(&entry.line, 0, &mut self.locations) {
            return true;
        }
        for (index, name) in &self.groups {
            let value = self.locations.text(&entry.line, *index).unwrap_or_default();
            set_parsed(labels, name, value, &mut self.suffixed);
        }
        true
    }
}

/// Sets a parsed label under its own name or, where that is taken, with the suffix.
pub(super) fn set_parsed(labels: &mut EntryLabels, name: &str, value: &str, suffixed: &mut String) {
    let name = if labels.collides(name) {
        name.clone_into(suffixed);
        suffixed.push_str(EXTRACTED);
        suffixed.as_str()
    } else {
        name
    };
    if labels.wants(name) {
        labels.set_parsed(name, value);
    }
}
