//! `tenant`: the tenant an entry is sent for.

use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{Record, StageError, TENANT_LABEL, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    label: Option<String>,
    source: Option<String>,
    value: Option<String>,
}

pub(crate) struct TenantStage {
    from: From,
    label: Arc<str>,
}

enum From {
    Label(String),
    Source(String),
    Value(Arc<str>),
}

impl TenantStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { label, source, value } = decode(config)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let from = match (given(label), given(source), given(value)) {
            (None, None, None) => {
                return Err(StageError::invalid("label, source or value config are required"));
            }
            (Some(label), None, None) => From::Label(label),
            (None, Some(source), None) => From::Source(source),
            (None, None, Some(value)) => From::Value(value.into()),
            _ => {
                return Err(StageError::invalid(
                    "label, source and value are mutually exclusive: set one of them",
                ));
            }
        };
        Ok(Self { from, label: TENANT_LABEL.into() })
    }
}

impl Stage for TenantStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let tenant = match &self.from {
            From::Label(label) => record.labels.get(label).cloned(),
            From::Source(source) => record.extracted.get(source).and_then(|value| value.shared()),
            From::Value(value) => Some(value.clone()),
        };
        if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty() && !record.is_broken(tenant)) {
            record.labels.set(self.label.clone(), tenant);
        }
        Verdict::Keep
    }
}
