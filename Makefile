# `make demo` and `make test` set up everything they need, given Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST ?= .venv-oldest

.PHONY: demo test test-oldest check format clean

demo: $(READY)
	$(BIN)/python -m scenarios run claim-race

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal

# What speaks to S3, and what makes bytes of values, with the oldest versions of everything that the package allows.
test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest -n auto --dist worksteal tests/codecs tests/s3 tests/testing tests/sync/test_cas_s3.py tests/sync/test_*_faults.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "persidict-sync needs Python 3.11 or newer; name one with PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[testing]' --group dev
	touch $@

$(OLDEST)/.ready: pyproject.toml tests/oldest.py $(READY)
	$(PYTHON) -m venv $(OLDEST)
	$(BIN)/python tests/oldest.py > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(OLDEST)/bin/python -m pip install --quiet --editable '.[testing]' --group dev --constraint $(OLDEST)/constraints.txt
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
