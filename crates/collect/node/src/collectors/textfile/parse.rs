//! The text format 0.0.4, as far as files of other programs need it. Time stamps are refused: a file tells of now.

use std::collections::BTreeSet;

use crate::exposition::Exposition;

/// One metric family of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub name: String,
    pub kind: Kind,
    pub help: Option<String>,
    pub samples: Vec<Sample>,
    /// The files it came from.
    pub sources: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Untyped,
    Histogram,
    Summary,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// With `_bucket`, `_sum` or `_count`, where the family has those.
    name: String,
    /// Sorted by name.
    labels: Vec<(String, String)>,
    value: f64,
}

/// A mistake: the line, from 1, and what is wrong.
type Mistake = (usize, String);

/// Families in the order in which they appear.
pub(super) fn parse(text: &str) -> Result<Vec<Family>, Mistake> {
    let mut families: Vec<Family> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mistake = |text: &str| (at + 1, text.to_owned());
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.trim_start().splitn(3, [' ', '\t']);
            match (words.next(), words.next(), words.next()) {
                (Some("HELP"), Some(name), help) => {
                    let family = family_of(&mut families, name);
                    family.help = Some(unescape(help.unwrap_or_default()));
                }
                (Some("TYPE"), Some(name), Some(kind)) => {
                    let kind = kind_of(kind.trim()).ok_or_else(|| mistake("unknown metric type"))?;
                    let family = family_of(&mut families, name);
                    if !family.samples.is_empty() {
                        return Err(mistake("second TYPE line, or TYPE reported after samples"));
                    }
                    family.kind = kind;
                }
                _ => {}
            }
            continue;
        }
        let sample = sample(line).map_err(mistake)?;
        let name = family_name(&families, &sample.name).to_owned();
        family_of(&mut families, &name).samples.push(sample);
    }
    families.retain(|family| !family.samples.is_empty());
    Ok(families)
}

fn kind_of(text: &str) -> Option<Kind> {
    Some(match text {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "untyped" => Kind::Untyped,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        _ => return None,
    })
}

/// Most files have few families, and their samples follow the head: look at the end first.
fn family_of<'f>(families: &'f mut Vec<Family>, name: &str) -> &'f mut Family {
    let at = families.iter().rposition(|family| family.name == name).unwrap_or_else(|| {
        families.push(Family {
            name: name.to_owned(),
            kind: Kind::Untyped,
            help: None,
            samples: Vec::new(),
            sources: Vec::new(),
        });
        families.len() - 1
    });
    &mut families[at]
}

/// The family of a sample: its name without the ending that histograms and summaries give their parts.
fn family_name<'n>(families: &[Family], name: &'n str) -> &'n str {
    for (suffix, kinds) in [
        ("_bucket", &[Kind::Histogram][..]),
        ("_sum", &[Kind::Histogram, Kind::Summary]),
        ("_count", &[Kind::Histogram, Kind::Summary]),
    ] {
        if let Some(base) = name.strip_suffix(suffix)
            && families.iter().any(|family| family.name == base && kinds.contains(&family.kind))
        {
            return base;
        }
    }
    name
}

fn sample(line: &str) -> Result<Sample, &'static str> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).ok_or("expected a value")?;
    let (name, rest) = line.split_at(end);
    if !model::is_legacy_metric_name(name) {
        return Err("invalid metric name");
    }
    let mut rest = rest.trim_start();
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = read_labels(inside, &mut labels)?;
    }
    let mut fields = rest.split_ascii_whitespace();
    let value = fields.next().and_then(model::parse_float).ok_or("expected a float as value")?;
    if fields.next().is_some() {
        return Err("contains a client side timestamp, which is not supported");
    }
    labels.sort();
    if labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err("duplicate label name");
    }
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Reads `a="b",c="d"}` and returns what follows.
fn read_labels<'t>(text: &'t str, labels: &mut Vec<(String, String)>) -> Result<&'t str, &'static str> {
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (name, after) = rest.split_once('=').ok_or("expected `=` after a label name")?;
        let name = name.trim();
        if !model::is_legacy_label_name(name) {
            return Err("invalid label name");
        }
        let inside =
            after.trim_start().strip_prefix('"').ok_or("expected `\"` at the start of a label value")?;
        let mut escaped = false;
        let end = inside
            .char_indices()
            .find_map(|(at, char)| {
                let ends = char == '"' && !escaped;
                escaped = char == '\\' && !escaped;
                ends.then_some(at)
            })
            .ok_or("label value is not closed")?;
        labels.push((name.to_owned(), unescape(&inside[..end]).replace("\\\"", "\"")));
        rest = inside[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return Err("unexpected end of label value"),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, chars.clone().next()) {
            ('\\', Some('\\')) => {
                chars.next();
                out.push('\\');
            }
            ('\\', Some('n')) => {
                chars.next();
                out.push('\n');
            }
            _ => out.push(char),
        }
    }
    out
}

impl Family {
    /// Writes the family. Samples get the labels that others of the family have, with empty values, as the original does.
    pub(super) fn write(&self, out: &mut Exposition) {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Untyped => "untyped",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        };
        match &self.help {
            Some(help) => out.head(&self.name, kind, help),
            None => out.head(&self.name, kind, &format!("Metric read from {}", self.sources.join(", "))),
        }
        let special = |name: &str| {
            (self.kind == Kind::Histogram && name == "le")
                || (self.kind == Kind::Summary && name == "quantile")
        };
        let all: BTreeSet<&str> = self
            .samples
            .iter()
            .flat_map(|sample| &sample.labels)
            .map(|(name, _)| name.as_str())
            .filter(|name| !special(name))
            .collect();
        for sample in &self.samples {
            let get = |name: &str| {
                sample.labels.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
            };
            let common = all.iter().map(|name| (*name, get(name).unwrap_or_default()));
            let own = sample
                .labels
                .iter()
                .filter(|(name, _)| special(name))
                .map(|(name, value)| (&**name, &**value));
            out.sample(&sample.name, common.chain(own), sample.value);
        }
    }
}
