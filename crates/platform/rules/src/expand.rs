//! Templates in labels and annotations of alerts.

use std::sync::Arc;

use model::{Labels, Millis};
use template::{
    Execution, Functions, Template, Value,
    functions::prometheus::{Host, Sample, functions},
};

use crate::Evaluator;

/// Names that templates may use without declaring them.
const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// What templates know of the daemon.
#[derive(Debug, Clone, Default)]
pub struct ExpandContext {
    /// `external_labels` of the configuration.
    pub external_labels: Labels,
    /// `--web.external-url`.
    pub external_url: String,
}

/// Whether a text is a template; the error is the template language's own.
pub(crate) fn check(text: &str) -> Result<(), String> {
    parse(text, &functions()).map(drop).map_err(|error| error.to_string())
}

fn parse(text: &str, functions: &Functions) -> Result<Template, template::ParseError> {
    Template::parse("__alert", &format!("{DEFINITIONS}{text}"), functions)
}

/// Expands the templates of one alert. A template that fails becomes a text that says so: the alert fires all the same.
pub(crate) struct Expander {
    functions: Functions,
    bindings: Vec<(&'static str, template::Function)>,
    external_labels: Value,
    external_url: Value,
}

impl Expander {
    pub(crate) fn new(context: &ExpandContext, evaluator: Arc<dyn Evaluator>, at: Millis) -> Self {
        let path_prefix =
            url::Url::parse(&context.external_url).map(|url| url.path().to_owned()).unwrap_or_default();
        let host = Host {
            now: at as f64 / 1000.0,
            external_url: context.external_url.clone(),
            path_prefix,
            query: Arc::new(move |expression: &str| {
                let samples = evaluator.evaluate(expression, at).map_err(|error| error.to_string())?;
                Ok(samples
                    .into_iter()
                    .map(|sample| Sample::new(pairs(&sample.labels), Value::Float(sample.value)))
                    .collect())
            }),
        };
        Self {
            functions: functions(),
            bindings: host.bindings(),
            external_labels: Value::strings(pairs(&context.external_labels)),
            external_url: Value::from(context.external_url.as_str()),
        }
    }

    pub(crate) fn expand(&self, text: &str, labels: &Labels, value: f64) -> String {
        // Most labels and annotations are plain text.
        if !text.contains("{{") {
            return text.to_owned();
        }
        let data = Value::map([
            ("Labels".into(), Value::strings(pairs(labels))),
            ("ExternalLabels".into(), self.external_labels.clone()),
            ("ExternalURL".into(), self.external_url.clone()),
            ("Value".into(), Value::Float(value)),
        ]);
        let bindings: Vec<_> =
            self.bindings.iter().map(|(name, function)| (*name, function.clone())).collect();
        let execution = Execution {
            bindings: &bindings,
            missing_key: template::MissingKey::Zero,
            ..Execution::default()
        };
        let expanded = match parse(text, &self.functions) {
            Err(error) => Err(error.to_string()),
            Ok(template) => template.execute(&data, &execution).map_err(|error| error.to_string()),
        };
        expanded.unwrap_or_else(|error| format!("<error expanding template: {error}>"))
    }
}

fn pairs(labels: &Labels) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
    labels.iter().map(|(name, value)| (name.into(), value.into()))
}
