"""The part of check.sh that reads files: what parses, and what must fit together. Prints one line a check; ends with 1 if one fails."""

import json
import re
import sys
from pathlib import Path

import yaml

DAEMONS = ["metricsd", "alertd", "logd", "agentd", "uid", "proxyd"]
# Settings of .env that have a place in the compose file.
SETTINGS = [
    "DOMAIN", "EMAIL", "GRAFANA_ADMIN_USER", "GRAFANA_ADMIN_PASSWORD", "PROMETHEUS_RETENTION", "LOKI_RETENTION",
    "POSTGRES_EXPORTER_DSN", "SLACK_WEBHOOK_URL", "ALERT_EMAIL", "PAGERDUTY_KEY",
]  # fmt: skip
RULE_NAME = re.compile(r"[a-z0-9_]+:[a-zA-Z0-9_]+:[a-z0-9_]+")
SEVERITIES = {"critical", "warning", "info"}
GRID_COLUMNS = 24


def compose():
    return yaml.safe_load(Path("docker-compose.yml").read_text())


def compose_file():
    """The compose file runs every daemon, watched and restarted, and mounts what exists."""
    services = compose()["services"]
    if set(services) != set(DAEMONS):
        yield f"services are {sorted(services)}, expected {sorted(DAEMONS)}"
    volumes = set(compose()["volumes"])
    for name, service in services.items():
        for key in ("healthcheck", "restart", "networks", "build", "image"):
            if not service.get(key):
                yield f"{name}: no {key}"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                if not Path(source).exists():
                    yield f"{name}: {source} does not exist"
                if not mount.endswith(":ro"):
                    yield f"{name}: {source} is not mounted read-only"
            elif source.startswith("/"):
                if not mount.endswith(":ro"):
                    yield f"{name}: {source} of the machine is not mounted read-only"
            elif source not in volumes:
                yield f"{name}: volume {source} is not declared"
        if service.get("ports") and name != "proxyd":
            yield f"{name}: publishes ports, only proxyd may"
    published = [str(port) for port in services.get("proxyd", {}).get("ports", [])]
    if any("8080" in port and not port.startswith("127.0.0.1:") for port in published):
        yield "proxyd: port 8080 has no password and is not bound to 127.0.0.1"


def environment_file():
    """.env.example has every setting of the compose file, and no other."""
    used = set(re.findall(r"\$\{([A-Z_]+)", Path("docker-compose.yml").read_text()))
    lines = Path(".env.example").read_text().splitlines()
    named = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    for name in sorted(used - set(named)):
        yield f"{name} is missing"
    for name in sorted(set(named) - used):
        yield f"{name} is used by no service"
    for name in sorted(set(SETTINGS) - set(named)):
        yield f"{name} is a setting people have, and is missing"


def dockerfile():
    """The Dockerfile has a target for every service, and copies what exists."""
    text = Path("deploy/Dockerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\w+)", text, re.MULTILINE))
    for name, service in compose()["services"].items():
        build = service["build"]
        if not Path(build["context"], build["dockerfile"]).exists():
            yield f"{name}: {build['dockerfile']} does not exist"
        if build["target"] not in targets:
            yield f"{name}: no target {build['target']}"
    if "stackd" not in targets:
        yield "no target stackd"
    for program in [*DAEMONS, "stackd"]:
        if not Path("crates/daemons", program, "Cargo.toml").exists():
            yield f"{program} is no crate"
        if f"target/release/{program}" not in text or f"-p {program}" not in text:
            yield f"{program} is not built"
    for line in text.splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            for source in [word for word in line.split()[1:-1] if not word.startswith("--")]:
                if not Path(source).exists():
                    yield f"COPY {source}: does not exist"


def configuration():
    """Every YAML file parses; every job, service and data source leads to a daemon."""
    for path in [*sorted(Path("deploy").rglob("*.y*ml")), *sorted(Path("rules").glob("*.yml"))]:
        try:
            list(yaml.safe_load_all(path.read_text()))
        except yaml.YAMLError as error:
            yield f"{path}: {error}"
    prometheus = yaml.safe_load(Path("deploy/metricsd/prometheus.yml").read_text())
    jobs = [job["job_name"] for job in prometheus["scrape_configs"]]
    for name in [*DAEMONS, "node"]:
        if name not in jobs:
            yield f"prometheus.yml: no job {name}"
    proxy = yaml.safe_load(Path("deploy/proxyd/dynamic/stack.yml").read_text())["http"]
    for name, router in proxy["routers"].items():
        if router["service"] not in proxy["services"]:
            yield f"router {name}: no service {router['service']}"
        for middleware in router.get("middlewares", []):
            if middleware not in proxy["middlewares"]:
                yield f"router {name}: no middleware {middleware}"
    # proxyd refuses templates, in comments too.
    for path in [Path("deploy/proxyd/traefik.yml"), *Path("deploy/proxyd/dynamic").glob("*.yml")]:
        if "{{" in path.read_text():
            yield f"{path}: has a template"
    for name, guarded in (("metricsd", True), ("logd", True), ("uid", False)):
        if ("users" in proxy["routers"][name].get("middlewares", [])) != guarded:
            yield f"router {name}: {'open to everybody' if guarded else 'asks for a password that uid asks for already'}"
    if [line for line in Path("deploy/proxyd/users.htpasswd").read_text().splitlines() if line and not line.startswith("#")]:
        yield "deploy/proxyd/users.htpasswd: has a user; that is for the machine it serves, not for the repository"


def rules():
    """Rules have names, severities, summaries and descriptions, and use no recorded metric that nobody records."""
    recorded, used, alerts = set(), [], set()
    for path in sorted(Path("rules").glob("*.yml")):
        groups = yaml.safe_load(path.read_text())["groups"]
        for rule in [rule for group in groups for rule in group["rules"]]:
            used.append((path, str(rule["expr"])))
            if "record" in rule:
                recorded.add(rule["record"])
                if not RULE_NAME.fullmatch(rule["record"]):
                    yield f"{path}: {rule['record']} is not level:metric:operation"
                continue
            name, severity = rule["alert"], rule.get("labels", {}).get("severity")
            if severity not in SEVERITIES:
                yield f"{path}: {name}: severity is {severity}"
            if (name, severity) in alerts:
                yield f"{path}: {name}: there are two of severity {severity}"
            alerts.add((name, severity))
            for key in ("summary", "description"):
                if not rule.get("annotations", {}).get(key):
                    yield f"{path}: {name}: no {key}"
    used += [(path, text) for path in Path("dashboards").glob("*.json") for text in [path.read_text()]]
    for path, expression in used:
        for name in re.findall(r"\b[a-z_]+:[a-zA-Z0-9_]+:[a-z0-9_]+\b", expression):
            if name not in recorded:
                yield f"{path}: nothing records {name}"


def dashboards():
    """Dashboards parse, have a uid, panels with ids of their own that do not lie on each other, and only variables that exist."""
    paths = sorted(Path("dashboards").glob("*.json"))
    if not paths:
        yield "there is none"
    uids = set()
    for path in paths:
        try:
            text = path.read_text()
            dashboard = json.loads(text)
        except ValueError as error:
            yield f"{path}: {error}"
            continue
        uid = dashboard.get("uid")
        if not uid or not dashboard.get("title"):
            yield f"{path}: no uid or no title"
        if uid in uids:
            yield f"{path}: uid {uid} is taken"
        uids.add(uid)
        panels = [inner for panel in dashboard.get("panels", []) for inner in (panel, *panel.get("panels", []))]
        ids = [panel.get("id") for panel in panels]
        for number in sorted({number for number in ids if ids.count(number) > 1}, key=str):
            yield f"{path}: panel id {number} is there {ids.count(number)} times"
        cells = {}
        for panel in dashboard.get("panels", []):
            position = panel["gridPos"]
            if position["x"] + position["w"] > GRID_COLUMNS:
                yield f"{path}: panel {panel['title']!r} is wider than the grid"
            for x in range(position["x"], position["x"] + position["w"]):
                for y in range(position["y"], position["y"] + position["h"]):
                    other = cells.setdefault((x, y), panel["title"])
                    if other != panel["title"]:
                        yield f"{path}: panels {other!r} and {panel['title']!r} overlap"
                        break
        known = {variable["name"] for variable in dashboard.get("templating", {}).get("list", [])}
        for name in sorted(set(re.findall(r"\$\{?([a-zA-Z_]\w*)", text))):
            if not name.startswith("__") and name not in known:
                yield f"{path}: variable ${name} does not exist"


def kubernetes():
    """Manifests name a namespace, select what they label, and mount ConfigMaps that configmaps.sh makes."""
    script = Path("deploy/kubernetes/configmaps.sh").read_text()
    made = set(re.findall(r"^configmap (\w+)", script, re.MULTILINE))
    for source in re.findall(r"(?:^|[\s=])((?:deploy|rules|dashboards)/[\w./-]+\.\w+)", script):
        if not Path(source).exists():
            yield f"configmaps.sh: {source} does not exist"
    documents = [
        (path, document)
        for path in sorted(Path("deploy/kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    workloads = {}
    for path, document in documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") != "observability":
            yield f"{path}: {document['kind']} is in no namespace"
        if document["kind"] not in ("StatefulSet", "Deployment", "DaemonSet"):
            continue
        workloads[document["metadata"]["name"]] = document
        spec = document["spec"]
        labels = spec["template"]["metadata"]["labels"].items()
        if not spec["selector"]["matchLabels"].items() <= labels:
            yield f"{path}: the selector does not select its own pods"
        for name in re.findall(r"'configMap': \{'name': '(\w+)'", str(spec)):
            if name not in made:
                yield f"{path}: ConfigMap {name} is not made"
        pod = spec["template"]["spec"]
        declared = {volume["name"] for volume in pod["volumes"]}
        declared |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
        for mount in pod["containers"][0]["volumeMounts"]:
            if mount["name"] not in declared:
                yield f"{path}: volume {mount['name']} is not declared"
    if set(workloads) != set(DAEMONS):
        yield f"workloads are {sorted(workloads)}, expected {sorted(DAEMONS)}"


def units():
    """There is a unit for every program, and it runs that program as a user of its own."""
    for program in [*DAEMONS, "stackd"]:
        path = Path("deploy/systemd", f"{program}.service")
        if not path.exists():
            yield f"{path} is missing"
            continue
        lines = path.read_text().splitlines()
        if not any(re.match(rf"ExecStart=/usr/local/bin/{program}(\s|$)", line) for line in lines):
            yield f"{path}: does not start {program}"
        for line in ("DynamicUser=yes", f"StateDirectory={program}", "ProtectSystem=strict", "NoNewPrivileges=yes"):
            if line not in lines:
                yield f"{path}: no {line}"


def links():
    """Links between pages lead somewhere."""
    for path in [*Path("docs").glob("*.md"), *Path("deploy").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{path}: {target} does not exist"


def main():
    failures = 0
    checks = [compose_file, environment_file, dockerfile, configuration, rules, dashboards, kubernetes, units, links]
    for check in checks:
        try:
            problems = list(dict.fromkeys(check()))
        except (OSError, KeyError, TypeError, AttributeError, IndexError, yaml.YAMLError) as error:
            problems = [f"cannot be checked: {type(error).__name__}: {error}"]
        what = check.__doc__.splitlines()[0]
        print(f"{'FAILED' if problems else 'ok':<8} {what}")
        for problem in problems:
            print(f"         {problem}")
        failures += bool(problems)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
