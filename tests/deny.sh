#!/usr/bin/env bash
# Checks licences, bans and sources of all dependencies; advisories where their database can be had.
set -eu
if ! command -v cargo-deny >/dev/null; then
    echo "Installing cargo-deny (several minutes, once) ..."
    cargo install --locked --quiet cargo-deny
fi
cargo deny --all-features check licenses bans sources
if ! cargo deny --all-features check advisories; then
    if cargo deny fetch db >/dev/null 2>&1; then
        exit 1
    fi
    echo "skipped: advisories, their database cannot be fetched from here"
fi
