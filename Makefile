# These targets need Python 3.11, make and git. `make run` runs the default study, `make test` the quick tests, and
# `make test-all` all tests but the fault suites and the fuzzers.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Not `all`, which would hide why Snakemake refuses.
QUIET := --quiet progress host reason rules

.PHONY: run plan verify docs test test-all test-cluster test-faults test-fuzz lint bench-dag bench-data bench-train
.DELETE_ON_ERROR:

run: .venv/installed
	$(BIN)/snakemake --cores all
	@echo "The report is $(CURDIR)/results/sample/report.html"

plan: .venv/installed
	$(BIN)/snakemake plan --cores all $(QUIET) $(if $(STUDY),--configfile $(STUDY))

verify: .venv/installed
	$(BIN)/snakemake verify --cores 1 $(QUIET) $(if $(STUDY),--configfile $(STUDY))

test: .venv/installed-dev
	$(BIN)/python -m pytest -m "not slow"

test-all: .venv/installed-cluster
	$(BIN)/python -m pytest tests/cluster tests/unit tests/workflow

test-cluster: .venv/installed-cluster
	$(BIN)/python -m pytest tests/cluster

test-faults: .venv/installed-dev
	$(BIN)/python -m pytest -s tests/faults

test-fuzz: .venv/installed-fuzz
	PYTHONPATH=.:tests $(BIN)/python tests/faults/fuzz.py --seconds $(or $(FUZZ_SECONDS),60)

docs: .venv/installed
	$(BIN)/python -m workflow_scripts.config.document --schema schemas/config.schema.yaml --defaults config.yaml \
		--output docs/configuration.md

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check .
	$(BIN)/snakemake --lint

bench-dag: .venv/installed
	PYTHONPATH=.:tests $(BIN)/python tests/bench/bench_dag.py

bench-data: .venv/installed
	PYTHONPATH=.:tests $(BIN)/python tests/bench/bench_data.py

bench-train: .venv/installed
	$(BIN)/snakemake tasks --cores all $(QUIET)
	PYTHONPATH=.:tests $(BIN)/python -u tests/bench/bench_train.py
	PYTHONPATH=.:tests $(BIN)/python -u tests/bench/bench_engine.py

.venv/installed: requirements.txt constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	touch $@

.venv/installed-cluster: requirements-cluster.txt .venv/installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-cluster.txt -c constraints.txt
	touch $@

.venv/installed-fuzz: requirements-fuzz.txt .venv/installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt -c constraints.txt
	touch $@
