//! The exposition text, in both formats.

use std::fmt::Write;

use model::write_value_json;

/// Which text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0, here without its end mark, so that more can follow.
    OpenMetrics,
}

/// What kind of metric a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// A number of which nobody says what it is.
    Untyped,
}

/// The text of one scrape under way.
#[derive(Debug)]
pub(crate) struct Exposition {
    text: String,
    format: Format,
}

/// One family: its head is written with its first sample, so a family without samples leaves no trace.
pub(crate) struct Family<'a> {
    out: &'a mut Exposition,
    name: &'a str,
    kind: Kind,
    help: &'a str,
    begun: bool,
}

impl Exposition {
    pub(crate) fn new(format: Format) -> Self {
        Self { text: String::with_capacity(64 << 10), format }
    }

    /// Begins a family. All its samples must be added before the next family begins.
    pub(crate) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &'a str) -> Family<'a> {
        Family { out: self, name, kind, help, begun: false }
    }

    /// A gauge without labels.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, Kind::Gauge, help).add(&[], value);
    }

    /// A counter without labels.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, Kind::Counter, help).add(&[], value);
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes back what was written behind a length.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Writes a family's head. `kind` as the text format spells it.
    pub(crate) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let openmetrics = self.format == Format::OpenMetrics;
        // OpenMetrics names a counter's family without the suffix that its samples must have.
        let (name, kind) = match (openmetrics, kind, name.strip_suffix("_total")) {
            (true, "counter", Some(family)) => (family, "counter"),
            (true, "counter", None) | (true, "untyped", _) => (name, "unknown"),
            _ => (name, kind),
        };
        let _ = write!(self.text, "# HELP {name} ");
        escape(&mut self.text, help, openmetrics);
        let _ = write!(self.text, "\n# TYPE {name} {kind}\n");
    }

    /// Writes a sample. Labels in the order in which they are given.
    pub(crate) fn sample<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
    ) {
        self.text.push_str(name);
        let mut separator = '{';
        for (label, value) in labels {
            self.text.push(separator);
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
            separator = ',';
        }
        self.text.push_str(if separator == ',' { "} " } else { " " });
        // Writing to a string cannot fail.
        let _ = write_value_json(&mut self.text, value);
        self.text.push('\n');
    }
}

impl Family<'_> {
    pub(crate) fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        if !self.begun {
            self.begun = true;
            let kind = match self.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Untyped => "untyped",
            };
            self.out.head(self.name, kind, self.help);
        }
        self.out.sample(self.name, labels.iter().copied(), value);
    }
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            char => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(format: Format) -> String {
        let mut out = Exposition::new(format);
        out.counter("a_total", "A \"b\"\\", 2.0);
        out.family("empty", Kind::Gauge, "None.");
        out.family("b", Kind::Untyped, "B.").add(&[("x", "q\"\n")], 0.5);
        out.finish()
    }

    #[test]
    fn both_formats() {
        assert_eq!(
            write(Format::Text),
            "# HELP a_total A \"b\"\\\\\n# TYPE a_total counter\na_total 2\n# HELP b B.\n# TYPE b untyped\nb{x=\"q\\\"\\n\"} 0.5\n"
        );
        assert_eq!(
            write(Format::OpenMetrics),
            "# HELP a A \\\"b\\\"\\\\\n# TYPE a counter\na_total 2\n# HELP b B.\n# TYPE b unknown\nb{x=\"q\\\"\\n\"} 0.5\n"
        );
    }
}
