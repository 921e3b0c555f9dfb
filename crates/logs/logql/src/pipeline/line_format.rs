//! `| line_format`: the line is written anew from a template.

use std::borrow::Cow;

use template::Functions;

use super::templates::EntryTemplate;
use super::{Entry, EntryLabels, Run, errors};

pub(super) struct LineFormat {
    template: EntryTemplate,
}

impl LineFormat {
    pub fn new(text: &str, functions: &Functions) -> Result<Self, String> {
        let template = EntryTemplate::new("line", text, functions)
            .map_err(|error| format!("invalid line template: {error}"))?;
        Ok(Self { template })
    }

    /// The labels it reads.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.template.fields()
    }
}

impl Run for LineFormat {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        let mut line = String::new();
        match self.template.run(entry, labels, &mut line) {
            Ok(()) => entry.line = Cow::Owned(line),
            Err(error) => labels.set_error(errors::TEMPLATE, &error),
        }
        true
    }
}
