# Everything runs in .venv, which makes itself. Needed: Python 3.11 or newer with pip, and make.
PYTHON ?= python3
JOBS ?= 2
PYTEST_ARGS ?=
TIER ?= 0

BIN := .venv/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python -c constraints.txt -b constraints.txt
PROJECTS := pyproject.toml $(wildcard adapters/*/pyproject.toml)

# uv does not read pip's setting by itself.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-all test-sqlalchemy-2.0 faults lint format types layers docs wheels bench check constraints clean

help:
	@echo 'make demo         a shop of 91 clients, in the terminal'
	@echo 'make test         the tests (JOBS=$(JOBS), PYTEST_ARGS=...)'
	@echo 'make test-all     the tests, where a database that is missing is a failure'
	@echo 'make faults       kills, power losses, cut connections, ... (TIER=$(TIER): 0 minutes, 1 hours)'
	@echo 'make lint         style and format;   make format   mend them'
	@echo 'make types        mypy, strict'
	@echo 'make layers       the floors and doors of the architecture'
	@echo 'make docs         the documentation, into site/'
	@echo 'make wheels       sdists and wheels, into dist/'
	@echo 'make bench        the benchmarks'
	@echo 'make check        test, then lint, types, layers, docs and wheels'
	@echo 'make constraints  resolve requirements-dev.in anew into constraints.txt'
	@echo 'make clean        remove what the others made, .venv too'

# ------------------------------------------------------------ environment
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'clientledger needs Python 3.11 or newer, and "$(PYTHON)" is not: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
	@if $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
	  $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet -c constraints.txt uv; \
	elif $(PYTHON) -c 'import venv, pip' 2>/dev/null; then \
	  $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(BIN)/python install --quiet -c constraints.txt uv; \
	else \
	  echo '"$(PYTHON)" has neither ensurepip nor pip, so no environment can be made:' >&2; \
	  echo 'install them (Debian: apt install python3-venv) or make PYTHON=/path/to/another/python ...' >&2; exit 1; \
	fi

.venv/.runtime: $(UV) $(PROJECTS) constraints.txt
	@$(INSTALL) -e '.[cli]' -e 'adapters/sqlalchemy[postgresql,mariadb]' -e 'adapters/statements[pdf]'
	@touch $@

.venv/.development: $(UV) $(PROJECTS) constraints.txt requirements-dev.in
	@$(INSTALL) -r requirements-dev.in
	@$(BIN)/python -c 'import weasyprint' 2>/dev/null || \
	  echo 'PDF statements need Pango, and their tests are skipped without it (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0)' >&2
	@touch $@ .venv/.runtime

constraints: $(UV)
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
	  --no-emit-package clientledger --no-emit-package clientledger-sqlalchemy \
	  --no-emit-package clientledger-statements requirements-dev.in -o constraints.txt

# ------------------------------------------------------------ use
demo: .venv/.runtime
	@$(BIN)/clientledger demo

# ------------------------------------------------------------ proof
test: .venv/.development
	$(BIN)/pytest -n $(JOBS) --dist=loadscope --no-loadscope-reorder $(PYTEST_ARGS)

test-all:
	CLIENTLEDGER_NO_SKIP=1 $(MAKE) --no-print-directory test

faults: .venv/.development
	$(BIN)/python -m tests.faults --tier $(TIER) --jobs $(JOBS)

# The oldest SQLAlchemy that the store promises to run on, in front of the one that is installed.
OLDEST := 2.0.47
CONTRACT := adapters/sqlalchemy/tests/test_contract.py
test-sqlalchemy-2.0: .cache/sqlalchemy-$(OLDEST)
	PYTHONPATH=$< $(BIN)/python -c 'import sqlalchemy; assert sqlalchemy.__version__ == "$(OLDEST)"'
	PYTHONPATH=$< $(BIN)/pytest -q -n $(JOBS) --dist=loadscope -k 'not killed and not cluster' $(PYTEST_ARGS) \
	  $(foreach kind,SqliteFile Postgresql Mariadb,$(CONTRACT)::Test$(kind)) \
	  $(foreach name,answers schema units migrations,adapters/sqlalchemy/tests/test_$(name).py)

.cache/sqlalchemy-$(OLDEST): .venv/.development
	@$(UV) pip install --quiet --python $(BIN)/python --target $@ --no-deps 'sqlalchemy==$(OLDEST)'

lint: .venv/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/.development
	$(BIN)/mypy

layers: .venv/.development
	$(BIN)/lint-imports --no-logo

docs: .venv/.development
	$(BIN)/zensical build --clean --strict

wheels: .venv/.development
	rm -rf dist
	$(UV) build --quiet --build-constraints constraints.txt --out-dir dist .
	$(UV) build --quiet --build-constraints constraints.txt --out-dir dist adapters/sqlalchemy
	$(UV) build --quiet --build-constraints constraints.txt --out-dir dist adapters/statements
	@ls dist

bench: .venv/.development
	$(BIN)/python -m benchmarks

check: test
	@$(MAKE) --no-print-directory lint types layers docs wheels

clean:
	rm -rf .venv dist build site .cache .coverage htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
