# Everything one types here. `make` alone, or `make help`, lists it. Works with the GNU make 3.81 of macOS.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := domain infra providers realtime simulator tasks tests web

.DEFAULT_GOAL := help
.PHONY: help run test check lint format types imports bench chaos screenshots env compose-test clean
# Prerequisites are made in the order written: the environment, then what needs it.
.NOTPARALLEL:

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "make run reads WEB_PORT (8000), REALTIME_PORT (8001), SIMULATOR_PORT (8010) and DATA_DIR."

# `exec`: Ctrl-C and SIGTERM reach the launcher itself, and its exit status is the recipe's.
run: $(VENV)/.runtime static/vendor/.stamp ## start everything here, with a demo streamer; Ctrl-C stops it
	@exec $(BIN)/python -m infra.launcher

test: $(VENV)/.development static/vendor/.stamp ## run all tests (pytest's arguments in ARGS)
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m pytest $(ARGS)

check: lint types test ## what review runs: format, lint, types, imports, tests

lint: $(VENV)/.development ## look at format and style, changing nothing
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

format: $(VENV)/.development ## format the code, and mend what can be mended
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

types: $(VENV)/.development ## mypy, strict
	@$(BIN)/mypy

imports: $(VENV)/.development ## who may import whom (one of the tests, too)
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.development static/vendor/.stamp ## measure the numbers of docs/ on this machine
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m tests.bench

env: ## a server's .env with random secrets: make env DOMAIN=example.org
	@$(PYTHON) -m infra.server_environment "$(DOMAIN)"

chaos: $(VENV)/.development static/vendor/.stamp ## thousands of payments while everything is killed: make chaos ARGS="--seed 7"
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(VENV)/.development static/vendor/.stamp ## every page at two widths, in both languages and themes: docs/screenshots/
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m tests.pages $(ARGS)

compose-test: $(VENV)/.development ## bring the containers up for real, use them, hit them, take them down
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m tests.compose $(ARGS)

clean: ## delete what the other commands made, but no data
	@rm -rf $(VENV) node_modules static/vendor
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps below are newer than their lock file once it is installed, so a second start costs nothing.

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON). Install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version 2>&1) is too old: this needs Python 3.11 or newer." >&2; \
		echo "If you have one under another name: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. Debian, Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock $(VENV)/.python
	@echo "Installing packages; the next start skips this"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.python
	@echo "Installing packages for development; the next start skips this"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $(VENV)/.runtime $@

static/vendor/.stamp: package-lock.json infra/frontend.py
	@$(BIN)/python -m infra.frontend
	@touch $@
