# `make help` lists the targets. All of it happens in .venv of this folder; nothing is installed elsewhere.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-dev demo demo-serving test lint bench study pins clean

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt --build-constraint constraints.txt --editable
PINS := pyproject.toml constraints.txt
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) ## .venv with what the product and the example need

setup-dev: $(DEVELOPMENT) ## .venv with what tests and linters need besides

demo: $(RUNTIME) ## a real model through all six stages: denied, denied, provisional, promoted, rolled back
	$(PY) examples/flights/demo.py

demo-serving: $(RUNTIME) ## a real canary on this machine: nginx, two model servers, 5 % of the customers, and back
	$(PY) examples/canary/demo.py

test: $(DEVELOPMENT) ## all tests, with a real OPA (built once into the user's cache)
	$(PY) -m gates.decide.opa_binary
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long"

lint: $(DEVELOPMENT) ## the hooks of .pre-commit-config.yaml over all files
	$(PY) -m gates.decide.opa_binary
	$(PY) -m pre_commit run --all-files --show-diff-on-failure

bench: $(RUNTIME) ## figures on this machine; BENCH_OUT=docs/bench keeps the tables
	@for script in benchmarks/*.py; do $(PY) "$$script" || exit; done

study: $(DEVELOPMENT) ## simulations, engines and mutants into docs/study, then property tests and oracles, at length
	PYTHONPATH=.:tests OMP_NUM_THREADS=1 $(PY) -m study
	PYTHONPATH=.:tests $(PY) -m study.both_engines
	$(PY) tools/mutate_policies.py --write
	$(PY) -m pytest tests/properties tests/oracles -n 2 --hypothesis-profile=study
	$(PY) -m pytest -n 2 -m long

pins: $(DEVELOPMENT) ## write constraints.txt from what .venv holds
	{ sed -n '/^#/p' constraints.txt; $(PIP) freeze --all --exclude setuptools --exclude-editable | LC_ALL=C sort -f; } > constraints.new
	mv constraints.new constraints.txt

clean: ## remove what make and the demo wrote, .venv included
	rm -rf $(VENV) build dist examples/flights/work .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment that an interrupted run left without pip is made anew.
$(VENV)/.made:
	@if ! $(PIP) --version >/dev/null 2>&1; then \
	  for name in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	      found="$$name"; break; \
	    fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "make: Python 3.11, 3.12 or 3.13 is needed; python3 here is: $$(python3 --version 2>&1)." >&2; \
	    echo "make: install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 2; \
	  fi; \
	  echo "setup: $(VENV) with $$($$found --version)"; \
	  "$$found" -m venv --clear $(VENV) || { \
	    echo "make: the module venv is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }; \
	fi
	@$(PIP) install --quiet --constraint constraints.txt pip
	@touch $@

$(RUNTIME): $(VENV)/.made $(PINS)
	@echo "setup: installing the product and the example's data (a minute or two, once)"
	@$(INSTALL) . --group example
	@touch $@

$(DEVELOPMENT): $(VENV)/.made $(PINS)
	@echo "setup: installing the product, the example's data, Spark, tests and linters (two or three minutes, once)"
	@$(INSTALL) '.[spark,pii,delta,iceberg,postgres,s3,notify]' --group example --group dev --group oracles
	@touch $(RUNTIME) $@
