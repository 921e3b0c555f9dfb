# One command each to run, test and lint; the same here and in CI.

WEB := crates/daemons/uid/web
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/index.html $(WEB)/vite.config.ts $(WEB)/package.json -type f 2>/dev/null)
DATA ?= data
CARGO ?= cargo
KILLS ?= 1000

.PHONY: help run build web release test test-rust test-web lint fmt codegen setup soak bench clean

help: ## Show this list.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: web ## Build everything and run the whole stack here (data in ./data).
	@echo "Building the programs (several minutes the first time, seconds after that) ..."
	@$(CARGO) build --package stackd
	@target/debug/stackd --data.dir=$(DATA) --port.http=8000 --port.https=8443 --port.proxyd=8088 $(ARGS)

build: web ## Build all programs in the quick-to-build profile.
	$(CARGO) build --workspace

release: web ## Build all programs optimised (half an hour on two cores).
	$(CARGO) build --release --workspace

web: $(WEB)/dist/index.html ## Build the web app.

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	@echo "Installing the web app's packages ..."
	@cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "Building the web app ..."
	@cd $(WEB) && npm run --silent build
	@touch $@

test: setup test-web test-rust ## Run all tests; installs what they need, or says what is skipped.

setup: ## Install what the tests need from Debian (as root); says what is missing otherwise.
	@tests/setup.sh

test-web: web ## Test the web app.
	cd $(WEB) && npm test

test-rust: web ## Test all crates and programs, and that dependencies point down.
	@echo "Building the tests (about ten minutes on two cores the first time) ..."
	tests/nextest.sh --workspace
	$(CARGO) run --quiet --package xtask -- layers
	$(CARGO) run --quiet --package xtask -- codegen --check
	deploy/check.sh

soak: ## Kill the metrics database KILLS times (1000) and look for what it acknowledged; not part of the tests.
	TSDB_KILLS=$(KILLS) $(CARGO) test --package tsdb --test kill -- --nocapture

bench: ## Measure metricsd beside its peers (hours; ARGS="--skip memory" for less); not part of the tests.
	@tests/setup.sh bench
	$(CARGO) build --release --package metricsd --package bench
	target/release/bench metrics $(ARGS)

lint: web ## Check style and dependencies.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- --deny warnings
	cd $(WEB) && npm run --silent lint
	tests/deny.sh

fmt: ## Format all code.
	$(CARGO) fmt --all
	cd $(WEB) && npm run --silent format

codegen: ## Generate Rust from proto/.
	$(CARGO) run --quiet --package xtask -- codegen

clean: ## Remove what was built, not the data.
	$(CARGO) clean
	rm -rf $(WEB)/dist $(WEB)/node_modules
