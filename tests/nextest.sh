#!/usr/bin/env bash
# Runs Rust tests with nextest where it is installed, else with cargo's own runner.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run "$@"
fi
echo "cargo-nextest is not installed, running with cargo test"
exec cargo test "$@"
