//! What the operator sees at the start: each component, its URL, where its data lies, and how to log in.

use std::fmt::Write;

use crate::{
    flags::Ports,
    layout::Layout,
    secrets::{Admin, Password},
};

/// The table.
pub(crate) fn table(host: &str, ports: &Ports, layout: &Layout, admin: &Admin) -> String {
    let data = layout.data();
    let shown = match host {
        "127.0.0.1" | "0.0.0.0" | "::" => "localhost",
        other => other,
    };
    let rows = [
        (
            "app",
            format!("https://{shown}:{}/", ports.https),
            "everything, behind the proxy (self-signed certificate)",
        ),
        ("uid", format!("http://{shown}:{}/", ports.uid), "dashboards, Explore (Grafana API)"),
        ("metricsd", format!("http://{shown}:{}/", ports.metricsd), "metrics (Prometheus API)"),
        ("logd", format!("http://{shown}:{}/", ports.logd), "logs (Loki API)"),
        ("alertd", format!("http://{shown}:{}/", ports.alertd), "alerts (Alertmanager API)"),
        ("agentd", format!("http://{shown}:{}/", ports.agentd), "log shipping, machine metrics"),
        ("proxyd", format!("http://{shown}:{}/", ports.proxyd), "proxy (Traefik API)"),
    ];
    let width = rows.iter().map(|(_, url, _)| url.len()).max().unwrap_or_default();
    let mut text = String::from("\n");
    for (name, url, what) in rows {
        let _ = writeln!(text, "  {name:<9} {url:<width$}  {what}");
    }
    let _ = writeln!(text, "\n  data      {}", data.display());
    let _ = writeln!(text, "  log       {}", layout.logs().join("stackd.log").display());
    let _ = writeln!(text, "  user      {}", admin.user);
    let password = match &admin.password {
        Password::Random(password) => format!("{password}   (made just now, shown this once)"),
        Password::Given(_) => "as in GF_SECURITY_ADMIN_PASSWORD".to_owned(),
        Password::Known => "as set at the first start".to_owned(),
    };
    let _ = writeln!(text, "  password  {password}\n");
    text
}
