//! `| label_format`: labels are renamed or written anew from templates.

use template::Functions;

use super::templates::{EntryTemplate, data_of};
use super::{ERROR, Entry, EntryLabels, Run, errors};
use crate::syntax::{LabelFormat as Format, LabelFormatValue};

pub(super) struct LabelFormat {
    formats: Vec<(String, Source)>,
    value: String,
    /// How many of them are templates.
    templates: usize,
}

enum Source {
    Rename(String),
    Template(EntryTemplate),
}

impl LabelFormat {
    pub fn new(formats: &[Format], functions: &Functions) -> Result<Self, String> {
        let mut compiled: Vec<(String, Source)> = Vec::with_capacity(formats.len());
        for format in formats {
            let name = &format.name;
            if name == ERROR {
                return Err(format!("{name} cannot be formatted"));
            }
            if compiled.iter().any(|(known, _)| known == name) {
                return Err(format!("multiple label name '{name}' not allowed in a single format operation"));
            }
            let source = match &format.value {
                LabelFormatValue::Rename(source) => Source::Rename(source.clone()),
                LabelFormatValue::Template(text) => Source::Template(
                    EntryTemplate::new("label", text, functions)
                        .map_err(|error| format!("invalid template for label '{name}': {error}"))?,
                ),
            };
            compiled.push((name.clone(), source));
        }
        Ok(Self {
            templates: compiled.iter().filter(|(_, source)| matches!(source, Source::Template(_))).count(),
            formats: compiled,
            value: String::new(),
        })
    }

    /// Calls `add` with each label that is read.
    pub fn each_field(&self, add: &mut dyn FnMut(&str)) {
        for (_, source) in &self.formats {
            match source {
                Source::Rename(name) => add(name),
                Source::Template(template) => template.fields().for_each(&mut *add),
            }
        }
    }
}

impl Run for LabelFormat {
    /// All templates of a stage see the labels as they were before the first of them; a rename sees what came before it.
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        let Self { formats, value, templates } = self;
        let mut data = None;
        for (name, source) in formats {
            let result = match source {
                Source::Rename(source) => {
                    let Some(found) = labels.get(source) else {
                        continue;
                    };
                    found.clone_into(value);
                    labels.set_parsed(name, value);
                    labels.remove(source);
                    continue;
                }
                Source::Template(template) if *templates == 1 => template.run(entry, labels, value),
                Source::Template(template) => {
                    template.run_on(entry, data.get_or_insert_with(|| data_of(labels)), value)
                }
            };
            match result {
                Ok(()) => labels.set_parsed(name, value),
                Err(error) => labels.set_error(errors::TEMPLATE, &error),
            }
        }
        true
    }
}
