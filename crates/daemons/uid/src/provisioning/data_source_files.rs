//! `datasources/*.yml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use config::{ConfigError, Inert, Secret, SourceFile, Warnings, null_as_default};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    ProvisioningError, files,
    values::{Scalar, object},
};
use crate::{
    model::{DataSource, uid_of_name},
    store::DataSources,
};

/// A data source that the program brings along; a file may say otherwise about the same name.
#[derive(Debug, Clone)]
pub struct BundledDataSource {
    /// Its name.
    pub name: String,
    /// `prometheus`, `loki`, `alertmanager`.
    pub kind: String,
    /// Its uid.
    pub uid: String,
    /// Where it is.
    pub url: String,
    /// Whether panels without a data source use it.
    pub is_default: bool,
    /// Settings.
    pub json_data: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct File {
    #[serde(rename = "apiVersion")]
    _api_version: Scalar,
    prune: Scalar,
    #[serde(deserialize_with = "null_as_default")]
    delete_datasources: Vec<Delete>,
    #[serde(deserialize_with = "null_as_default")]
    datasources: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Delete {
    name: Scalar,
    org_id: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Entry {
    name: Scalar,
    #[serde(rename = "type")]
    kind: Scalar,
    access: Scalar,
    org_id: Scalar,
    uid: Scalar,
    url: Scalar,
    user: Scalar,
    password: Inert,
    database: Scalar,
    basic_auth: Scalar,
    basic_auth_user: Scalar,
    basic_auth_password: Inert,
    with_credentials: Scalar,
    is_default: Scalar,
    json_data: Option<serde_yaml::Value>,
    secure_json_data: Option<serde_yaml::Value>,
    version: Scalar,
    editable: Scalar,
    correlations: Inert,
}

/// What the files want.
#[derive(Debug, Default)]
pub(super) struct Plan {
    delete: Vec<String>,
    sources: Vec<DataSource>,
    prune: bool,
}

/// Reads all files of the folder.
pub(super) fn read(
    dir: &Path,
    environment: &BTreeMap<String, String>,
    bundled: &[BundledDataSource],
    warnings: &mut Warnings,
) -> Result<Plan, ConfigError> {
    let mut plan = Plan::default();
    let files = files::list(dir).map_err(|error| ConfigError::unreadable(dir, error))?;
    for path in files {
        let source = SourceFile::read(&path)?;
        let file: File = source.parse()?;
        plan.add_file(&path, file, environment, warnings)
            .map_err(|message| ConfigError::of(&path, message))?;
    }
    let named: BTreeSet<_> = plan.sources.iter().map(|source| source.name.clone()).collect();
    let has_default = plan.sources.iter().any(|source| source.is_default);
    plan.sources.extend(bundled.iter().filter(|bundled| !named.contains(&bundled.name)).map(|bundled| {
        let mut source = of_bundled(bundled);
        source.is_default &= !has_default;
        source
    }));
    if plan.sources.iter().filter(|source| source.is_default).count() > 1 {
        return Err(ConfigError::of(dir, "only one data source can be marked as default"));
    }
    Ok(plan)
}

impl Plan {
    fn add_file(
        &mut self,
        path: &Path,
        file: File,
        environment: &BTreeMap<String, String>,
        warnings: &mut Warnings,
    ) -> Result<(), String> {
        self.prune |= file.prune.flag(environment, false)?;
        for (at, delete) in file.delete_datasources.into_iter().enumerate() {
            let key = |message| format!("deleteDatasources[{at}]: {message}");
            if delete.org_id.number(environment, 1).map_err(key)? == 1 {
                self.delete.push(delete.name.text(environment).map_err(key)?);
            }
        }
        for (at, entry) in file.datasources.into_iter().enumerate() {
            let prefix = format!("{}: datasources[{at}]", path.display());
            let source = entry
                .into_source(&prefix, environment, warnings)
                .map_err(|message| format!("datasources[{at}].{message}"))?;
            if let Some(source) = source {
                if let Some(other) = self.sources.iter().find(|other| other.name == source.name) {
                    return Err(format!("datasources[{at}].name: {:?} is there already", other.name));
                }
                self.sources.push(source);
            }
        }
        Ok(())
    }

    /// Makes it so: removals first.
    pub(super) fn apply(self, stores: &DataSources) -> Result<(), ProvisioningError> {
        let Self { delete, sources, prune } = self;
        let wanted: BTreeSet<_> = sources.iter().map(|source| source.name.as_str()).collect();
        for source in stores.list() {
            let pruned = prune && source.read_only && !wanted.contains(source.name.as_str());
            let removed = delete.contains(&source.name) && !wanted.contains(source.name.as_str());
            if pruned || removed {
                stores.remove(source.id).map_err(|error| of(&source.name, error))?;
            }
        }
        for source in sources {
            let name = source.name.clone();
            stores.provision(source).map_err(|error| of(&name, error))?;
        }
        Ok(())
    }
}

fn of(name: &str, source: crate::store::DataSourceError) -> ProvisioningError {
    ProvisioningError::DataSource { name: name.to_owned(), source }
}

impl Entry {
    /// The data source, or none for another organisation. An error begins with the key.
    fn into_source(
        self,
        prefix: &str,
        environment: &BTreeMap<String, String>,
        warnings: &mut Warnings,
    ) -> Result<Option<DataSource>, String> {
        let text = |key: &str, scalar: &Scalar| {
            scalar.text(environment).map_err(|message| format!("{key}: {message}"))
        };
        let flag = |key: &str, scalar: &Scalar, default| {
            scalar.flag(environment, default).map_err(|message| format!("{key}: {message}"))
        };
        let number = |key: &str, scalar: &Scalar, default| {
            scalar.number(environment, default).map_err(|message| format!("{key}: {message}"))
        };
        let mut own = Warnings::new();
        own.retired("password", &self.password, "write it as secureJsonData.password");
        own.retired(
            "basicAuthPassword",
            &self.basic_auth_password,
            "write it as secureJsonData.basicAuthPassword",
        );
        own.not_acted_on("correlations", &self.correlations);
        // The original only compares it with what it has; we compare everything.
        number("version", &self.version, 1)?;
        let org = number("orgId", &self.org_id, 1)?;
        if org > 1 {
            own.push("orgId", format!("not supported yet: organisation {org}; there is one, numbered 1"));
        }
        warnings.extend(prefix, own);
        if org > 1 {
            return Ok(None);
        }
        let (name, kind) = (text("name", &self.name)?, text("type", &self.kind)?);
        if name.is_empty() {
            return Err("name: it must not be empty".into());
        }
        if kind.is_empty() {
            return Err("type: it must not be empty".into());
        }
        let access = match text("access", &self.access)?.as_str() {
            "" | "proxy" => "proxy".to_owned(),
            "direct" => "direct".to_owned(),
            other => return Err(format!("access: {other:?} is not proxy or direct")),
        };
        let uid = text("uid", &self.uid)?;
        let secure_json_data = object(self.secure_json_data.as_ref(), environment)
            .map_err(|message| format!("secureJsonData: {message}"))?
            .into_iter()
            .map(|(key, value)| {
                let secret = match value {
                    Value::String(text) => Secret::new(text),
                    Value::Null => Secret::default(),
                    other => Secret::new(other.to_string()),
                };
                (key, secret)
            })
            .collect();
        Ok(Some(DataSource {
            id: 0,
            uid: if uid.is_empty() { uid_of_name(&name) } else { uid },
            name,
            kind,
            access,
            url: text("url", &self.url)?,
            user: text("user", &self.user)?,
            database: text("database", &self.database)?,
            basic_auth: flag("basicAuth", &self.basic_auth, false)?,
            basic_auth_user: text("basicAuthUser", &self.basic_auth_user)?,
            with_credentials: flag("withCredentials", &self.with_credentials, false)?,
            is_default: flag("isDefault", &self.is_default, false)?,
            json_data: object(self.json_data.as_ref(), environment)
                .map_err(|message| format!("jsonData: {message}"))?,
            secure_json_data,
            version: 1,
            read_only: !flag("editable", &self.editable, false)?,
        }))
    }
}

fn of_bundled(bundled: &BundledDataSource) -> DataSource {
    let BundledDataSource { name, kind, uid, url, is_default, json_data } = bundled.clone();
    DataSource {
        id: 0,
        uid,
        name,
        kind,
        access: "proxy".into(),
        url,
        user: String::new(),
        database: String::new(),
        basic_auth: false,
        basic_auth_user: String::new(),
        with_credentials: false,
        is_default,
        json_data,
        secure_json_data: BTreeMap::new(),
        version: 1,
        read_only: true,
    }
}
