# Everything sets itself up from a bare clone; ARGS are handed on:  make test ARGS="tests/store -q"
PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench words

help:  ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup:  ## Install everything, for running and for testing; start nothing
	@$(PYTHON) scripts/setup.py test

run:  ## Start the workbench on http://localhost:8501
	@$(PYTHON) scripts/setup.py run && exec $(VENV) -m streamlit run app.py $(ARGS)

test:  ## Run the tests, a real browser included
	@$(PYTHON) scripts/setup.py test && exec $(VENV) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check:  ## Style, format and types: ruff and mypy
	@$(PYTHON) scripts/setup.py test && $(VENV) -m ruff check . && $(VENV) -m ruff format --check . && $(VENV) -m mypy

bench:  ## Measure what docs/BENCHMARKS.md quotes
	@$(PYTHON) scripts/setup.py test && if [ -f benchmarks/__main__.py ]; then exec $(VENV) -m benchmarks $(ARGS); else echo "There is nothing to measure yet."; fi

words:  ## Bring locales/ up to date with the strings in the code
	@$(PYTHON) scripts/setup.py test && exec $(VENV) scripts/words.py
