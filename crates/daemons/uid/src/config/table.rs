//! Every setting we know: its name, its default, what it does here.
//!
//! Source: Grafana's `conf/defaults.ini`. The environment's name of a setting is `GF_<SECTION>_<KEY>` in upper case, with dots and
//! dashes as underscores.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The section of `grafana.ini`.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// What it does here.
    pub effect: Effect,
}

/// What a setting does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is read.
    Acts,
    /// It asks for what is so anyway, or for what we never do.
    Moot,
    /// It is accepted with a warning that says what holds instead.
    Instead(&'static str),
}

use Effect::{Acts, Instead, Moot};

const fn setting(section: &'static str, key: &'static str, default: &'static str, effect: Effect) -> Setting {
    Setting { section, key, default, effect }
}

/// In the order of `defaults.ini`.
pub const SETTINGS: &[Setting] = &[
    setting("", "app_mode", "production", Moot),
    setting("", "instance_name", "", Moot),
    setting("paths", "data", "data", Acts),
    setting("paths", "provisioning", "conf/provisioning", Acts),
    setting("paths", "home", "", Acts),
    setting("paths", "config", "", Acts),
    setting("paths", "logs", "", Instead("log lines go to standard error")),
    setting("paths", "plugins", "", Instead("panels and data sources are built in, plugins are not loaded")),
    setting("server", "protocol", "http", Acts),
    setting("server", "http_addr", "", Acts),
    setting("server", "http_port", "3000", Acts),
    setting("server", "domain", "localhost", Acts),
    setting("server", "root_url", "%(protocol)s://%(domain)s:%(http_port)s/", Acts),
    setting("server", "serve_from_sub_path", "false", Moot),
    setting("server", "enable_gzip", "false", Moot),
    setting("server", "router_logging", "false", Moot),
    setting("server", "static_root_path", "", Moot),
    setting("dataproxy", "timeout", "30", Acts),
    setting("dataproxy", "logging", "false", Moot),
    setting("analytics", "enabled", "false", Moot),
    setting("analytics", "reporting_enabled", "false", Moot),
    setting("analytics", "check_for_updates", "false", Moot),
    setting("analytics", "check_for_plugin_updates", "false", Moot),
    setting("analytics", "feedback_links_enabled", "false", Moot),
    setting("security", "disable_initial_admin_creation", "false", Acts),
    setting("security", "admin_user", "admin", Acts),
    setting("security", "admin_password", "", Acts),
    setting("security", "admin_email", "admin@localhost", Acts),
    setting(
        "security",
        "secret_key",
        "",
        Instead("secrets are kept in the data folder, which only its owner can read"),
    ),
    setting("security", "disable_gravatar", "true", Moot),
    setting("security", "cookie_secure", "false", Acts),
    setting("security", "cookie_samesite", "lax", Acts),
    setting("security", "allow_embedding", "false", Acts),
    setting("security", "disable_brute_force_login_protection", "false", Acts),
    setting("users", "allow_sign_up", "false", Acts),
    setting("users", "allow_org_create", "false", Moot),
    setting("users", "auto_assign_org", "true", Moot),
    setting("users", "auto_assign_org_id", "1", Moot),
    setting("users", "default_theme", "dark", Acts),
    setting("users", "home_page", "", Acts),
    setting("users", "viewers_can_edit", "false", Acts),
    setting("auth", "login_cookie_name", "grafana_session", Acts),
    setting("auth", "login_maximum_inactive_lifetime_duration", "7d", Acts),
    setting("auth", "login_maximum_lifetime_duration", "30d", Acts),
    setting("auth", "token_rotation_interval_minutes", "10", Instead("tokens last as long as their session")),
    setting("auth", "disable_login_form", "false", Acts),
    setting("auth.anonymous", "enabled", "false", Acts),
    setting("auth.anonymous", "org_name", "Main Org.", Moot),
    setting("auth.anonymous", "org_role", "Viewer", Acts),
    setting("auth.anonymous", "hide_version", "false", Acts),
    setting("auth.basic", "enabled", "true", Acts),
    setting("dashboards", "min_refresh_interval", "5s", Acts),
    setting("dashboards", "default_home_dashboard_path", "", Acts),
    setting("log", "mode", "console", Instead("log lines go to standard error")),
    setting("log", "level", "info", Acts),
    setting("log", "filters", "", Instead("set log.level, which takes target=level lists")),
    setting("log.console", "level", "", Acts),
    setting("log.console", "format", "", Acts),
    setting("metrics", "enabled", "true", Acts),
    setting("database", "type", "", Instead("an embedded store in paths.data keeps everything")),
    setting("database", "path", "", Instead("an embedded store in paths.data keeps everything")),
    setting("plugins", "allow_loading_unsigned_plugins", "", Instead("plugins are not loaded")),
    setting("plugins", "enable_alpha", "", Moot),
    setting("plugins", "preinstall", "", Instead("plugins are not loaded")),
    setting("plugins", "preinstall_disabled", "", Moot),
    setting("plugins", "plugin_admin_enabled", "", Moot),
    setting("news", "news_feed_enabled", "false", Moot),
    setting("help", "enabled", "", Moot),
];

/// Names without a section that Grafana's container images read.
pub const CONTAINER_VARIABLES: &[(&str, &str)] = &[
    (
        "GF_INSTALL_PLUGINS",
        "retired: plugins are not loaded; the panels and data sources that we have are built in",
    ),
    (
        "GF_INSTALL_IMAGE_RENDERER_PLUGIN",
        "retired: plugins are not loaded; panels cannot be rendered to images yet",
    ),
];

/// Sections that Grafana has and we do not yet.
pub const SECTIONS_NOT_YET: &[&str] = &[
    "remote_cache",
    "smtp",
    "emails",
    "quota",
    "unified_alerting",
    "unified_storage",
    "alerting",
    "annotations",
    "explore",
    "profile",
    "query_history",
    "snapshots",
    "external_image_storage",
    "rendering",
    "panels",
    "live",
    "feature_toggles",
    "date_formats",
    "expressions",
    "geomap",
    "navigation",
    "public_dashboards",
    "service_accounts",
    "rbac",
    "tracing",
    "auth.generic_oauth",
    "auth.github",
    "auth.gitlab",
    "auth.google",
    "auth.azuread",
    "auth.okta",
    "auth.grafana_com",
    "auth.proxy",
    "auth.jwt",
    "auth.ldap",
    "auth.saml",
    "plugin",
    "dashboard_previews",
    "time_picker",
    "log.file",
    "log.syslog",
    "log.frontend",
    "metrics.graphite",
    "metrics.environment_info",
    "dashboards.json",
    "database",
    "server",
    "security",
    "users",
    "auth",
    "dashboards",
    "dataproxy",
    "analytics",
    "plugins",
    "metrics",
    "paths",
    "log",
];

/// A setting's name in the environment.
pub fn environment_name(section: &str, key: &str) -> String {
    let name = if section.is_empty() { format!("GF_{key}") } else { format!("GF_{section}_{key}") };
    name.to_ascii_uppercase().replace(['.', '-'], "_")
}

/// The setting of a section and key.
pub fn find(section: &str, key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.section == section && setting.key == key)
}

/// The setting of an environment variable's name.
pub fn find_variable(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| environment_name(setting.section, setting.key) == name)
}

/// The section that an environment variable's name most likely means, of those that Grafana has.
pub fn section_of_variable(name: &str) -> Option<&'static str> {
    SECTIONS_NOT_YET
        .iter()
        .filter(|section| name.starts_with(&format!("{}_", environment_name("", section))))
        .max_by_key(|section| section.len())
        .copied()
}
