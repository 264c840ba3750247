# Everything one types here. `make` alone, or `make help`, lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := domain infra providers realtime simulator tasks tests web

.DEFAULT_GOAL := help
.PHONY: help run test check lint format types imports bench clean
# One recipe, one shell: a recipe's `exec` then gets Ctrl-C and its own exit status.
.ONESHELL:
.SHELLFLAGS := -euc
MAKEFLAGS += --no-print-directory

help: ## list the commands
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "make run listens on WEB_PORT=8000, REALTIME_PORT=8001, SIMULATOR_PORT=8010 and keeps its data in DATA_DIR."

run: $(VENV)/.runtime static/vendor/.stamp ## start everything on this machine, with a demo streamer; Ctrl-C stops it
	@exec $(BIN)/python -m infra.launcher

test: $(VENV)/.development static/vendor/.stamp ## run all tests: pytest's arguments in ARGS="…"
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m pytest $(ARGS)

check: lint types test ## what review runs: format, lint, types, imports, tests

lint: $(VENV)/.development ## format and style, changing nothing
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

format: $(VENV)/.development ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

types: $(VENV)/.development ## mypy --strict
	@$(BIN)/mypy

imports: $(VENV)/.development ## who may import whom (part of the tests, too)
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.development static/vendor/.stamp ## measure DESIGN's numbers on this machine
	@$(BIN)/python -m tests.support.install
	@exec $(BIN)/python -m tests.bench

clean: ## delete what the other commands made, but no data
	@rm -rf $(VENV) node_modules static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Each stamp is newer than its lock file once that is installed.

$(VENV)/bin/python:
	@if ! command -v $(PYTHON) >/dev/null; then
		echo "There is no $(PYTHON). Install Python 3.11 or newer." >&2; exit 1
	fi
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
		echo "$$($(PYTHON) --version 2>&1) is too old: Python 3.11 or newer is needed." >&2
		echo "If you have it under another name: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2
		exit 1
	fi
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
		echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2
		exit 1
	fi
	echo "Making $(VENV) …"
	rm -rf $(VENV).new
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	@if [ ! -e $(VENV)/.development ]; then
		echo "Installing packages (once) …"
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	else
		$(MAKE) $(VENV)/.development
	fi
	touch $@

$(VENV)/.development: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing packages for development (once) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@ $(VENV)/.runtime

static/vendor/.stamp: package-lock.json infra/frontend.py | $(VENV)/.any
	@$(BIN)/python -m infra.frontend
	touch $@

# The browser libraries need some environment, no matter which.
$(VENV)/.any: | $(VENV)/bin/python
	@if [ ! -e $(VENV)/.runtime ]; then $(MAKE) $(VENV)/.runtime; fi
	touch $@
