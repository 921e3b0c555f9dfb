//! Where a setting's value comes from: default, `grafana.ini`, environment, command line; the later wins.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{ConfigError, SourceFile, Warnings, expand_values};

use super::{
    ini,
    table::{self, Effect},
};

/// What settings are read from. Nothing is read from the process' own environment.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Environment variables; those that begin with `GF_` are settings, the others can be referred to in files.
    pub environment: BTreeMap<String, String>,
    /// `grafana.ini`. `GF_PATHS_CONFIG` is used when there is none.
    pub file: Option<PathBuf>,
    /// The folder that relative paths start at. `GF_PATHS_HOME` is used when there is none, else the current folder.
    pub home: Option<PathBuf>,
    /// Values that win over all others, as `section.key`.
    pub overrides: BTreeMap<String, String>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file does not hold.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A value does not hold.
    #[error("{origin}: {message}")]
    Value {
        /// Where the value stands: a variable's name, or file and line.
        origin: String,
        /// What is wrong and what is expected.
        message: String,
    },
}

/// A value and where it stands.
#[derive(Debug, Clone)]
struct Found {
    value: String,
    origin: String,
}

/// All values, by section and key.
#[derive(Debug)]
pub(super) struct Values {
    found: BTreeMap<(&'static str, &'static str), Found>,
    pub(super) home: PathBuf,
    pub(super) warnings: Warnings,
}

impl Sources {
    /// A variable, or the content of the file that `<name>__FILE` names.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }
}

impl Values {
    pub(super) fn read(sources: &Sources) -> Result<Self, SettingsError> {
        let home = sources
            .home
            .clone()
            .or_else(|| sources.variable("GF_PATHS_HOME").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("."));
        let mut values = Self { found: BTreeMap::new(), home, warnings: Warnings::new() };
        let file = sources.file.clone().or_else(|| {
            sources.variable("GF_PATHS_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
        });
        if let Some(file) = file {
            values.add_file(&file, sources)?;
        }
        values.add_environment(sources)?;
        for (name, value) in &sources.overrides {
            let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
            values.add(section, key, value.clone(), format!("cfg:{name}"));
        }
        Ok(values)
    }

    fn add_file(&mut self, path: &Path, sources: &Sources) -> Result<(), SettingsError> {
        let SourceFile { path, text } = SourceFile::read(path)?;
        for entry in ini::read(&path, &text)? {
            let origin = format!("{}:{}", path.display(), entry.line);
            let value = expand_ini(&entry.value, &sources.environment)
                .map_err(|message| SettingsError::Value { origin: origin.clone(), message })?;
            self.add(&entry.section, &entry.key, value, origin);
        }
        Ok(())
    }

    fn add_environment(&mut self, sources: &Sources) -> Result<(), SettingsError> {
        for (name, value) in &sources.environment {
            if !name.starts_with("GF_") {
                continue;
            }
            if let Some((_, text)) = table::CONTAINER_VARIABLES.iter().find(|(known, _)| known == name) {
                if !value.is_empty() {
                    self.warnings.push(name, *text);
                }
                continue;
            }
            let (plain, value) = match name.strip_suffix("__FILE") {
                Some(plain) => (plain, read_secret_file(name, value)?),
                None => (name.as_str(), value.clone()),
            };
            match table::find_variable(plain) {
                Some(setting) => self.add(setting.section, setting.key, value, name.clone()),
                None => match table::section_of_variable(plain) {
                    Some(section) => self.warnings.push(
                        name,
                        format!("not supported yet: this setting of section [{section}] has no effect"),
                    ),
                    None => self.warnings.push(name, "unknown setting, it has no effect"),
                },
            }
        }
        Ok(())
    }

    fn add(&mut self, section: &str, key: &str, value: String, origin: String) {
        let Some(setting) = table::find(section, key) else {
            let known = table::SECTIONS_NOT_YET
                .iter()
                .any(|known| section == *known || section.starts_with(&format!("{known}.")));
            let text = if known {
                "not supported yet: the setting has no effect"
            } else {
                "unknown setting, it has no effect"
            };
            self.warnings.push(format!("{origin}: [{section}] {key}"), text);
            return;
        };
        if let Effect::Instead(instead) = setting.effect
            && !value.is_empty()
        {
            self.warnings.push(&origin, format!("[{section}] {key} has no effect: {instead}"));
        }
        // Grafana too reads an empty variable as one that is not set.
        if !value.is_empty() {
            self.found.insert((setting.section, setting.key), Found { value, origin });
        }
    }

    /// The value, or the table's default.
    pub(super) fn text(&self, section: &'static str, key: &'static str) -> String {
        match self.found.get(&(section, key)) {
            Some(found) => found.value.clone(),
            None => table::find(section, key).map_or_else(String::new, |setting| setting.default.to_owned()),
        }
    }

    /// The value if it was set.
    pub(super) fn set(&self, section: &'static str, key: &'static str) -> Option<&str> {
        self.found.get(&(section, key)).map(|found| found.value.as_str())
    }

    /// The value as something else; the error names where it stands.
    pub(super) fn parse<T>(
        &self,
        section: &'static str,
        key: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, SettingsError> {
        let text = self.text(section, key);
        read(&text).ok_or_else(|| {
            self.error(section, key, format!("[{section}] {key} is {text:?}, expected {expected}"))
        })
    }

    pub(super) fn error(
        &self,
        section: &'static str,
        key: &'static str,
        message: impl Into<String>,
    ) -> SettingsError {
        let origin = match self.found.get(&(section, key)) {
            Some(found) => found.origin.clone(),
            None => table::environment_name(section, key),
        };
        SettingsError::Value { origin, message: message.into() }
    }

    pub(super) fn flag(&self, section: &'static str, key: &'static str) -> Result<bool, SettingsError> {
        self.parse(section, key, parse_bool, "true or false")
    }

    pub(super) fn path(&self, section: &'static str, key: &'static str) -> PathBuf {
        self.home.join(self.text(section, key))
    }
}

pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn read_secret_file(name: &str, path: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(
        |error| SettingsError::Value {
            origin: name.to_owned(),
            message: format!("cannot read `{path}`: {error}"),
        },
    )
}

/// Replaces `$__env{NAME}`, `$__file{/path}`, `$NAME`, `${NAME}`; `$$` is a dollar sign. An unset variable becomes empty. For
/// provisioned values.
pub(crate) fn expand_references(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<String, String> {
    expand(text, environment, |part| expand_values(part, |name| environment.get(name).cloned()))
}

/// Replaces `$__env{NAME}`, `$__file{/path}`, `${NAME}`: dollar signs alone are plain in `grafana.ini`, many a password has one.
fn expand_ini(text: &str, environment: &BTreeMap<String, String>) -> Result<String, String> {
    expand(text, environment, |part| {
        let mut out = String::new();
        let mut rest = part;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                break;
            };
            out.push_str(environment.get(name).map(String::as_str).unwrap_or_default());
            rest = tail;
        }
        out + rest
    })
}

fn expand(
    text: &str,
    environment: &BTreeMap<String, String>,
    plain: impl Fn(&str) -> String,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = ["$__env{", "$__file{"]
            .into_iter()
            .filter_map(|mark| find_unescaped(rest, mark).map(|at| (at, mark)))
            .min();
        let Some((at, mark)) = next else { break };
        let inside = rest.get(at + mark.len()..).unwrap_or_default();
        let Some((name, tail)) = inside.split_once('}') else { break };
        out.push_str(&plain(rest.get(..at).unwrap_or_default()));
        match mark {
            "$__env{" => out.push_str(environment.get(name).map(String::as_str).unwrap_or_default()),
            _ => out.push_str(
                std::fs::read_to_string(name)
                    .map_err(|error| format!("cannot read `{name}`: {error}"))?
                    .trim_end(),
            ),
        }
        rest = tail;
    }
    out.push_str(&plain(rest));
    Ok(out)
}

/// Where `mark` stands with an even number of dollar signs before it.
fn find_unescaped(text: &str, mark: &str) -> Option<usize> {
    text.match_indices(mark).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).unwrap_or_default();
        before.bytes().rev().take_while(|byte| *byte == b'$').count() % 2 == 0
    })
}
