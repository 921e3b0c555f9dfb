//! `alertmanager.yml`: its shape in `file`, and what it means.

mod file;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use config::{ConfigError, SourceFile, Warnings};
use notify::{BuildContext, ReceiverFile, Setup, Templates};
use routing::{InhibitRule, MatcherMode, RouteTree, TimeInterval};
use service::report;

use file::AlertmanagerFile;

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file, read again at every reload.
    File(PathBuf),
    /// A text. Paths in it are relative to the working folder.
    Text(String),
}

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// After how long an alert without an end counts as over.
    pub resolve_timeout: Duration,
    /// The route tree.
    pub tree: Arc<RouteTree>,
    /// The receivers.
    pub receivers: Vec<ReceiverFile>,
    /// What does not act, or not as one may think.
    pub warnings: Warnings,
    /// The file, secrets hidden: what `/api/v2/status` shows.
    pub shown: String,
    global: notify::GlobalConfig,
    inhibit_rules: Vec<InhibitRule>,
    time_intervals: HashMap<String, Vec<TimeInterval>>,
    templates: Templates,
    path: PathBuf,
}

impl ConfigSource {
    fn read(&self) -> Result<SourceFile, ConfigError> {
        match self {
            Self::File(path) => SourceFile::read(path),
            Self::Text(text) => {
                Ok(SourceFile { path: PathBuf::from("alertmanager.yml"), text: text.clone() })
            }
        }
    }
}

impl Config {
    /// Reads and checks a configuration and the templates that it names.
    pub fn load(source: &ConfigSource, mode: MatcherMode) -> Result<Self, ConfigError> {
        Self::of(&source.read()?, mode)
    }

    fn of(source: &SourceFile, mode: MatcherMode) -> Result<Self, ConfigError> {
        let file: AlertmanagerFile = source.parse()?;
        let refuse = |text: String| ConfigError::of(&source.path, text);
        let mut warnings = Warnings::new();
        file.warn(&mut warnings);
        let Some(route) = &file.route else { return Err(refuse("no route provided in config".into())) };
        let global = file.global.clone().unwrap_or_default();
        global.check().map_err(|text| refuse(format!("global: {text}")))?;
        let mut names = HashSet::new();
        for receiver in &file.receivers {
            let name = &receiver.name;
            if !names.insert(name.as_str()) {
                return Err(refuse(format!("notification config name {name:?} is not unique")));
            }
            receiver
                .check(&global, &mut warnings)
                .map_err(|error| refuse(format!("receiver {name:?}: {}", report(&error))))?;
        }
        let tree = RouteTree::build(route, mode, &mut warnings).map_err(|error| refuse(error.to_string()))?;
        let time_intervals = file.named_intervals().map_err(&refuse)?;
        tree.check_names(|name| names.contains(name), |name| time_intervals.contains_key(name))
            .map_err(|error| refuse(error.to_string()))?;
        let inhibit_rules = file
            .inhibit_rules
            .iter()
            .map(|rule| rule.compile(mode, &mut warnings).map_err(|error| refuse(error.to_string())))
            .collect::<Result<_, _>>()?;
        let template_files = resolve(&file.templates, base_dir(&source.path)).map_err(&refuse)?;
        let templates = Templates::load(&template_files)
            .map_err(|error| refuse(format!("templates: {}", report(&error))))?;
        let config = Self {
            resolve_timeout: global.resolve_timeout(),
            tree: Arc::new(tree),
            shown: serde_yaml::to_string(&file)
                .unwrap_or_else(|error| format!("# cannot be shown: {error}\n")),
            receivers: file.receivers,
            warnings,
            global,
            inhibit_rules,
            time_intervals,
            templates,
            path: source.path.clone(),
        };
        // What does not build must not be put in force.
        config.setup("").map(|_| config)
    }

    /// What the engine needs. Files with certificates are read now.
    pub(crate) fn setup(&self, user_agent: &str) -> Result<Setup, ConfigError> {
        let context = BuildContext {
            global: &self.global,
            base_dir: base_dir(&self.path),
            templates: &self.templates,
            user_agent,
        };
        let mut receivers = HashMap::new();
        for receiver in &self.receivers {
            let integrations = receiver.build(&context).map_err(|error| {
                ConfigError::of(&self.path, format!("receiver {:?}: {}", receiver.name, report(&error)))
            })?;
            receivers.insert(receiver.name.clone(), integrations);
        }
        Ok(Setup {
            tree: Arc::clone(&self.tree),
            receivers,
            inhibit_rules: self.inhibit_rules.clone(),
            time_intervals: self.time_intervals.clone(),
            templates: self.templates.clone(),
        })
    }
}

fn base_dir(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The files that patterns name, relative to the configuration's folder. A pattern that names nothing is no mistake.
fn resolve(patterns: &[String], base_dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for pattern in patterns {
        let full = base_dir.join(pattern);
        let fail = |error: &dyn std::error::Error| format!("templates: {pattern:?}: {error}");
        for file in glob::glob(&full.to_string_lossy()).map_err(|error| fail(&error))? {
            files.push(file.map_err(|error| fail(&error))?);
        }
    }
    Ok(files)
}
