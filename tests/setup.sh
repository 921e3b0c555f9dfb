#!/usr/bin/env bash
# Installs what the tests use beside Rust and Node, where Debian's packages can be had; else says what will be skipped.
#   tests/setup.sh          for `make test`
#   tests/setup.sh bench    for `make bench`
set -u

declare -A packages=([chromium]=chromium [promtool]=prometheus [prometheus]=prometheus [victoria-metrics]=victoria-metrics)
case ${1:-test} in
test) declare -A wanted=([chromium]="the browser test" [promtool]="the comparison with Prometheus' own tools") ;;
bench) declare -A wanted=([prometheus]="Prometheus' figures" [victoria-metrics]="VictoriaMetrics' figures") ;;
*) echo "usage: tests/setup.sh [bench]" >&2 && exit 2 ;;
esac

missing=()
for program in "${!wanted[@]}"; do
    command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]} ..."
    # Services are not to be started by their installation.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt-get update -qq >/dev/null 2>&1
    for program in "${missing[@]}"; do
        apt-get install -y -qq --no-install-recommends "${packages[$program]}" >/dev/null 2>&1
    done
fi
for program in "${missing[@]}"; do
    command -v "$program" >/dev/null || echo "skipped: ${wanted[$program]} (install Debian's package ${packages[$program]})"
done
exit 0
