//! The templates of a configuration, and running texts that call them.

use std::{collections::BTreeMap, io, path::PathBuf};

use template::{
    Clock, ExecError, Execution, Function, Kind, Limits, MissingKey, ParseError, Signature, TemplateSet,
    Value, functions::alertmanager,
};

use crate::Data;

/// The function by which templates ask for labels of the route.
const ROUTE_LABELS: &str = "routeLabels";
const ONE_TEXT: Signature = Signature::new(&[Kind::Str]);
/// How often route labels may refer to each other: more is a circle.
const MAX_ROUTE_LABEL_DEPTH: usize = 8;

/// Templates from files that texts of the configuration can call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Templates(TemplateSet);

/// Why templates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is no template.
    #[error("`{}` is no template", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ParseError,
    },
}

/// A text that does not run.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// It is no template.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It fails on the data.
    #[error(transparent)]
    Execute(#[from] ExecError),
}

impl Templates {
    /// Without any file.
    pub fn empty() -> Self {
        Self(TemplateSet::new(alertmanager::functions(&Clock::system())))
    }

    /// Reads files; later definitions of a name replace earlier ones.
    pub fn load(files: &[PathBuf]) -> Result<Self, TemplateError> {
        let mut templates = Self::empty();
        for path in files {
            let text = std::fs::read_to_string(path)
                .map_err(|source| TemplateError::Read { path: path.clone(), source })?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            templates
                .0
                .add(&name, &text)
                .map_err(|source| TemplateError::Parse { path: path.clone(), source })?;
        }
        Ok(templates)
    }

    /// Runs a text on notification data. Texts without `{{` are themselves.
    pub fn render(&self, name: &'static str, text: &str, data: &Data) -> Result<String, RenderError> {
        self.render_with(name, text, data, &data.route_labels)
    }

    /// Runs the labels of a route. A label may ask for others, in any order; one that fails is left out and told to `failed`.
    pub(crate) fn route_labels(
        &self,
        labels: &BTreeMap<String, String>,
        data: &Data,
        failed: impl Fn(&str, RenderError),
    ) -> BTreeMap<String, String> {
        let mut rendered: BTreeMap<String, String> = labels
            .iter()
            .filter(|(_, text)| !text.contains("{{"))
            .map(|(n, t)| (n.clone(), t.clone()))
            .collect();
        // Each round sees what the last one made, until nothing changes any more.
        let mut failures = Vec::new();
        for _ in 0..MAX_ROUTE_LABEL_DEPTH.min(labels.len()) {
            let before = rendered.clone();
            failures.clear();
            for (name, text) in labels.iter().filter(|(_, text)| text.contains("{{")) {
                match self.render_with("route label", text, data, &before) {
                    Ok(text) => drop(rendered.insert(name.clone(), text)),
                    Err(error) => failures.push((name, error)),
                }
            }
            if rendered == before {
                break;
            }
        }
        failures.into_iter().for_each(|(name, error)| failed(name, error));
        rendered
    }

    fn render_with(
        &self,
        name: &'static str,
        text: &str,
        data: &Data,
        route_labels: &BTreeMap<String, String>,
    ) -> Result<String, RenderError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let route_labels = route_labels.clone();
        let ask = Function::new(ONE_TEXT, move |call| {
            Ok(Value::from(route_labels.get(call.str(0)).map_or("", String::as_str)))
        });
        let execution = Execution {
            limits: Limits::default(),
            missing_key: MissingKey::Zero,
            bindings: &[(ROUTE_LABELS, ask)],
        };
        Ok(self.0.template(name, text)?.execute(&data.to_value(), &execution)?)
    }
}
