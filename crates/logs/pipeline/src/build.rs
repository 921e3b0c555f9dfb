//! Pipelines from their configuration: the list of all stages.

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use crate::{
    BuildError, CustomMetrics, Pipeline, PipelineMetrics, Receipt, StageError,
    run::Step,
    selector::Selector,
    stages::{
        self, Stage, cri::JoinPartsStage, decolorize::DecolorizeStage, drop::DropStage,
        eventlogmessage::EventLogMessageStage, json::JsonStage, label_lists::LabelListStage,
        labels::LabelsStage, limit::LimitStage, logfmt::LogfmtStage, metrics::MetricsStage,
        multiline::MultilineStage, output::OutputStage, pack::PackStage, regex::RegexStage,
        replace::ReplaceStage, sampling::SamplingStage, static_labels::StaticLabelsStage,
        structured_metadata::StructuredMetadataStage, template::TemplateStage, tenant::TenantStage,
        timestamp::TimestampStage,
    },
};

/// Most stages in one list.
const MAX_STAGES: usize = 1000;
/// Most levels of `match` in `match`.
const MAX_DEPTH: usize = 20;

/// Builds pipelines that share their metrics.
#[derive(Debug, Clone)]
pub struct Builder {
    metrics: PipelineMetrics,
    custom: CustomMetrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MatchConfig {
    selector: Option<String>,
    stages: Option<Vec<Yaml>>,
    action: Option<String>,
    #[serde(rename = "pipeline_name")]
    _pipeline_name: Option<String>,
    drop_counter_reason: Option<String>,
}

impl Builder {
    /// With the counters of all pipelines, and the place for the metrics that stages define.
    pub fn new(metrics: PipelineMetrics, custom: CustomMetrics) -> Self {
        Self { metrics, custom }
    }

    /// Builds the pipeline of a `pipeline_stages` list.
    pub fn build<T: Receipt>(&self, configs: &[Yaml]) -> Result<Pipeline<T>, BuildError> {
        self.list(configs, 0)
    }

    fn list<T: Receipt>(&self, configs: &[Yaml], depth: usize) -> Result<Pipeline<T>, BuildError> {
        if configs.len() > MAX_STAGES || depth > MAX_DEPTH {
            return Err(BuildError::TooLarge { most: MAX_STAGES, depth: MAX_DEPTH });
        }
        let mut steps = Vec::with_capacity(configs.len());
        for (at, config) in configs.iter().enumerate() {
            let (stage, value) = single(config).ok_or(BuildError::Shape { at })?;
            self.stage(stage, value.clone(), depth, &mut steps).map_err(|source| BuildError::Stage {
                at,
                stage: stage.to_owned(),
                source,
            })?;
        }
        Ok(Pipeline { steps })
    }

    fn stage<T: Receipt>(
        &self,
        name: &str,
        config: Yaml,
        depth: usize,
        steps: &mut Vec<Step<T>>,
    ) -> Result<(), StageError> {
        let step = match name {
            "cri" => return cri(config, steps),
            "decolorize" => each(DecolorizeStage::new()?),
            "docker" => return docker(steps),
            "drop" => each(DropStage::new(config, &self.metrics)?),
            "eventlogmessage" => each(EventLogMessageStage::new(config)?),
            "json" => each(JsonStage::new(config)?),
            "labelallow" => each(LabelListStage::allow(config)?),
            "labeldrop" => each(LabelListStage::drop(config)?),
            "labels" => each(LabelsStage::new(config)?),
            "limit" => each(LimitStage::new(config, &self.metrics)?),
            "logfmt" => each(LogfmtStage::new(config)?),
            "match" => self.matching(config, depth)?,
            "metrics" => each(MetricsStage::new(config, &self.custom)?),
            "multiline" => Step::Hold(Box::new(MultilineStage::new(config)?)),
            "output" => each(OutputStage::new(config)?),
            "pack" => each(PackStage::new(config)?),
            "regex" => each(RegexStage::new(config)?),
            "replace" => each(ReplaceStage::new(config)?),
            "sampling" => each(SamplingStage::new(config, &self.metrics)?),
            "static_labels" => each(StaticLabelsStage::new(config)?),
            "structured_metadata" | "non_indexed_labels" => each(StructuredMetadataStage::new(config)?),
            "template" => each(TemplateStage::new(config)?),
            "tenant" => each(TenantStage::new(config)?),
            "timestamp" => each(TimestampStage::new(config)?),
            "geoip" => return Err(StageError::NotSupported("stage geoip".into())),
            _ => return Err(StageError::Unknown),
        };
        steps.push(step);
        Ok(())
    }

    fn matching<T: Receipt>(&self, config: Yaml, depth: usize) -> Result<Step<T>, StageError> {
        let MatchConfig { selector, stages, action, drop_counter_reason, .. } = stages::decode(config)?;
        let selector = selector
            .filter(|selector| !selector.is_empty())
            .ok_or_else(|| StageError::invalid("selector statement required for match stage"))?;
        let stages = stages.unwrap_or_default();
        match action.as_deref() {
            None | Some("" | "keep") if stages.is_empty() => Err(StageError::invalid(
                "match stage requires at least one additional stage to be defined in `stages`",
            )),
            None | Some("" | "keep") => {
                let selector = Selector::parse(&selector)?;
                let stages =
                    self.list(&stages, depth + 1).map_err(|error| StageError::Nested(Box::new(error)))?;
                Ok(Step::Match { selector, stages })
            }
            Some("drop") if !stages.is_empty() => {
                Err(StageError::invalid("match stage configured to drop entries cannot contain stages"))
            }
            Some("drop") => {
                let reason = drop_counter_reason.filter(|reason| !reason.is_empty());
                let dropped = self.metrics.dropped_counter(reason.as_deref().unwrap_or("match_stage"));
                Ok(Step::MatchDrop { selector: Selector::parse(&selector)?, dropped })
            }
            Some(_) => Err(StageError::invalid("match stage action should be 'keep' or 'drop'")),
        }
    }
}

fn each<T>(stage: impl Stage + 'static) -> Step<T> {
    Step::Each(Box::new(stage))
}

/// The one key of a stage and its value. A stage without options may be written as its name alone.
fn single(config: &Yaml) -> Option<(&str, &Yaml)> {
    let Yaml::Mapping(mapping) = config else { return None };
    let mut entries = mapping.iter();
    match (entries.next(), entries.next()) {
        (Some((Yaml::String(name), value)), None) => Some((name, value)),
        _ => None,
    }
}

fn docker<T>(steps: &mut Vec<Step<T>>) -> Result<(), StageError> {
    steps.extend([
        each(JsonStage::docker()?),
        each(LabelsStage::of("stream")),
        each(TimestampStage::rfc3339_nano("timestamp")),
        each(OutputStage::of("output")),
    ]);
    Ok(())
}

fn cri<T: Receipt>(config: Yaml, steps: &mut Vec<Step<T>>) -> Result<(), StageError> {
    steps.extend([
        each(stages::cri::fields()?),
        each(LabelsStage::of("stream")),
        each(TimestampStage::rfc3339_nano("time")),
        each(OutputStage::of("content")),
        Step::Hold(Box::new(JoinPartsStage::new(config)?)),
    ]);
    Ok(())
}
