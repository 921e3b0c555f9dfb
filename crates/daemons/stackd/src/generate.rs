//! The configuration files of all daemons, made from the command line.
//!
//! They are ordinary files of the peers' formats: copy one into the configuration directory to make it your own.

use std::{fs, io, path::Path};

use rust_embed::RustEmbed;

use crate::{
    flags::{Flags, Ports},
    layout::Layout,
};

#[derive(RustEmbed)]
#[folder = "../../../dashboards"]
#[include = "*.json"]
struct Dashboards;

#[derive(RustEmbed)]
#[folder = "../../../rules"]
#[include = "*.yml"]
struct Rules;

/// First line of every generated file.
const HEAD: &str = "# Made anew at every start. To change it, copy it into the configuration directory.\n";

/// Names of the files, in the configuration directory as in the generated one.
pub(crate) const PROMETHEUS: &str = "prometheus.yml";
pub(crate) const ALERTMANAGER: &str = "alertmanager.yml";
pub(crate) const LOKI: &str = "loki-config.yml";
pub(crate) const PROMTAIL: &str = "promtail.yml";
pub(crate) const TRAEFIK: &str = "traefik.yml";
pub(crate) const TRAEFIK_DYNAMIC: &str = "traefik-dynamic.yml";
pub(crate) const PROVISIONING: &str = "provisioning";

/// Writes all files.
pub(crate) fn generate(flags: &Flags, ports: &Ports, layout: &Layout, htpasswd: &str) -> io::Result<()> {
    let host = &flags.host;
    write(&layout.generated(PROMETHEUS), &prometheus(flags, ports, layout))?;
    write(&layout.generated(ALERTMANAGER), &alertmanager(flags))?;
    write(&layout.generated(LOKI), &loki(host, ports, layout))?;
    write(&layout.generated(PROMTAIL), &promtail(flags, ports, layout))?;
    write(&layout.generated(TRAEFIK), &traefik(host, ports, layout))?;
    write(&layout.generated(TRAEFIK_DYNAMIC), &traefik_dynamic(host, ports, htpasswd))?;
    let provisioning = layout.generated(PROVISIONING);
    fs::create_dir_all(provisioning.join("datasources"))?;
    fs::create_dir_all(provisioning.join("dashboards"))?;
    write(&provisioning.join("datasources/stack.yml"), &datasources(flags, ports))?;
    write(&provisioning.join("dashboards/stack.yml"), &dashboard_providers(layout))?;
    unpack::<Dashboards>(&layout.generated("dashboards"))?;
    unpack::<Rules>(&layout.generated("rules"))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, format!("{HEAD}{text}"))
}

fn unpack<F: RustEmbed>(dir: &Path) -> io::Result<()> {
    // What an earlier version brought and this one does not is gone.
    for entry in fs::read_dir(dir)? {
        fs::remove_file(entry?.path())?;
    }
    for name in F::iter() {
        if let Some(file) = F::get(&name) {
            fs::write(dir.join(name.as_ref()), file.data)?;
        }
    }
    Ok(())
}

fn prometheus(flags: &Flags, ports: &Ports, layout: &Layout) -> String {
    let host = &flags.host;
    let jobs = [
        ("metricsd", ports.metricsd, "/metrics"),
        ("alertd", ports.alertd, "/metrics"),
        ("logd", ports.logd, "/metrics"),
        ("agentd", ports.agentd, "/metrics"),
        ("uid", ports.uid, "/metrics"),
        ("proxyd", ports.proxyd, "/metrics"),
        ("node", ports.agentd, "/metrics/node"),
    ];
    let jobs: String = jobs
        .iter()
        .map(|(name, port, path)| {
            format!("  - job_name: {name}\n    metrics_path: {path}\n    static_configs:\n      - targets: ['{host}:{port}']\n")
        })
        .collect();
    format!(
        "global:\n  scrape_interval: {interval}\n  evaluation_interval: {interval}\n\
         rule_files:\n  - '{rules}/*.yml'\n\
         alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ['{host}:{alertd}']\n\
         scrape_configs:\n{jobs}",
        interval = flags.scrape_interval,
        rules = layout.generated("rules").display(),
        alertd = ports.alertd,
    )
}

fn alertmanager(flags: &Flags) -> String {
    let receiver = match &flags.alerts_webhook {
        Some(url) => format!("  - name: default\n    webhook_configs:\n      - url: '{url}'\n"),
        None => "  - name: default\n".to_owned(),
    };
    format!(
        "route:\n  receiver: default\n  group_by: [alertname]\n  group_wait: 10s\n  group_interval: 1m\n  repeat_interval: 4h\nreceivers:\n{receiver}"
    )
}

fn loki(host: &str, ports: &Ports, layout: &Layout) -> String {
    format!(
        "auth_enabled: false\n\
         server:\n  http_listen_address: {host}\n  http_listen_port: {http}\n  grpc_listen_address: {host}\n  grpc_listen_port: {grpc}\n\
         common:\n  path_prefix: {dir}\n  replication_factor: 1\n  ring:\n    kvstore:\n      store: inmemory\n  storage:\n    filesystem:\n      chunks_directory: {dir}/chunks\n\
         schema_config:\n  configs:\n    - from: 2024-01-01\n      store: tsdb\n      object_store: filesystem\n      schema: v13\n      index:\n        prefix: index_\n        period: 24h\n\
         compactor:\n  working_directory: {dir}/retention\n  retention_enabled: true\n  delete_request_store: filesystem\n\
         limits_config:\n  retention_period: 360h\n  allow_structured_metadata: true\n\
         analytics:\n  reporting_enabled: false\n",
        http = ports.logd,
        grpc = ports.logd_grpc,
        dir = layout.of("logd").display(),
    )
}

fn promtail(flags: &Flags, ports: &Ports, layout: &Layout) -> String {
    let host = &flags.host;
    let patterns: String = flags
        .logs_path
        .iter()
        .map(|pattern| {
            format!("      - targets: [localhost]\n        labels:\n          job: varlogs\n          __path__: '{pattern}'\n")
        })
        .collect();
    format!(
        "server:\n  http_listen_address: {host}\n  http_listen_port: {port}\n  grpc_listen_port: 0\n\
         positions:\n  filename: {positions}\n\
         clients:\n  - url: http://{host}:{logd}/loki/api/v1/push\n\
         integrations:\n  node:\n    enabled: true\n\
         scrape_configs:\n\
         \x20 - job_name: varlogs\n    static_configs:\n{patterns}\
         \x20 - job_name: stack\n    static_configs:\n      - targets: [localhost]\n        labels:\n          job: stack\n          __path__: '{logs}/*.log'\n\
         \x20   pipeline_stages:\n      - logfmt:\n          mapping:\n            component:\n            level:\n      - labels:\n          component:\n          level:\n",
        port = ports.agentd,
        positions = layout.of("agentd").join("positions.yaml").display(),
        logd = ports.logd,
        logs = layout.logs().display(),
    )
}

fn traefik(host: &str, ports: &Ports, layout: &Layout) -> String {
    format!(
        "entryPoints:\n  web:\n    address: '{host}:{http}'\n    http:\n      redirections:\n        entryPoint:\n          to: ':{https}'\n          scheme: https\n\
         \x20 websecure:\n    address: '{host}:{https}'\n  traefik:\n    address: '{host}:{own}'\n\
         api:\n  insecure: true\n  dashboard: true\nping: {{}}\nmetrics:\n  prometheus:\n    entryPoint: traefik\n\
         providers:\n  file:\n    filename: '{dynamic}'\n    watch: true\n",
        http = ports.http,
        https = ports.https,
        own = ports.proxyd,
        dynamic = layout.configuration(TRAEFIK_DYNAMIC).display(),
    )
}

fn traefik_dynamic(host: &str, ports: &Ports, htpasswd: &str) -> String {
    let service = |name: &str, port: u16| {
        format!(
            "    {name}:\n      loadBalancer:\n        servers:\n          - url: 'http://{host}:{port}'\n        healthCheck:\n          path: /-/healthy\n          interval: 10s\n          timeout: 5s\n"
        )
    };
    let guarded = |name: &str, prefix: &str, service: &str| {
        format!(
            "    {name}:\n      rule: 'Path(`{prefix}`) || PathPrefix(`{prefix}/`)'\n      entryPoints: [websecure]\n      service: {service}\n      tls: {{}}\n      middlewares: [auth, strip-{name}]\n"
        )
    };
    format!(
        "http:\n  middlewares:\n    auth:\n      basicAuth:\n        removeHeader: true\n        users:\n          - '{htpasswd}'\n\
         \x20   strip-prometheus:\n      stripPrefix:\n        prefixes: [/prometheus]\n    strip-loki:\n      stripPrefix:\n        prefixes: [/loki]\n\
         \x20 routers:\n    ui:\n      rule: 'PathPrefix(`/`)'\n      entryPoints: [websecure]\n      service: uid\n      tls: {{}}\n{prometheus}{loki}\
         \x20 services:\n{uid}{metricsd}{logd}",
        prometheus = guarded("prometheus", "/prometheus", "metricsd"),
        loki = guarded("loki", "/loki", "logd"),
        uid = service("uid", ports.uid),
        metricsd = service("metricsd", ports.metricsd),
        logd = service("logd", ports.logd),
    )
}

fn datasources(flags: &Flags, ports: &Ports) -> String {
    let host = &flags.host;
    format!(
        "apiVersion: 1\ndatasources:\n\
         \x20 - name: Prometheus\n    uid: prometheus\n    type: prometheus\n    access: proxy\n    url: http://{host}:{metricsd}\n    isDefault: true\n    editable: false\n    jsonData:\n      timeInterval: {interval}\n      httpMethod: POST\n\
         \x20 - name: Loki\n    uid: loki\n    type: loki\n    access: proxy\n    url: http://{host}:{logd}\n    editable: false\n    jsonData:\n      maxLines: 1000\n",
        metricsd = ports.metricsd,
        logd = ports.logd,
        interval = flags.scrape_interval,
    )
}

fn dashboard_providers(layout: &Layout) -> String {
    format!(
        "apiVersion: 1\nproviders:\n  - name: stack\n    folder: Stack\n    type: file\n    allowUiUpdates: true\n    updateIntervalSeconds: 30\n    options:\n      path: {}\n",
        layout.generated("dashboards").display()
    )
}
