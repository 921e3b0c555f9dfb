//! Settings from files and environment.

use std::{collections::BTreeMap, path::Path};

use super::*;

fn sources(variables: &[(&str, &str)]) -> Sources {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

fn load(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
    let (settings, warnings) = Settings::load(&sources(variables)).expect("settings hold");
    (settings, warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn defaults() {
    let (settings, warnings) = load(&[]);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(settings.server.listen_address, ":3000");
    assert_eq!(settings.server.root_url.as_str(), "http://localhost:3000/");
    assert_eq!(settings.server.sub_path, "");
    assert_eq!(settings.paths.provisioning, Path::new("./conf/provisioning"));
    assert!(settings.security.admin_password.is_none());
    assert_eq!(settings.auth.maximum_inactive_lifetime.as_secs(), 7 * 86_400);
    assert!(settings.auth.anonymous.is_none());
}

#[test]
fn environment_of_a_running_stack() {
    let (settings, warnings) = load(&[
        ("GF_SERVER_ROOT_URL", "https://stats.example.org"),
        ("GF_SERVER_DOMAIN", "stats.example.org"),
        ("GF_SECURITY_ADMIN_USER", "root"),
        ("GF_SECURITY_ADMIN_PASSWORD", "secret"),
        ("GF_USERS_ALLOW_SIGN_UP", "false"),
        ("GF_INSTALL_PLUGINS", "grafana-clock-panel"),
        ("GF_AUTH_ANONYMOUS_ENABLED", "false"),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
        ("PATH", "/bin"),
    ]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("GF_INSTALL_PLUGINS: retired: "), "{warnings:?}");
    assert_eq!(settings.server.root_url.as_str(), "https://stats.example.org/");
    assert!(settings.security.cookie_secure);
    assert_eq!(settings.security.admin_user, "root");
}

#[test]
fn sub_path_follows_the_root_url() {
    let (settings, _) = load(&[("GF_SERVER_ROOT_URL", "%(protocol)s://%(domain)s/graphs")]);
    assert_eq!(settings.server.sub_path, "/graphs");
    assert_eq!(settings.server.root_url.as_str(), "http://localhost/graphs/");
}

#[test]
fn what_is_not_known_is_named() {
    let (_, warnings) =
        load(&[("GF_SMTP_ENABLED", "true"), ("GF_SERVRE_DOMAIN", "x"), ("GF_PATHS_LOGS", "/l")]);
    assert_eq!(
        warnings,
        [
            "GF_PATHS_LOGS: [paths] logs has no effect: log lines go to standard error",
            "GF_SERVRE_DOMAIN: unknown setting, it has no effect",
            "GF_SMTP_ENABLED: not supported yet: this setting of section [smtp] has no effect",
        ]
    );
}

#[test]
fn mistakes_name_the_variable_and_what_is_expected() {
    let check = |name: &str, value: &str, want: &str| {
        let error = Settings::load(&sources(&[(name, value)])).expect_err(name).to_string();
        assert_eq!(error, want);
    };
    check(
        "GF_SERVER_HTTP_PORT",
        "http",
        "GF_SERVER_HTTP_PORT: [server] http_port is \"http\", expected a port number",
    );
    check(
        "GF_AUTH_ANONYMOUS_ORG_ROLE",
        "King",
        "GF_AUTH_ANONYMOUS_ORG_ROLE: [auth.anonymous] org_role is \"King\", expected Viewer, Editor or Admin",
    );
    check(
        "GF_SERVER_PROTOCOL",
        "https",
        "GF_SERVER_PROTOCOL: not supported yet: protocol https; let a proxy in front end TLS",
    );
}

#[test]
fn a_file_then_the_environment_then_overrides() {
    let dir = tempfile::tempdir().unwrap();
    let (file, secret) = (dir.path().join("grafana.ini"), dir.path().join("secret"));
    std::fs::write(&secret, "p#ss\n").unwrap();
    std::fs::write(
        &file,
        "; comment\n[server]\nhttp_port = 4000 ; inline\ndomain = $__env{HOST}\n\n[security]\nadmin_user = \"boss\"\n\
         admin_password = `a#b$$${HOST}`\n[auth.anonymous]\nenabled = true\norg_role = Editor\n[smtp]\nhost = x\n[nonsense]\na = b\n",
    )
    .unwrap();
    let mut given = sources(&[("HOST", "h.example.org"), ("GF_SERVER_HTTP_ADDR", "127.0.0.1")]);
    given.file = Some(file.clone());
    let (settings, warnings) = Settings::load(&given).unwrap();
    assert_eq!(settings.server.listen_address, "127.0.0.1:4000");
    assert_eq!(settings.server.domain, "h.example.org");
    assert_eq!(settings.security.admin_user, "boss");
    assert_eq!(
        settings.security.admin_password.as_ref().map(|secret| secret.expose().to_owned()),
        Some("a#b$$h.example.org".into())
    );
    assert_eq!(warnings.iter().count(), 2, "{warnings:?}");
    given.environment.insert("GF_SECURITY_ADMIN_PASSWORD__FILE".into(), secret.display().to_string());
    given.overrides = BTreeMap::from([("server.http_port".to_owned(), "5000".to_owned())]);
    let (settings, _) = Settings::load(&given).unwrap();
    assert_eq!(
        settings.security.admin_password.map(|secret| secret.expose().to_owned()),
        Some("p#ss".into())
    );
    assert_eq!(settings.server.listen_address, "127.0.0.1:5000");

    std::fs::write(&file, "[server]\nwhat\n").unwrap();
    let error = Settings::load(&given).unwrap_err().to_string();
    assert!(error.ends_with("grafana.ini:2:1: expected `[section]` or `key = value`"), "{error}");
}

#[test]
fn references() {
    let environment = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
    let check =
        |text: &str, want: &str| assert_eq!(expand_references(text, &environment).as_deref(), Ok(want));
    check("$A ${A} $__env{A} $$A $${__value.raw}", "1 1 1 $A ${__value.raw}");
    check("$$__env{A} $__env{NONE}.", "$__env{A} .");
    check("$__env{A", "{A");
    assert!(expand_references("$__file{/does/not/exist}", &environment).is_err());
}

proptest::proptest! {
    #[test]
    fn files_of_any_content_are_read_or_refused(text in "(\\[?[a-z.$`\"#;={}é ]{0,12}\\]?\n?){0,8}") {
        let _ = ini::read(Path::new("a.ini"), &text);
        let _ = expand_references(&text, &BTreeMap::new());
    }
}
