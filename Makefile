# The virtual environment belongs to this Makefile: it is made when missing and renewed when its description changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help install demo serve test check format bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(READY) ## Make .venv with everything that is needed

demo: $(READY) ## See it work: three stand-in shops, orders, mails; no account needed
	@$(BIN)/connector demo

serve: $(READY) ## Run Connector with your settings
	@$(BIN)/connector serve

test: check ## Check, then run all tests with coverage
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest --cov --cov-report=term

check: $(READY) ## Types, lint, format, and who imports whom
	@echo "Checking types ..." && $(BIN)/mypy
	@echo "Checking style ..." && $(BIN)/ruff check --quiet && $(BIN)/ruff format --check --quiet
	@echo "Checking imports ..." && $(BIN)/lint-imports --no-logo

format: $(READY) ## Put the code into the agreed format
	@$(BIN)/ruff check --quiet --fix-only && $(BIN)/ruff format

bench: $(READY) ## Measure throughput on this machine
	@$(BIN)/python -m tests.bench

lock: $(READY) ## Renew requirements.lock to the newest versions that setup.cfg allows
	@$(PIP) install uv
	@$(BIN)/uv pip compile setup.cfg --extra test --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
		--custom-compile-command "make lock" --output-file requirements.lock
	@echo "requirements.lock is renewed; the next make installs from it."

clean: ## Remove .venv and everything the tools made
	@rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* htmlcov \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed .venv, build output and caches; your settings and data are untouched."

$(READY): requirements.lock setup.cfg pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
		{ echo "Connector needs Python 3.11 or newer, and '$(PYTHON)' was not found. Name another with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Connector needs Python 3.11 or newer, and '$(PYTHON)' is older. Name another with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing Connector into $(VENV) (the first time takes about a minute) ..."
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@
	@echo "Installed."
