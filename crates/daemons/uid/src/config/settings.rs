//! The settings' checked meaning; nothing behind it validates again.

use std::{path::PathBuf, time::Duration};

use config::{Secret, Warnings, parse_go};
use service::{LogFormat, LogOptions};
use url::Url;

use super::reader::{SettingsError, Sources, Values};
use crate::model::Role;

/// All settings of the daemon.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens and under which address people reach it.
    pub server: Server,
    /// Folders.
    pub paths: Paths,
    /// The first user, cookies, embedding.
    pub security: Security,
    /// What holds for all users.
    pub users: Users,
    /// Who gets in, and for how long.
    pub auth: Auth,
    /// What holds for all dashboards.
    pub dashboards: Dashboards,
    /// Time for a request to a data source, unless the data source has its own.
    pub data_proxy_timeout: Duration,
    /// Whether `/metrics` answers.
    pub metrics_enabled: bool,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// `host:port` or `:port`.
    pub listen_address: String,
    /// The address people use, ends in `/`.
    pub root_url: Url,
    /// The path of `root_url` without its last slash: `/grafana`, or empty.
    pub sub_path: String,
    /// The host people use.
    pub domain: String,
}

/// `[paths]`.
#[derive(Debug, Clone)]
pub struct Paths {
    /// What the daemon keeps.
    pub data: PathBuf,
    /// The folder with `datasources/`, `dashboards/`, …
    pub provisioning: PathBuf,
}

/// `[security]`.
#[derive(Debug, Clone)]
pub struct Security {
    /// The first user's name.
    pub admin_user: String,
    /// The first user's password; made up when it is not set.
    pub admin_password: Option<Secret>,
    /// The first user's address.
    pub admin_email: String,
    /// Whether the first start makes no user.
    pub disable_initial_admin_creation: bool,
    /// Whether failed logins are not counted.
    pub disable_brute_force_login_protection: bool,
    /// Whether cookies go over TLS only: as set, or because people come by https.
    pub cookie_secure: bool,
    /// The cookies' `SameSite`; `None` leaves it out.
    pub cookie_same_site: Option<&'static str>,
    /// Whether other sites may show our pages in a frame.
    pub allow_embedding: bool,
}

/// `[users]`.
#[derive(Debug, Clone)]
pub struct Users {
    /// `dark`, `light` or `system`.
    pub default_theme: String,
    /// Where `/` leads, if not to the home dashboard.
    pub home_page: String,
    /// Whether viewers may explore.
    pub viewers_can_edit: bool,
}

/// `[auth]` and its kin.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The session cookie's name.
    pub cookie_name: String,
    /// How long a session may rest.
    pub maximum_inactive_lifetime: Duration,
    /// How long a session may last.
    pub maximum_lifetime: Duration,
    /// Whether the login page has no form.
    pub disable_login_form: bool,
    /// Whether the API takes user and password.
    pub basic_enabled: bool,
    /// What people who are not logged in may do.
    pub anonymous: Option<Anonymous>,
}

/// `[auth.anonymous]`, when it is enabled.
#[derive(Debug, Clone)]
pub struct Anonymous {
    /// Their role.
    pub role: Role,
    /// Whether they are not told the version.
    pub hide_version: bool,
}

/// `[dashboards]`.
#[derive(Debug, Clone)]
pub struct Dashboards {
    /// The shortest refresh interval, as written: `5s`.
    pub min_refresh_interval: String,
    /// A dashboard's file to show first.
    pub default_home_path: Option<PathBuf>,
}

/// `[log]`, read apart from the rest because it is needed before anything can be logged.
#[derive(Debug, Clone)]
pub struct Log(pub LogOptions);

// === impl Settings ===

impl Settings {
    /// Reads and checks all settings. The warnings are for the log.
    pub fn load(sources: &Sources) -> Result<(Self, Warnings), SettingsError> {
        let mut values = Values::read(sources)?;
        let server = Server::of(&values)?;
        let security = Security::of(&values, &server)?;
        let settings = Self {
            paths: Paths {
                data: values.path("paths", "data"),
                provisioning: values.path("paths", "provisioning"),
            },
            security,
            users: Users::of(&mut values)?,
            auth: Auth::of(&values)?,
            dashboards: Dashboards {
                min_refresh_interval: values.text("dashboards", "min_refresh_interval"),
                default_home_path: values
                    .set("dashboards", "default_home_dashboard_path")
                    .map(|path| values.home.join(path)),
            },
            data_proxy_timeout: Duration::from_secs(values.parse(
                "dataproxy",
                "timeout",
                |text| text.parse().ok().filter(|seconds| (1..=3600).contains(seconds)),
                "seconds from 1 to 3600",
            )?),
            metrics_enabled: values.flag("metrics", "enabled")?,
            server,
        };
        Ok((settings, values.warnings))
    }
}

impl Log {
    /// How to log; a mistake is reported by [`Settings::load`] later, until then the default holds.
    pub fn load(sources: &Sources) -> Self {
        let Ok(values) = Values::read(sources) else { return Self(LogOptions::default()) };
        let level =
            values.set("log.console", "level").map_or_else(|| values.text("log", "level"), str::to_owned);
        let level = if level == "critical" { "error".to_owned() } else { level };
        let format = match values.set("log.console", "format") {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Logfmt,
        };
        Self(LogOptions { level, format })
    }
}

impl Server {
    fn of(values: &Values) -> Result<Self, SettingsError> {
        let protocol = values.text("server", "protocol");
        if protocol != "http" {
            return Err(values.error(
                "server",
                "protocol",
                format!("not supported yet: protocol {protocol}; let a proxy in front end TLS"),
            ));
        }
        let port: u16 = values.parse("server", "http_port", |text| text.parse().ok(), "a port number")?;
        let host = values.text("server", "http_addr");
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        let domain = values.text("server", "domain");
        let text = values
            .text("server", "root_url")
            .replace("%(protocol)s", &protocol)
            .replace("%(domain)s", &domain)
            .replace("%(http_port)s", &port.to_string());
        let mut root_url = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                values.error(
                    "server",
                    "root_url",
                    format!("{text:?} is not an address such as https://example.org/grafana/"),
                )
            })?;
        if !root_url.path().ends_with('/') {
            root_url.set_path(&format!("{}/", root_url.path()));
        }
        let sub_path = root_url.path().trim_end_matches('/').to_owned();
        Ok(Self { listen_address: format!("{host}:{port}"), root_url, sub_path, domain })
    }
}

impl Security {
    fn of(values: &Values, server: &Server) -> Result<Self, SettingsError> {
        Ok(Self {
            admin_user: values.text("security", "admin_user"),
            admin_password: values.set("security", "admin_password").map(Secret::new),
            admin_email: values.text("security", "admin_email"),
            disable_initial_admin_creation: values.flag("security", "disable_initial_admin_creation")?,
            disable_brute_force_login_protection: values
                .flag("security", "disable_brute_force_login_protection")?,
            cookie_secure: values.flag("security", "cookie_secure")? || server.root_url.scheme() == "https",
            cookie_same_site: values.parse(
                "security",
                "cookie_samesite",
                |text| match text.to_ascii_lowercase().as_str() {
                    "lax" => Some(Some("Lax")),
                    "strict" => Some(Some("Strict")),
                    "none" => Some(Some("None")),
                    "disabled" => Some(None),
                    _ => None,
                },
                "lax, strict, none or disabled",
            )?,
            allow_embedding: values.flag("security", "allow_embedding")?,
        })
    }
}

impl Users {
    fn of(values: &mut Values) -> Result<Self, SettingsError> {
        if values.flag("users", "allow_sign_up")? {
            values.warnings.push("users.allow_sign_up", "not supported yet: nobody can sign up");
        }
        Ok(Self {
            default_theme: values.parse(
                "users",
                "default_theme",
                |text| matches!(text, "dark" | "light" | "system").then(|| text.to_owned()),
                "dark, light or system",
            )?,
            home_page: values.text("users", "home_page"),
            viewers_can_edit: values.flag("users", "viewers_can_edit")?,
        })
    }
}

impl Auth {
    fn of(values: &Values) -> Result<Self, SettingsError> {
        let lifetime = |key: &'static str| {
            values.parse(
                "auth",
                key,
                |text| parse_go(text).ok().filter(|lifetime| !lifetime.is_zero()),
                "a duration such as 7d or 12h",
            )
        };
        let role = values.parse("auth.anonymous", "org_role", Role::from_name, "Viewer, Editor or Admin")?;
        let hide_version = values.flag("auth.anonymous", "hide_version")?;
        let cookie_name = values.parse(
            "auth",
            "login_cookie_name",
            |text| {
                let holds = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
                (!text.is_empty() && text.bytes().all(holds)).then(|| text.to_owned())
            },
            "letters, digits, `_`, `-` and `.`",
        )?;
        Ok(Self {
            cookie_name,
            maximum_inactive_lifetime: lifetime("login_maximum_inactive_lifetime_duration")?,
            maximum_lifetime: lifetime("login_maximum_lifetime_duration")?,
            disable_login_form: values.flag("auth", "disable_login_form")?,
            basic_enabled: values.flag("auth.basic", "enabled")?,
            anonymous: values.flag("auth.anonymous", "enabled")?.then_some(Anonymous { role, hide_version }),
        })
    }
}
