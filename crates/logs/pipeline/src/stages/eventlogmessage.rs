//! `eventlogmessage`: the `Key: value` lines of a Windows event's message become extracted values.

use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, check_label_name, decode};
use crate::{Record, StageError, extracted::Value, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    source: Option<String>,
    drop_invalid_labels: bool,
    overwrite_existing: bool,
}

pub(crate) struct EventLogMessageStage {
    source: String,
    drop_invalid_labels: bool,
    overwrite_existing: bool,
}

impl EventLogMessageStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { source, drop_invalid_labels, overwrite_existing } = decode(config)?;
        let source = source.filter(|source| !source.is_empty()).unwrap_or_else(|| "message".into());
        check_label_name(&source)?;
        Ok(Self { source, drop_invalid_labels, overwrite_existing })
    }
}

impl Stage for EventLogMessageStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let Some(message) = record.extracted.get(&self.source).and_then(|value| value.shared()) else {
            return Verdict::Keep;
        };
        for line in message.split("\r\n") {
            let Some((key, value)) = line.split_once(':') else { continue };
            let mut name = key.to_owned();
            if !model::is_legacy_label_name(key) {
                if self.drop_invalid_labels {
                    continue;
                }
                name = sanitize(key);
            }
            if !self.overwrite_existing && record.extracted.get(&name).is_some() {
                name.push_str("_extracted");
            }
            let name: Arc<str> = name.into();
            record.extracted.set(&name, Value::Text(value.trim().into()));
        }
        Verdict::Keep
    }
}

fn sanitize(key: &str) -> String {
    let mut name: String = key
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}
