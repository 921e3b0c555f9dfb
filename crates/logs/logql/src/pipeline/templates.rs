//! Templates over an entry's labels.

use std::sync::Arc;

use template::gotime::Time;
use template::{Execution, Function, Functions, Limits, MissingKey, Template, TextEscaper, Value};

use super::{Entry, EntryLabels};

const LINE: &str = "__line__";
const TIMESTAMP: &str = "__timestamp__";

/// A line is made of a line: more steps than these are a template that has run away.
const MAX_STEPS: u64 = 100_000;
const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// A template whose data is an entry's labels.
pub(super) struct EntryTemplate {
    template: Template,
    /// Whether it asks for the line or its time.
    uses_entry: bool,
}

impl EntryTemplate {
    pub fn new(name: &str, text: &str, functions: &Functions) -> Result<Self, template::ParseError> {
        Ok(Self {
            template: Template::parse(name, text, functions)?,
            uses_entry: text.contains(LINE) || text.contains(TIMESTAMP),
        })
    }

    /// The labels it reads.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.template.fields().into_iter()
    }

    /// Runs it; on failure `out` is empty and the error is Go's.
    pub fn run(&self, entry: &Entry<'_>, labels: &EntryLabels, out: &mut String) -> Result<(), String> {
        out.clear();
        if let Some(text) = self.template.literal() {
            out.push_str(text);
            return Ok(());
        }
        if let Some(name) = self.template.single_field() {
            out.push_str(labels.get(name).unwrap_or_default());
            return Ok(());
        }
        self.run_on(entry, &data_of(labels), out)
    }

    /// As [`EntryTemplate::run`] on labels that were taken before.
    pub fn run_on(&self, entry: &Entry<'_>, data: &Value, out: &mut String) -> Result<(), String> {
        out.clear();
        let bindings = if self.uses_entry { bindings(entry) } else { Vec::new() };
        let execution = Execution {
            limits: Limits { max_output_bytes: MAX_OUTPUT_BYTES, max_steps: MAX_STEPS, ..Limits::default() },
            missing_key: MissingKey::Zero,
            bindings: &bindings,
        };
        let result = self.template.execute_into(data, &execution, &mut TextEscaper, out);
        result.map_err(|error| {
            out.clear();
            error.to_string()
        })
    }
}

/// The labels as they are now, as templates see them.
pub(super) fn data_of(labels: &EntryLabels) -> Value {
    let text = |text: &str| Arc::<str>::from(text);
    Value::strings(labels.all().iter().map(|(name, value, _)| (text(name), text(value))))
}

fn bindings(entry: &Entry<'_>) -> Vec<(&'static str, Function)> {
    let (seconds, nanos) =
        (entry.timestamp.div_euclid(1_000_000_000), entry.timestamp.rem_euclid(1_000_000_000));
    let time = Time::from_unix(seconds, nanos, jiff::tz::TimeZone::UTC).unwrap_or_else(Time::zero);
    vec![
        (LINE, Function::constant(Value::str(&*entry.line))),
        (TIMESTAMP, Function::constant(Value::time(time))),
    ]
}
