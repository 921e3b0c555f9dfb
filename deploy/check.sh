#!/usr/bin/env bash
# Checks what lies in deploy/, dashboards/, rules/ and docs/ and is not compiled: that it parses, and that its parts fit together.
#   deploy/check.sh
# Needs bash and python3 with PyYAML. promtool, amtool, docker-compose, kubectl and systemd-analyze look closer where they are installed.
# Ends with 1 if anything is wrong, after it has named everything that is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failures=0

ok() { printf 'ok       %s\n' "$1"; }
skipped() { printf 'skipped  %s: %s\n' "$1" "$2"; }
failed() {
    printf 'FAILED   %s\n' "$1"
    [[ -z ${2:-} ]] || sed 's/^/         /' <<<"$2"
    failures=$((failures + 1))
}

# check <what> <command…>: the command's output is shown if it fails.
check() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$what"; else failed "$what" "$output"; fi
}

# check_with <program> <what> <command…>: skipped where the program is not installed.
check_with() {
    local program=$1 what=$2
    shift 2
    if command -v "$program" >/dev/null; then check "$what" "$@"; else skipped "$what" "$program is not installed"; fi
}

check_units() {
    local output
    # The programs themselves are not installed where this runs.
    output=$(systemd-analyze verify deploy/systemd/*.service 2>&1 | grep -v 'is not executable' || true)
    [[ -z $output ]] || { echo "$output"; return 1; }
}

check_health_check() {
    local port_file pid port status=0
    port_file=$(mktemp)
    python3 - "$port_file" <<'PYTHON' &
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/-/healthy" else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as file:
    print(server.server_port, file=file)
server.serve_forever()
PYTHON
    pid=$!
    for _ in $(seq 100); do
        [[ -s $port_file ]] && break
        sleep 0.1
    done
    port=$(<"$port_file")
    deploy/healthcheck.sh "$port" || { echo "fails though the daemon is healthy"; status=1; }
    ! deploy/healthcheck.sh "$port" /-/ready || { echo "succeeds though the answer is 503"; status=1; }
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    ! deploy/healthcheck.sh "$port" 2>/dev/null || { echo "succeeds though nobody listens"; status=1; }
    rm -f "$port_file"
    return "$status"
}

if python3 -c 'import yaml' 2>/dev/null; then
    python3 deploy/check.py || failures=$((failures + 1))
    check 'the health check tells healthy from not' check_health_check
else
    skipped 'files of deploy/, dashboards/, rules/, docs/' 'python3 with PyYAML is not installed (apt-get install python3-yaml)'
fi

for script in deploy/*.sh deploy/kubernetes/*.sh; do
    check "$script parses" bash -n "$script"
done
check_with docker-compose 'docker-compose takes the compose file' \
    env GRAFANA_ADMIN_PASSWORD=x docker-compose --file docker-compose.yml config --quiet
check_with promtool 'promtool takes the rules' promtool check rules rules/*.yml
check_with promtool 'promtool takes prometheus.yml' promtool check config --syntax-only deploy/metricsd/prometheus.yml
check_with amtool 'amtool takes alertmanager.yml' amtool check-config deploy/alertd/alertmanager.yml
check_with kubectl 'ConfigMaps can be made' deploy/kubernetes/configmaps.sh
check_with systemd-analyze 'systemd takes the units' check_units

if ((failures > 0)); then
    echo "deploy/check.sh: $failures failed" >&2
    exit 1
fi
