//! The text format 0.0.4. Source: Prometheus docs/instrumenting/exposition_formats.md.

use std::fmt::Write;

use model::{
    CUSTOM_BUCKETS_SCHEMA, FloatHistogram, INSTANCE, Labels, METRIC_NAME, Millis, bucket_indexes,
    is_legacy_label_name, is_legacy_metric_name, write_value_text,
};

use super::Escaping;

/// A series' newest sample.
#[derive(Debug)]
pub(super) struct Newest {
    pub labels: Labels,
    pub timestamp: Millis,
    pub value: NewestValue,
}

#[derive(Debug)]
pub(super) enum NewestValue {
    Float(f64),
    Histogram(Box<FloatHistogram>),
}

/// Writes samples that come sorted by name, with a `# TYPE` line before each name.
#[derive(Debug)]
pub(super) struct Exposition {
    /// Labels of this server, for series that have none of that name: the external ones, and an empty `instance`, so that the reader does
    /// not take its own target for the source.
    added: Vec<(String, String)>,
    escaping: Escaping,
    family: Option<(String, &'static str)>,
    /// Labels of the sample at hand as text, without braces.
    pairs: String,
}

impl Exposition {
    pub fn new(external_labels: &Labels, escaping: Escaping) -> Self {
        let mut added: Vec<(String, String)> =
            external_labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if external_labels.get(INSTANCE).is_none() {
            added.push((INSTANCE.to_owned(), String::new()));
            added.sort_unstable();
        }
        Self { added, escaping, family: None, pairs: String::new() }
    }

    /// Appends a sample. Native histograms have no text form, but for those with custom buckets, which are shown as classic ones; a
    /// sample without a name has none either.
    pub fn write(&mut self, out: &mut String, sample: &Newest) {
        let Newest { labels, timestamp, value } = sample;
        let metric_name = labels.metric_name();
        if metric_name.is_empty() {
            return;
        }
        match value {
            NewestValue::Float(value) => {
                self.begin(out, metric_name, "untyped");
                self.set_pairs(labels);
                self.write_line(out, metric_name, "", None, *value, *timestamp);
            }
            NewestValue::Histogram(histogram) if histogram.schema == CUSTOM_BUCKETS_SCHEMA => {
                self.begin(out, metric_name, "histogram");
                self.set_pairs(labels);
                self.write_histogram(out, metric_name, histogram, *timestamp);
            }
            NewestValue::Histogram(_) => {}
        }
    }

    fn write_histogram(&self, out: &mut String, name: &str, histogram: &FloatHistogram, timestamp: Millis) {
        let filled = bucket_indexes(&histogram.positive_spans).zip(&histogram.positive_buckets);
        let mut filled = filled.peekable();
        let mut cumulative = 0.0;
        for (at, upper) in histogram.custom_values.iter().enumerate() {
            while let Some((_, count)) = filled.next_if(|(index, _)| *index <= at as i64) {
                cumulative += count;
            }
            self.write_line(out, name, "_bucket", Some(*upper), cumulative, timestamp);
        }
        self.write_line(out, name, "_bucket", Some(f64::INFINITY), histogram.count, timestamp);
        self.write_line(out, name, "_sum", None, histogram.sum, timestamp);
        self.write_line(out, name, "_count", None, histogram.count, timestamp);
    }

    fn begin(&mut self, out: &mut String, name: &str, kind: &'static str) {
        if self.family.as_ref().is_some_and(|(last, last_kind)| last == name && *last_kind == kind) {
            return;
        }
        self.family = Some((name.to_owned(), kind));
        out.push_str("# TYPE ");
        let escaped = self.escaping.escape(name);
        if is_legacy_metric_name(&escaped) {
            out.push_str(&escaped);
        } else {
            push_quoted(out, &escaped);
        }
        let _ = writeln!(out, " {kind}");
    }

    fn set_pairs(&mut self, labels: &Labels) {
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.clear();
        let own = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let added = self.added.iter().filter(|(name, _)| labels.get(name).is_none());
        for (name, value) in own.chain(added.map(|(name, value)| (name.as_str(), value.as_str()))) {
            if !pairs.is_empty() {
                pairs.push(',');
            }
            let name = self.escaping.escape(name);
            if is_legacy_label_name(&name) {
                pairs.push_str(&name);
            } else {
                push_quoted(&mut pairs, &name);
            }
            pairs.push('=');
            push_quoted(&mut pairs, value);
        }
        self.pairs = pairs;
    }

    fn write_line(
        &self,
        out: &mut String,
        name: &str,
        suffix: &str,
        upper: Option<f64>,
        value: f64,
        timestamp: Millis,
    ) {
        let name = self.escaping.escape(name);
        if is_legacy_metric_name(&name) {
            out.push_str(&name);
            out.push_str(suffix);
            out.push('{');
        } else {
            out.push('{');
            push_quoted(out, &format!("{name}{suffix}"));
            if !self.pairs.is_empty() {
                out.push(',');
            }
        }
        out.push_str(&self.pairs);
        if let Some(upper) = upper {
            out.push_str(if self.pairs.is_empty() { "le=\"" } else { ",le=\"" });
            let _ = write_value_text(out, upper);
            out.push('"');
        }
        out.push_str("} ");
        let _ = write_value_text(out, value);
        let _ = writeln!(out, " {timestamp}");
    }
}

/// In quotes, with the three escapes that the format has.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(escaping: Escaping, external: &[(&str, &str)], samples: &[Newest]) -> String {
        let mut exposition = Exposition::new(&Labels::from_pairs(external.iter().copied()), escaping);
        let mut out = String::new();
        samples.iter().for_each(|sample| exposition.write(&mut out, sample));
        out
    }

    fn float(labels: &[(&str, &str)], value: f64) -> Newest {
        let labels = Labels::from_pairs(labels.iter().copied());
        Newest { labels, timestamp: 1500, value: NewestValue::Float(value) }
    }

    #[test]
    fn external_labels_fill_gaps_only() {
        let samples = [
            float(&[("__name__", "a"), ("zone", "own")], 1.0),
            float(&[("__name__", "a"), ("instance", "i"), ("path", "\\ \" \n")], 1_234_567.0),
            float(&[("job", "nameless")], 1.0),
            float(&[("__name__", "b")], f64::NAN),
        ];
        assert_eq!(
            written(Escaping::Underscores, &[("cluster", "c"), ("zone", "z")], &samples),
            "# TYPE a untyped\n\
             a{zone=\"own\",cluster=\"c\",instance=\"\"} 1 1500\n\
             a{instance=\"i\",path=\"\\\\ \\\" \\n\",cluster=\"c\",zone=\"z\"} 1.234567e+06 1500\n\
             # TYPE b untyped\n\
             b{cluster=\"c\",instance=\"\",zone=\"z\"} NaN 1500\n"
        );
        assert!(
            written(Escaping::Underscores, &[("instance", "mine")], &samples)
                .contains("b{instance=\"mine\"} NaN")
        );
    }

    #[test]
    fn names_beyond_ascii() {
        let samples = [float(&[("__name__", "a.b"), ("c.d", "e")], 1.0)];
        assert_eq!(
            written(Escaping::AllowUtf8, &[], &samples),
            "# TYPE \"a.b\" untyped\n{\"a.b\",\"c.d\"=\"e\",instance=\"\"} 1 1500\n"
        );
        assert_eq!(
            written(Escaping::Underscores, &[], &samples),
            "# TYPE a_b untyped\na_b{c_d=\"e\",instance=\"\"} 1 1500\n"
        );
    }

    #[test]
    fn only_custom_buckets_have_a_text_form() {
        let histogram = |schema: i32| {
            let histogram = FloatHistogram {
                schema,
                count: 6.0,
                sum: 2.5,
                positive_spans: vec![
                    model::Span { offset: 0, length: 1 },
                    model::Span { offset: 1, length: 1 },
                ],
                positive_buckets: vec![1.0, 5.0],
                custom_values: vec![0.5, 1.0],
                ..FloatHistogram::default()
            };
            let labels = Labels::from_pairs([("__name__", "h")]);
            Newest { labels, timestamp: 1500, value: NewestValue::Histogram(Box::new(histogram)) }
        };
        assert_eq!(
            written(Escaping::Underscores, &[], &[histogram(0), histogram(CUSTOM_BUCKETS_SCHEMA)]),
            "# TYPE h histogram\n\
             h_bucket{instance=\"\",le=\"0.5\"} 1 1500\n\
             h_bucket{instance=\"\",le=\"1\"} 1 1500\n\
             h_bucket{instance=\"\",le=\"+Inf\"} 6 1500\n\
             h_sum{instance=\"\"} 2.5 1500\n\
             h_count{instance=\"\"} 6 1500\n"
        );
    }
}
