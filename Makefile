# Everything a newcomer needs: `make run` to see it, `make test` to prove it.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app wsgi
N ?= 10000
SEED ?= 1

.PHONY: run test check bench bench-geo torture lighthouse build clean translations test-tools

run: build
	@$(FLASK) start
	@exec $(BIN)/gunicorn --worker-class gthread --workers 2 --threads 4 --no-control-socket --bind 127.0.0.1:$(PORT) --access-logfile /dev/null wsgi:app

test: build test-tools check
	$(BIN)/pytest -n 3 --dist loadfile tests

check: $(VENV)/test-ready build
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: build test-tools
	$(BIN)/python -m tests.bench.run

# Districts, beside METIS, KaHIP and a Hilbert sweep: `make bench-geo ARGS="--communities 3"` for a short run.
bench-geo: $(VENV)/bench-ready
	$(BIN)/python -m tests.bench.geo $(ARGS)

# Phones, a proxy that cuts their connections, a server that is killed: `make torture N=10000 SEED=1`.
torture: build test-tools
	$(BIN)/python -m tests.torture.run --items $(N) --seed $(SEED)
	ROUNDS=50 $(BIN)/pytest -q -n 0 tests/browser/test_full_phone.py

lighthouse: build test-tools
	tests/lighthouse/run

build: $(VENV)/ready fieldapp/static/dist/manifest.json fieldapp/translations/en/LC_MESSAGES/messages.mo

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 run")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m tests.setup.install fieldapp
	@touch $@

$(VENV)/test-ready: $(VENV)/ready
	$(BIN)/python -m tests.setup.install test
	@touch $@

$(VENV)/bench-ready: $(VENV)/ready
	$(BIN)/python -m tests.setup.install bench
	@touch $@

# A Node of 18 or newer, from the machine or else from a Python package, builds the front end.
fieldapp/static/dist/manifest.json: $(VENV)/ready package-lock.json $(shell find fieldapp/static/js fieldapp/static/css fieldapp/static/icons -type f) fieldapp/static/build.mjs
	$(BIN)/python -m tests.setup.frontend
	@touch $@

fieldapp/translations/en/LC_MESSAGES/messages.mo: $(VENV)/ready fieldapp/translations/en/LC_MESSAGES/messages.po
	$(BIN)/pybabel -q compile -d fieldapp/translations

test-tools: $(VENV)/test-ready
	$(BIN)/python -m tests.setup.browser

translations: $(VENV)/ready
	$(BIN)/python -m tests.setup.translations

clean:
	rm -rf $(VENV) node_modules fieldapp/static/dist
