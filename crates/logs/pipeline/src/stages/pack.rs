//! `pack`: puts labels and extracted values into the line, as JSON with the line under `_entry`.

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{Record, StageError, go_json::write_string, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    labels: Option<Vec<String>>,
    ingest_timestamp: Option<bool>,
}

pub(crate) struct PackStage {
    labels: Vec<String>,
    ingest_timestamp: bool,
}

impl PackStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { labels, ingest_timestamp } = decode(config)?;
        let mut labels = labels.unwrap_or_default();
        labels.sort();
        labels.dedup();
        Ok(Self { labels, ingest_timestamp: ingest_timestamp.unwrap_or(true) })
    }
}

impl Stage for PackStage {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict {
        let mut packed = String::with_capacity(record.line.len() + 64);
        packed.push('{');
        for name in &self.labels {
            let Some(value) = record.extracted.text(name) else { continue };
            write_string(&mut packed, name);
            packed.push(':');
            write_string(&mut packed, &value);
            packed.push(',');
            record.labels.remove(name);
        }
        packed.push_str("\"_entry\":");
        write_string(&mut packed, &record.line);
        packed.push('}');
        record.line = packed;
        if self.ingest_timestamp {
            record.timestamp = context.now;
        }
        Verdict::Keep
    }
}
