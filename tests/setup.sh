#!/usr/bin/env bash
# Installs what the tests use beside Rust and Node, where Debian's packages can be had; else says what will be skipped.
set -u

declare -A wanted=(
    [chromium]="the browser test"
    [promtool]="the comparison with Prometheus' own tools"
)
declare -A packages=([chromium]=chromium [promtool]=prometheus)

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
