//! Files into the catalog and the data sources.

use std::{fs, path::Path};

use state::MemoryStore;

use super::*;
use crate::{clock::Clock, store::Stores};

struct Setup {
    dir: tempfile::TempDir,
    stores: Arc<Stores>,
}

impl Setup {
    fn new() -> Self {
        let store: Arc<dyn state::StateStore> = Arc::new(MemoryStore::new());
        let stores = Arc::new(Stores::open(&store, &Clock::system()).expect("opens"));
        let dir = tempfile::tempdir().expect("a folder");
        for section in ["datasources", "dashboards", "files"] {
            fs::create_dir(dir.path().join(section)).expect("made");
        }
        Self { dir, stores }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("made");
        fs::write(path, text).expect("written");
    }

    fn provisioning(&self, variables: &[(&str, &str)]) -> Provisioning {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Provisioning::new(self.dir.path().to_owned(), environment, Vec::new(), self.stores.clone())
    }

    /// What the catalog has: `folder/uid title`.
    fn dashboards(&self) -> Vec<String> {
        let catalog = &self.stores.catalog;
        let title = |uid: &str| catalog.folder(uid).map_or_else(String::new, |folder| folder.title.clone());
        let mut all: Vec<_> = catalog
            .dashboards()
            .iter()
            .map(|dashboard| {
                format!("{}/{} {}", title(&dashboard.folder_uid), dashboard.uid, dashboard.title)
            })
            .collect();
        all.sort();
        all
    }

    fn provider(&self, more: &str) {
        let path = self.dir.path().join("files");
        self.write(
            "dashboards/p.yml",
            &format!("apiVersion: 1\nproviders:\n- name: p\n{more}  options:\n    path: {}\n    foldersFromFilesStructure: true\n", path.display()),
        );
    }
}

#[test]
fn data_sources_take_variables_and_keep_secrets_apart() {
    let setup = Setup::new();
    setup.write(
        "datasources/a.yml",
        "apiVersion: 1\ndatasources:\n- name: Metrics\n  type: prometheus\n  url: http://${HOST}:9090\n  isDefault: $YES\n  basicAuth: true\n  \
         basicAuthUser: u\n  jsonData: {timeInterval: $STEP, derivedFields: [{url: '$${__value.raw}'}]}\n  secureJsonData:\n    basicAuthPassword: $PW\n",
    );
    let provisioning =
        setup.provisioning(&[("HOST", "m"), ("YES", "true"), ("STEP", "30s"), ("PW", "hunter2")]);
    let warnings = provisioning.load_data_sources().unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let source = setup.stores.data_sources.by_name("Metrics").unwrap();
    assert_eq!(source.url, "http://m:9090");
    assert_eq!(source.setting("timeInterval").as_deref(), Some("30s"));
    assert_eq!(source.json_data["derivedFields"][0]["url"], "${__value.raw}");
    assert_eq!(source.secret("basicAuthPassword").map(config::Secret::expose), Some("hunter2"));
    assert!(source.is_default && source.read_only);
    assert!(!format!("{source:?}").contains("hunter2"));
    provisioning.load_data_sources().unwrap();
    assert_eq!(setup.stores.data_sources.by_name("Metrics").unwrap().version, 1, "nothing changed");
}

#[test]
fn files_remove_data_sources() {
    let setup = Setup::new();
    setup.write("datasources/a.yml", "datasources: [{name: A, type: loki}, {name: B, type: loki}]");
    setup.provisioning(&[]).load_data_sources().unwrap();
    setup.write("datasources/a.yml", "deleteDatasources: [{name: B}]\ndatasources: [{name: C, type: loki}]");
    setup.provisioning(&[]).load_data_sources().unwrap();
    let names =
        || setup.stores.data_sources.list().iter().map(|source| source.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(), ["A", "C"]);
    setup.write("datasources/a.yml", "prune: true\ndatasources: [{name: C, type: loki}]");
    setup.provisioning(&[]).load_data_sources().unwrap();
    assert_eq!(names(), ["C"]);
}

#[test]
fn mistakes_name_their_place() {
    let check = |file: &str, text: &str, want: &str| {
        let setup = Setup::new();
        setup.write(file, text);
        let provisioning = setup.provisioning(&[]);
        let error = match provisioning.load_data_sources() {
            Ok(_) => provisioning.load_dashboards().map(|_| ()).expect_err(text),
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(text.ends_with(want), "{text}\nwanted: {want}");
    };
    check(
        "datasources/a.yml",
        "datasources:\n- name: A\n  typo: x\n",
        "a.yml:3:3: datasources[0]: unknown field `typo`, expected one of `name`, `type`, `access`, `orgId`, `uid`, `url`, `user`, \
         `password`, `database`, `basicAuth`, `basicAuthUser`, `basicAuthPassword`, `withCredentials`, `isDefault`, `jsonData`, \
         `secureJsonData`, `version`, `editable`, `correlations`",
    );
    check(
        "datasources/a.yml",
        "datasources: [{name: A}]",
        "a.yml: datasources[0].type: it must not be empty",
    );
    check(
        "datasources/a.yml",
        "datasources: [{name: A, type: t, isDefault: maybe}]",
        "a.yml: datasources[0].isDefault: \"maybe\" is not true or false",
    );
    check(
        "datasources/a.yml",
        "datasources: [{name: A, type: t, isDefault: true}, {name: B, type: t, isDefault: true}]",
        "datasources: only one data source can be marked as default",
    );
    check(
        "dashboards/a.yml",
        "providers: [{name: p}]",
        "a.yml: providers[0].options.path: it must not be empty",
    );
    check(
        "dashboards/a.yml",
        "providers: [{name: p, type: git}]",
        "a.yml: providers[0].type: \"git\" is not file",
    );
}

#[test]
fn other_sections_are_named() {
    let setup = Setup::new();
    fs::create_dir(setup.dir.path().join("plugins")).unwrap();
    setup.write("alerting/rules.yml", "groups: []");
    let mut warnings = Warnings::new();
    setup.provisioning(&[]).warn_of_other_sections(&mut warnings);
    let all: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].ends_with("alerting: not supported yet: the files of this section are not read"),
        "{all:?}"
    );
}

#[test]
fn a_folder_is_followed() {
    let setup = Setup::new();
    setup.provider("  folder: Mine\n");
    setup.write("files/a.json", r#"{"uid":"a","title":"A"}"#);
    setup.write("files/Team/b.json", r#"{"title":"B"}"#);
    setup.write("files/.hidden/c.json", r#"{"title":"C"}"#);
    setup.write("files/note.txt", "no dashboard");
    let provisioning = setup.provisioning(&[]);
    provisioning.load_dashboards().unwrap();
    let folder = provisioning.folders.lock()[0].clone();
    let scan = || folder.lock().scan(&setup.stores.catalog);
    let b = stable_uid_of_b();
    assert_eq!(setup.dashboards(), ["Mine/a A".to_owned(), format!("Team/{b} B")]);

    setup.write("files/a.json", r#"{"uid":"a","title":"A, changed"}"#);
    setup.write("files/Team/b.json", "{ half");
    scan();
    assert_eq!(setup.dashboards(), ["Mine/a A, changed".to_owned(), format!("Team/{b} B")]);
    assert_eq!(setup.stores.catalog.dashboard("a").unwrap().version, 2);

    // A half-written file at a start does not take the dashboard either.
    provisioning.load_dashboards().unwrap();
    assert_eq!(setup.dashboards().len(), 2);

    setup.write("files/z.json", r#"{"uid":"a","title":"Twin"}"#);
    fs::remove_file(setup.dir.path().join("files/Team/b.json")).unwrap();
    scan();
    assert_eq!(setup.dashboards(), ["Mine/a A, changed"]);

    fs::rename(setup.dir.path().join("files"), setup.dir.path().join("elsewhere")).unwrap();
    scan();
    assert_eq!(setup.dashboards(), ["Mine/a A, changed"], "an unreadable folder removes nothing");
}

fn stable_uid_of_b() -> String {
    crate::model::stable_uid("dashboard p Team/b.json")
}

#[test]
fn dashboards_stay_when_told_so() {
    let setup = Setup::new();
    setup.provider("  disableDeletion: true\n");
    setup.write("files/a.json", r#"{"uid":"a","title":"A"}"#);
    let provisioning = setup.provisioning(&[]);
    provisioning.load_dashboards().unwrap();
    fs::remove_file(setup.dir.path().join("files/a.json")).unwrap();
    provisioning.load_dashboards().unwrap();
    assert_eq!(setup.stores.catalog.dashboard("a").unwrap().provisioned, None);
}

#[test]
fn config_map_links_are_followed() {
    let setup = Setup::new();
    setup.provider("");
    setup.write("files/..2026/a.json", r#"{"uid":"a","title":"A"}"#);
    std::os::unix::fs::symlink("..2026", setup.dir.path().join("files/..data")).unwrap();
    std::os::unix::fs::symlink("..data/a.json", setup.dir.path().join("files/a.json")).unwrap();
    setup.provisioning(&[]).load_dashboards().unwrap();
    assert_eq!(setup.dashboards(), ["/a A"]);
}

#[test]
fn bundled_ones_give_way_to_files() {
    let setup = Setup::new();
    setup.write("datasources/a.yml", "datasources: [{name: Prometheus, type: prometheus, url: http://mine}]");
    let bundled = |name: &str, is_default| BundledDataSource {
        name: name.into(),
        kind: "prometheus".into(),
        uid: name.to_lowercase(),
        url: "http://ours".into(),
        is_default,
        json_data: serde_json::Map::new(),
    };
    let provisioning = Provisioning::new(
        setup.dir.path().to_owned(),
        BTreeMap::new(),
        vec![bundled("Prometheus", true), bundled("Other", false)],
        setup.stores.clone(),
    );
    provisioning.load_data_sources().unwrap();
    let url = |name: &str| setup.stores.data_sources.by_name(name).unwrap().url.clone();
    assert_eq!((url("Prometheus"), url("Other")), ("http://mine".into(), "http://ours".into()));

    setup.provider("");
    setup.write("files/a.json", r#"{"uid":"a","title":"A"}"#);
    provisioning.load_dashboards().unwrap();
    let dashboard = |uid: &str| BundledDashboard {
        folder: "Ours".into(),
        file: format!("{uid}.json"),
        json: format!(r#"{{"uid":"{uid}","title":"ours {uid}"}}"#),
    };
    provisioning.load_bundled_dashboards(&[dashboard("a"), dashboard("b")]);
    assert_eq!(setup.dashboards(), ["/a A", "Ours/b ours b"]);
}
